// HostChanges: what is to be done with the components of a host so that it runs with another
// configuration.
#ifndef MAINSPRING_SERVER_CONFIG_HOST_CHANGES_H_
#define MAINSPRING_SERVER_CONFIG_HOST_CHANGES_H_

#include <set>
#include <string>
#include <vector>

#include "mainspring/config/v1/config.pb.h"
#include "mainspring/server/config/host_config.h"

namespace mainspring {

struct HostChanges {
  // Field by field, but for components' sections; each by its path in a file.
  std::vector<config::v1::FieldChange> fields;
  // Those that their settings' changes restart, by their names.
  std::vector<std::string> restarting;
  // All components of which anything changes, and "" where anything else of the host does.
  std::set<std::string> names;

  bool changes_components() const;
};

HostChanges Compare(const HostConfig& before, const HostConfig& after);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_HOST_CHANGES_H_
