#ifndef MAINSPRING_PROTOS_PLUGIN_COMPONENT_TEXT_H_
#define MAINSPRING_PROTOS_PLUGIN_COMPONENT_TEXT_H_

#include <google/protobuf/io/printer.h>

#include "protos/plugin/service_model.h"

namespace mainspring::plugin {

// The text of X.component.pb.h and X.component.pb.cc: request enum, component base and in-process
// ref. It names protobuf and mainspring/component.h, never gRPC.
void PrintComponentHeader(const File& file, google::protobuf::io::Printer* printer);
void PrintComponentSource(const File& file, google::protobuf::io::Printer* printer);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_COMPONENT_TEXT_H_
