// ConfigSource: where a host's configuration is from, for a host that reads it again.
#ifndef MAINSPRING_SERVER_CONFIG_CONFIG_SOURCE_H_
#define MAINSPRING_SERVER_CONFIG_CONFIG_SOURCE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "mainspring/server/config/host_in_force.h"
#include "mainspring/server/config/revision_store.h"

namespace mainspring {

struct RestoredHost {
  HostInForce host;
  std::optional<RevisionStore> store;
};

// The first two are called on threads that may block, one call at a time of each.
struct ConfigSource {
  // Reads it, or says all that is wrong with it, a line each.
  std::function<absl::StatusOr<LoadedConfig>()> load = [] {
    return absl::FailedPreconditionError("the host has no configuration that could be read again");
  };
  // What differs once the file has been written, replaced, or is what another link leads to; empty:
  // it is not there now.
  std::function<std::string()> state = [] { return std::string(); };
  // What that was before it was read for the first time.
  std::string first_state;
  // The configuration where the file says that instead, or all that is wrong with it. Any thread;
  // does not block.
  ReadHostConfig read = [](const host::v1::HostConfig&) {
    return absl::FailedPreconditionError("the host's own configuration is the program's alone");
  };
  // What holds at the start, and where revisions are kept; null: what was read, and nowhere yet.
  std::shared_ptr<const RestoredHost> restored;
};

// Of a file, by its path, which need not be there.
std::string FileState(const std::string& path);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_CONFIG_SOURCE_H_
