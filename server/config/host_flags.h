// HostFlags: what the command line of a host says: flags beside the settings that they are.
#ifndef MAINSPRING_SERVER_CONFIG_HOST_FLAGS_H_
#define MAINSPRING_SERVER_CONFIG_HOST_FLAGS_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "mainspring/server/config/host_config.h"

namespace mainspring {

struct HostFlags {
  bool help = false;
  bool version = false;
  // What is done with the configuration instead of running a host.
  bool check = false;
  bool print_config = false;
  bool print_schema = false;
  // The configuration file; empty: none.
  std::string config;
  // Set where --probe was given, even empty, as by a script whose variable is not set: no host is
  // started.
  std::optional<std::string> probe;
  absl::Duration probe_timeout;
  // By the path of a setting that a flag has given, that flag: "--drain-timeout".
  std::map<std::string, std::string> given;

  // See ParseFlags.
  static absl::StatusOr<HostFlags> Parse(int argc, char** argv);
};

// What a host is by default, where nobody says otherwise: where its planes listen, and for how long
// they keep a connection.
void SetDefaults(HostConfig& config);

// Sets what was given by flags, and nothing else. After HostFlags::Parse.
void ApplyFlags(const HostFlags& flags, HostConfig& config);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_HOST_FLAGS_H_
