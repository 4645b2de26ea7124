// ProbeTarget: whom --probe asks, and for what.
#ifndef MAINSPRING_SERVER_CONFIG_PROBE_TARGET_H_
#define MAINSPRING_SERVER_CONFIG_PROBE_TARGET_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mainspring {

struct ProbeTarget {
  // What gRPC dials.
  std::string address;
  // A name that the host's health knows; empty: the host.
  std::string name;

  // Of ADDRESS or ADDRESS/NAME, with ADDRESS as for a plane. In "unix:/PATH/NAME" the path ends
  // where the socket is, which is looked for; "*" becomes localhost.
  // INVALID_ARGUMENT: it is none; the text quotes it and says what to write.
  static absl::StatusOr<ProbeTarget> Parse(absl::string_view text);
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_PROBE_TARGET_H_
