#ifndef MAINSPRING_PROTOS_PLUGIN_BINDING_TEXT_H_
#define MAINSPRING_PROTOS_PLUGIN_BINDING_TEXT_H_

#include <google/protobuf/io/printer.h>

#include "protos/plugin/service_model.h"

namespace mainspring::plugin {

// The text of X.binding.pb.h and X.binding.pb.cc: the services on gRPC and the component types.
// Every behaviour is in the templates of server/rpc/; these files only name the types.
void PrintBindingHeader(const File& file, google::protobuf::io::Printer* printer);
void PrintBindingSource(const File& file, google::protobuf::io::Printer* printer);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_BINDING_TEXT_H_
