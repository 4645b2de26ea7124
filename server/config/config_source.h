// ConfigSource: where a host's configuration is from, for a host that reads it again.
#ifndef MAINSPRING_SERVER_CONFIG_CONFIG_SOURCE_H_
#define MAINSPRING_SERVER_CONFIG_CONFIG_SOURCE_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "mainspring/server/config/host_config.h"

namespace mainspring {

// Both are called on threads that may block, one call at a time of each.
struct ConfigSource {
  // Reads it, or says all that is wrong with it, a line each.
  std::function<absl::StatusOr<HostConfig>()> load = [] {
    return absl::FailedPreconditionError("the host has no configuration that could be read again");
  };
  // What differs once the file has been written, replaced, or is what another link leads to; empty:
  // it is not there now.
  std::function<std::string()> state = [] { return std::string(); };
  // What that was before it was read for the first time.
  std::string first_state;
};

// Of a file, by its path, which need not be there.
std::string FileState(const std::string& path);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_CONFIG_SOURCE_H_
