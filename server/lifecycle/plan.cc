#include "mainspring/server/lifecycle/plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mainspring {
namespace {

std::string Quoted(const std::vector<size_t>& components, const Engine& engine) {
  return absl::StrJoin(components, ", ", [&](std::string* out, size_t each) {
    absl::StrAppend(out, "\"", engine.name(each), "\"");
  });
}

// Whether it went down with what is started now, and comes back by itself. `run`: what runs or
// will.
bool ComesBack(size_t component, const Engine& engine, const std::set<size_t>& run) {
  if (!engine.is_wanted(component) || engine.state(component) != LifecycleState::kStopped ||
      engine.outlook(component) != Outlook::kNever) {
    return false;
  }
  const auto& edges = engine.graph().dependencies(component);
  return std::all_of(edges.begin(), edges.end(), [&](const auto& edge) {
    return !edge.hard || engine.outlook(edge.component) != Outlook::kNever ||
           run.count(edge.component) != 0;
  });
}

absl::StatusOr<std::vector<Step>> PlanStart(const Order& order, const Engine& engine) {
  std::vector<Step> steps;
  std::set<size_t> run;  // or will
  std::vector<size_t> missing;
  for (const size_t each : engine.graph().HardDependencies(order.component)) {
    if (engine.outlook(each) == Outlook::kNever) {
      missing.push_back(each);
      steps.push_back({Step::Action::kStart, each});
    }
    run.insert(each);
  }
  if (!missing.empty() && !order.cascade) {
    return absl::FailedPreconditionError(absl::StrCat(
        "component \"", engine.name(order.component), "\": needs ", Quoted(missing, engine),
        missing.size() == 1 ? ", which does" : ", which do", " not run; start ",
        missing.size() == 1 ? "it" : "them", " first, or ask with cascade"));
  }
  if (engine.state(order.component) == LifecycleState::kRunning &&
      !engine.goes_down(order.component)) {
    return steps;
  }
  steps.push_back({Step::Action::kStart, order.component});
  run.insert(order.component);
  std::vector<size_t> started = std::move(missing);
  started.push_back(order.component);
  for (const size_t each : engine.graph().HardDependents(started)) {
    if (run.count(each) != 0 || !ComesBack(each, engine, run)) continue;
    steps.push_back({Step::Action::kStart, each});
    run.insert(each);
  }
  return steps;
}

absl::StatusOr<std::vector<Step>> PlanStop(const Order& order, const Engine& engine) {
  std::vector<size_t> dependents = engine.graph().HardDependents(order.component);
  std::erase_if(dependents, [&](size_t each) { return IsDown(engine.state(each)); });
  if (!dependents.empty() && !order.cascade) {
    return absl::FailedPreconditionError(absl::StrCat(
        "component \"", engine.name(order.component), "\": ", Quoted(dependents, engine),
        dependents.size() == 1 ? " depends" : " depend",
        " on it and would stop too; ask with cascade"));
  }
  std::vector<Step> steps;
  for (auto each = dependents.rbegin(); each != dependents.rend(); ++each) {
    steps.push_back({Step::Action::kStop, *each});
  }
  if (!IsDown(engine.state(order.component))) {
    steps.push_back({Step::Action::kStop, order.component});
  }
  return steps;
}

// What stops for it and is wanted comes back, in reverse.
absl::StatusOr<std::vector<Step>> PlanRestart(const Order& order, const Engine& engine) {
  absl::StatusOr<std::vector<Step>> steps = PlanStop(order, engine);
  if (!steps.ok()) return steps;
  std::vector<Step> starts = {{Step::Action::kStart, order.component}};
  for (auto each = steps->rbegin(); each != steps->rend(); ++each) {
    if (each->component == order.component || !engine.is_wanted(each->component)) continue;
    starts.push_back({Step::Action::kStart, each->component});
  }
  steps->insert(steps->end(), starts.begin(), starts.end());
  return steps;
}

}  // namespace

absl::StatusOr<std::vector<Step>> Plan(const Order& order, const Engine& engine) {
  switch (order.command) {
    case Command::kStop:
      return PlanStop(order, engine);
    case Command::kRestart:
      if (HasInstance(engine.state(order.component))) return PlanRestart(order, engine);
      break;
    case Command::kStart:
      break;
  }
  return PlanStart(order, engine);
}

}  // namespace mainspring
