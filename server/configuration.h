// Configuration: what the host of a process is configured with: the program's defaults, its
// configuration file over them, its flags over both.
#ifndef MAINSPRING_SERVER_CONFIGURATION_H_
#define MAINSPRING_SERVER_CONFIGURATION_H_

#include <functional>
#include <string>
#include <vector>

#include "mainspring/server/config/config_file.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/config/host_flags.h"
#include "mainspring/server/config/host_in_force.h"
#include "mainspring/server/config/problems.h"
#include "mainspring/server/config/sections.h"
#include "mainspring/server/rpc/component_type.h"

namespace mainspring {

// What each of the types takes.
Sections SectionsOf(const std::vector<ComponentType>& types);

// All that is wrong with a configuration of a host with these types: see FindProblems,
// CheckSections and DependencyGraph. It may not be right where this adds nothing: what a component
// thinks of its section, it says when it starts.
void CheckConfig(const std::vector<ComponentType>& types, const HostConfig& config,
                 Problems& problems);

// See FindContradictions; and phases of a drain that take longer, together, than the host is given.
// Of a configuration with which nothing is wrong.
std::vector<Contradiction> FindAllContradictions(const HostConfig& config);

class Configuration {
 public:
  // Reads the file, where `flags` name one; blocks for that. `adjust` sets the program's defaults.
  static Configuration Load(const std::vector<ComponentType>& types,
                            const std::function<void(HostConfig&)>& adjust, const HostFlags& flags);

  // The same where the file says that instead.
  static Configuration Of(const std::vector<ComponentType>& types,
                          const std::function<void(HostConfig&)>& adjust, const HostFlags& flags,
                          host::v1::HostConfig said);

  bool ok() const { return problems_.empty(); }
  // All that is wrong, each with its place; of a configuration without a file, in one line.
  std::string Report() const;
  // What is not wrong and hardly meant.
  std::vector<std::string> Warnings() const;
  // The file has nothing in it, not even {}.
  bool blank() const { return file_.blank; }
  bool has_file() const { return !file_.path.empty(); }

  const HostConfig& config() const { return config_; }
  LoadedConfig loaded() const { return {config_, WithoutSections(file_.said), flags_.given}; }
  // As a file, with where each value comes from.
  std::string Show() const;

 private:
  // The program's defaults, and its environment's.
  Configuration(const std::vector<ComponentType>& types,
                const std::function<void(HostConfig&)>& adjust, const HostFlags& flags);

  // Puts what was said, and then the flags, over that, and looks at all of it.
  void Complete(const std::vector<ComponentType>& types);
  std::string SourceOf(const std::string& path) const;

  HostConfig config_;
  ConfigFile file_;
  HostFlags flags_;
  Problems problems_;
};

// A configuration file with all that it may have, explained: what a host with these types has by
// default.
std::string ConfigSchema(const std::vector<ComponentType>& types,
                         const std::function<void(HostConfig&)>& adjust);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIGURATION_H_
