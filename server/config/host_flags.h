// HostFlags: what the command line of a host says: flags beside the configuration that they set.
#ifndef MAINSPRING_SERVER_CONFIG_HOST_FLAGS_H_
#define MAINSPRING_SERVER_CONFIG_HOST_FLAGS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/observe/event_log.h"

namespace mainspring {

struct HostFlags {
  bool help = false;
  bool version = false;
  // Set where --probe was given, even empty, as by a script whose variable is not set: no host is
  // started.
  std::optional<std::string> probe;
  absl::Duration probe_timeout;
  LogFormat log_format = LogFormat::kText;

  // See ParseFlags.
  static absl::StatusOr<HostFlags> Parse(int argc, char** argv);
};

// Sets what flags say of planes, drain and connections, given or by default. After
// HostFlags::Parse.
void ApplyFlags(HostConfig& config);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_HOST_FLAGS_H_
