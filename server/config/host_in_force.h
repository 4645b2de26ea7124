// HostInForce: what a host's own configuration is, all but the sections of its components, and
// where that is from.
#ifndef MAINSPRING_SERVER_CONFIG_HOST_IN_FORCE_H_
#define MAINSPRING_SERVER_CONFIG_HOST_IN_FORCE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "mainspring/config/v1/stored_revision.pb.h"
#include "mainspring/host/v1/host.pb.h"
#include "mainspring/server/config/host_config.h"

namespace mainspring {

// A host's configuration as it was read.
struct LoadedConfig {
  HostConfig config;
  // What was said, and nothing that was left out; without the sections of components.
  host::v1::HostConfig said;
};

struct HostInForce {
  // With the sections that the file says.
  LoadedConfig value;
  LoadedConfig file_value;
  uint64_t revision = 0;     // that changed it last; 0: none did
  bool is_the_files = true;  // and is what the file says, now
  bool keep_over_file = false;

  const HostConfig& config() const { return value.config; }

  // Another configuration, of a revision; the sections of what the file has too are as it says.
  void Set(LoadedConfig loaded, bool holds_over_file);
  // What the file says, from here on.
  void SetToFile();
  // The file says something else. What it says of the host holds, unless a revision does: where it
  // says what it did, or where that is to hold over it. A sentence where one of the two gives way.
  std::string SetFile(LoadedConfig file);

  // What is to be written down, where it is not the file's.
  void Store(config::v1::StoredRevision& revision) const;
};

// Without the sections of components.
host::v1::HostConfig WithoutSections(host::v1::HostConfig message);

// See ConfigSource.
using ReadHostConfig =
    std::function<absl::StatusOr<LoadedConfig>(const host::v1::HostConfig& said)>;

// As a revision says, where the file says what it did then, or the revision holds over it. `told`:
// a sentence where it is not taken over, or only because it holds over the file.
HostInForce RestoreHost(const LoadedConfig& file, const config::v1::StoredRevision& revision,
                        const ReadHostConfig& read, std::string& told);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_HOST_IN_FORCE_H_
