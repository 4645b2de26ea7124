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

HealthSnapshot SnapshotOf(const ComponentTable& components, bool host_alive, bool draining) {
  bool ready = !draining;
  bool alive = host_alive;
  bool started = true;
  std::map<std::string, bool> services;
  HealthSnapshot snapshot;
  for (size_t i = 0; i < components.size(); ++i) {
    const bool serving = components.IsServing(i) && !draining;
    if (components.essential(i) && !serving) ready = false;
    if (components.IsPastStallLimit(i)) alive = false;
    if (components.config(i).autostart && !components.HasBeenRunning(i)) started = false;
    services[components.service(i)] |= serving;
    Add(snapshot, components.name(i), serving);
  }
  for (const auto& [service, serving] : services) Add(snapshot, service, serving);
  Add(snapshot, "", ready);
  Add(snapshot, "readiness", ready);
  Add(snapshot, "liveness", alive);
  Add(snapshot, "startup", started);
  return snapshot;
}

}  // namespace mainspring
