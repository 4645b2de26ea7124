#ifndef MAINSPRING_PROTOS_PLUGIN_NAME_CLASH_H_
#define MAINSPRING_PROTOS_PLUGIN_NAME_CLASH_H_

#include <google/protobuf/descriptor.h>

#include <vector>

#include "protos/plugin/refusal.h"

namespace mainspring::plugin {

// Two things that would have one name in the C++ namespace of the proto's package: the names
// generated for its services against each other, against what the proto declares, and against
// what the protos of the same package declare and generate that it imports, directly or not.
std::vector<Refusal> NameClashes(const google::protobuf::FileDescriptor& file);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_NAME_CLASH_H_
