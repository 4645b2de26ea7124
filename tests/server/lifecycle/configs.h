// Configurations of components in tests.
#ifndef MAINSPRING_TESTS_SERVER_LIFECYCLE_CONFIGS_H_
#define MAINSPRING_TESTS_SERVER_LIFECYCLE_CONFIGS_H_

#include <string>
#include <vector>

#include "mainspring/server/config/host_config.h"

namespace mainspring::testing {

// Depends on `dependencies`, hard; "?x" is a soft one on x.
inline ComponentConfig HookedConfig(const std::string& name,
                                    const std::vector<std::string>& dependencies = {}) {
  ComponentConfig config;
  config.name = name;
  config.type = "hooked";
  config.on_exception = OnException::kRestart;
  for (const std::string& each : dependencies) {
    const bool hard = each[0] != '?';
    config.depends_on.push_back({hard ? each : each.substr(1), hard});
  }
  return config;
}

// What a configuration is adjusted by.
inline void NotEssential(ComponentConfig& config) { config.essential = false; }
inline void Temporary(ComponentConfig& config) { config.restart.kind = RestartKind::kTemporary; }

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_LIFECYCLE_CONFIGS_H_
