// HostInForce: what a host's own configuration is, all but the sections of its components, and
// where that is from.
#ifndef MAINSPRING_SERVER_CONFIG_HOST_IN_FORCE_H_
#define MAINSPRING_SERVER_CONFIG_HOST_IN_FORCE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

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
  // The fields that a flag holds, whatever is said of them, by their paths, with the flag.
  std::map<std::string, std::string> flags = {};
};

// A value; one thread at a time.
class HostInForce {
 public:
  // What the file, the program and its flags say, which holds.
  explicit HostInForce(LoadedConfig file) : value_(file), file_value_(std::move(file)) { Merge(); }

  // With the sections that the file says, and those that whoever is not in it begins with.
  const HostConfig& config() const { return config_; }
  const LoadedConfig& value() const { return value_; }
  const LoadedConfig& file_value() const { return file_value_; }

  // Another configuration, of a revision; the sections of what the file has too are as it says.
  void Set(LoadedConfig loaded, bool holds_over_file);
  // What the file says, from here on.
  void SetToFile();
  // The file says something else. What it says of the host holds, unless a revision does: where it
  // says what it did, or where that is to hold over it. A sentence where one of the two gives way.
  std::string SetFile(LoadedConfig file);

  // What is to be written down, where it is not the file's.
  void Store(config::v1::StoredRevision& revision) const;

  uint64_t revision = 0;     // that changed it last; 0: none did
  bool is_the_files = true;  // and is what the file says, now
  bool keep_over_file = false;

 private:
  void Merge();

  LoadedConfig value_;
  LoadedConfig file_value_;
  HostConfig config_;
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
