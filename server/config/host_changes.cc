#include "mainspring/server/config/host_changes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mainspring/server/config/config_diff.h"
#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/config/message_reader.h"

namespace mainspring {
namespace {

using config::v1::FieldChange;

constexpr char kComponents[] = "components";

// Without its section, which has a life of its own.
host::v1::Component MessageOf(const ComponentConfig& component) {
  HostConfig config;
  config.components = {component};
  host::v1::Component message = ToMessage(config).components(0);
  message.clear_config();
  return message;
}

host::v1::HostConfig WithoutComponents(HostConfig config) {
  config.components.clear();
  return ToMessage(config);
}

std::string PathOf(const std::string& component) {
  return ItemPath(kComponents, 0, component, /*is_first=*/true);
}

FieldChange TypeChange(const std::string& name, const std::string& before, const std::string& after,
                       config::v1::Effect effect) {
  FieldChange change;
  change.set_path(absl::StrCat(PathOf(name), ".type"));
  change.set_old_value(before);
  change.set_new_value(after);
  change.set_effect(effect);
  return change;
}

// Its type, and what is not as it is for who says nothing.
void Comes(const ComponentConfig& component, HostChanges& changes) {
  changes.names.insert(component.name);
  changes.fields.push_back(TypeChange(component.name, "", component.type, config::v1::EFFECT_LIVE));
  ComponentConfig plain;
  plain.name = component.name;
  plain.type = component.type;
  for (FieldChange& change : DiffConfig("", MessageOf(plain), MessageOf(component))) {
    change.set_path(absl::StrCat(PathOf(component.name), ".", change.path()));
    change.clear_old_value();
    change.set_effect(config::v1::EFFECT_LIVE);
    changes.fields.push_back(std::move(change));
  }
}

void CompareComponents(const ComponentConfig& before, const ComponentConfig& after,
                       HostChanges& changes) {
  bool restarts = false;
  for (FieldChange& change : DiffConfig("", MessageOf(before), MessageOf(after))) {
    changes.names.insert(after.name);
    restarts = restarts || change.effect() == config::v1::EFFECT_RESTARTS_COMPONENT;
    change.set_path(absl::StrCat(PathOf(after.name), ".", change.path()));
    changes.fields.push_back(std::move(change));
  }
  // One of another type is another component.
  if (before.type == after.type && restarts) changes.restarting.push_back(after.name);
}

}  // namespace

bool HostChanges::changes_components() const {
  return std::any_of(fields.begin(), fields.end(), [](const FieldChange& each) {
    return absl::StartsWith(each.path(), kComponents);
  });
}

HostChanges Compare(const HostConfig& before, const HostConfig& after) {
  HostChanges changes;
  changes.fields = DiffConfig("", WithoutComponents(before), WithoutComponents(after));
  if (!changes.fields.empty()) changes.names.insert("");
  for (const ComponentConfig& each : after.components) {
    if (const ComponentConfig* const known = before.Find(each.name)) {
      CompareComponents(*known, each, changes);
    } else {
      Comes(each, changes);
    }
  }
  for (const ComponentConfig& each : before.components) {
    if (after.Find(each.name) != nullptr) continue;
    changes.names.insert(each.name);
    changes.fields.push_back(
        TypeChange(each.name, each.type, "", config::v1::EFFECT_RESTARTS_COMPONENT));
  }
  return changes;
}

}  // namespace mainspring
