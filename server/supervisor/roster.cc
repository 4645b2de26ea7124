// The part of the supervisor that changes who there is, and with which settings.
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/server/supervisor/supervisor.h"

namespace mainspring {

// By their numbers. Those that are not here any more keep theirs, and need nobody.
std::vector<ComponentConfig> Supervisor::Configs() const {
  std::vector<ComponentConfig> configs;
  for (size_t i = 0; i < table_.size(); ++i) {
    ComponentConfig& config = configs.emplace_back(table_.config(i));
    if (table_.is_here(i) && !status(i).removed) continue;
    config.essential = false;
    if (!table_.is_here(i)) config.depends_on.clear();
  }
  return configs;
}

absl::Status Supervisor::Adopt(const Roster& roster) {
  if (ending_ || host_drains_) return absl::UnavailableError("the host drains");
  std::vector<bool> stays(table_.size());
  std::vector<ComponentConfig> configs = Configs();
  for (const auto& [number, config] : roster.staying) {
    configs[number] = config;
    stays[number] = true;
  }
  for (const Roster::Joining& each : roster.joining) {
    const size_t number = table_.LastNumberOf(each.config.name).value_or(configs.size());
    if (number == configs.size()) configs.emplace_back();
    configs[number] = each.config;
  }
  absl::StatusOr<DependencyGraph> graph = DependencyGraph::Build(configs);
  if (!graph.ok()) return graph.status();

  std::vector<size_t> leaving;
  for (const size_t each : table_.numbers()) {
    if (!stays[each] && !status(each).removed) leaving.push_back(each);
  }
  for (const size_t each : leaving) configs[each].essential = false;
  for (const auto& [number, config] : roster.staying) {
    table_.Configure(number, config);
    table_.mailbox(number).SetOptions(config.mailbox);
  }
  std::vector<size_t> joining;
  for (const Roster::Joining& each : roster.joining) {
    each.mailbox->SetOptions(each.config.mailbox);
    joining.push_back(table_.Add(each.config, each.services, each.mailbox, each.set));
  }
  SetGraph(*std::move(graph), configs);
  for (const size_t each : joining) Join(each);
  for (const size_t each : leaving) Leave(each);
  Settle();
  return absl::OkStatus();
}

void Supervisor::SetGraph(DependencyGraph graph, const std::vector<ComponentConfig>& configs) {
  std::vector<bool> essential;
  for (const ComponentConfig& each : configs) essential.push_back(each.essential);
  essential = graph.Essential(std::move(essential));
  for (size_t i = 0; i < essential.size(); ++i) table_.SetEssential(i, essential[i]);
  engine_.SetGraph(std::move(graph), MembersOf(table_));
  while (units_.size() < table_.size()) units_.emplace_back();
  for (const size_t each : table_.numbers()) options_.health.on_change(each);
  WatchStalls();
}

// One that was here before may have failed then.
void Supervisor::Join(size_t component) {
  constexpr char kWhy[] = "is in the configuration now";
  Unit& unit = units_[component];
  const bool is_stuck = unit.stuck;
  if (unit.timer.has_value()) context_.Cancel(*unit.timer);
  unit = Unit();
  unit.status = table_.status(component);
  unit.stuck = is_stuck;
  Update(component, [this, component, kWhy](ComponentStatus& status) {
    status.state = state(component);
    status.since = context_.WallNow();
    status.reason = kWhy;
  });
  table_.mailbox(component).Close(Unavailable(component));
  Happened(component, TrafficChange::kAdd, kWhy);
  if (table_.config(component).autostart) WantUp(component, kWhy);
}

void Supervisor::Leave(size_t component) {
  Update(component, [](ComponentStatus& status) { status.removed = true; });
  table_.BeginLeaving(component);
  const auto stop = [this, component] { WantDown(component, "is no more in the configuration"); };
  const SteadyTime now = context_.Now();
  const SteadyTime until = HasLameDuck(component) ? BeginLeaving(component) : now;
  if (until <= now) return stop();
  context_.After(Between(now, until), [this, component, stop] {
    // It may have ended itself meanwhile, gone, and come back.
    if (!status(component).removed) return;
    stop();
    Settle();
  });
}

void Supervisor::Forget(size_t component) {
  const std::string why = "is no more in the configuration";
  table_.mailbox(component).Close(Refusal("COMPONENT_DOWN", component, why));
  Happened(component, TrafficChange::kRemove, why);
  table_.Remove(component);
  const std::vector<ComponentConfig> configs = Configs();
  // Without one that nobody needs, what was right is right.
  SetGraph(*DependencyGraph::Build(configs), configs);
  options_.health.on_change(component);
  Settle();
}

absl::Status Supervisor::CheckStays(size_t component) const {
  if (table_.is_here(component) && !status(component).removed) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("component \"", table_.name(component), "\" is no more in the configuration"));
}

}  // namespace mainspring
