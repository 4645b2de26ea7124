#include "mainspring/server/config/sections.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/server/config/nearest_name.h"

namespace mainspring {

void CheckSections(const HostConfig& config, const Sections& sections, Problems& problems) {
  std::vector<std::string> names;
  for (const auto& [name, prototype] : sections) names.push_back(name);
  for (size_t i = 0; i < config.components.size(); ++i) {
    const ComponentConfig& component = config.components[i];
    const std::string path = ComponentPath(config.components, i);
    const auto type = sections.find(component.type);
    if (type == sections.end()) {
      problems.Add(absl::StrCat(path, ".type"), "no component type \"",
                   absl::CHexEscape(component.type.substr(0, 64)), "\"",
                   DidYouMean(component.type, names),
                   "; there are: ", absl::StrJoin(NearestFirst(component.type, names), ", "));
      continue;
    }
    if (component.config == nullptr) continue;
    if (type->second == nullptr) {
      problems.Add(absl::StrCat(path, ".config"), "its type takes none; leave it out");
    } else if (component.config->GetDescriptor() != type->second->GetDescriptor()) {
      problems.Add(absl::StrCat(path, ".config"), "is a ",
                   component.config->GetDescriptor()->full_name(), ", and not a ",
                   type->second->GetDescriptor()->full_name());
    }
  }
}

}  // namespace mainspring
