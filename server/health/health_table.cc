#include "server/health/health_table.h"

#include <map>
#include <string>

namespace mainspring {
namespace {

void Add(HealthSnapshot& snapshot, const std::string& name, bool serving) {
  const auto [entry, is_new] = snapshot.emplace(name, serving);
  if (!is_new) entry->second = entry->second && serving;
}

}  // namespace

HealthSnapshot SnapshotOf(const std::vector<ComponentView>& components, bool draining) {
  bool ready = !draining;
  bool alive = true;
  bool started = true;
  std::map<std::string, bool> services;
  HealthSnapshot snapshot;
  for (const ComponentView& component : components) {
    const bool running = component.state == LifecycleState::kRunning && !draining;
    if (component.essential && !running) ready = false;
    if (component.stalled) alive = false;
    if (!component.has_been_running) started = false;
    services[component.service] |= running;
    Add(snapshot, component.name, running);
  }
  for (const auto& [service, serving] : services) Add(snapshot, service, serving);
  Add(snapshot, "", ready);
  Add(snapshot, "readiness", ready);
  Add(snapshot, "liveness", alive);
  Add(snapshot, "startup", started);
  return snapshot;
}

}  // namespace mainspring
