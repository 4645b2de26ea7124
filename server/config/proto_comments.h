// ProtoComments: what a proto says of its fields in comments, which compiled descriptors leave out.
#ifndef MAINSPRING_SERVER_CONFIG_PROTO_COMMENTS_H_
#define MAINSPRING_SERVER_CONFIG_PROTO_COMMENTS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mainspring {

// The comment above each field, by the field's full name, line by line. `proto` is the text of a
// .proto file that compiles.
std::map<std::string, std::vector<std::string>> ProtoComments(absl::string_view proto);

// The text of mainspring/host/v1/host.proto.
absl::string_view HostProto();

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_PROTO_COMMENTS_H_
