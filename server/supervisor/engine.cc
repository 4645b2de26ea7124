#include "mainspring/server/supervisor/engine.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mainspring {

Engine::Engine(DependencyGraph graph, std::vector<Member> members, Conductor& conductor)
    : conductor_(conductor), standings_(std::move(graph)) {
  units_.reserve(members.size());
  for (Member& member : members) units_.emplace_back(std::move(member));
}

void Engine::SetGraph(DependencyGraph graph, std::vector<Member> members) {
  standings_.SetGraph(std::move(graph));
  for (size_t i = 0; i < members.size(); ++i) {
    if (i < units_.size()) {
      units_[i].budget.SetPolicy(members[i].restart);
    } else {
      units_.emplace_back(std::move(members[i]));
    }
  }
  for (size_t i = 0; i < units_.size(); ++i) {
    Touch(i);
    Move(i);
  }
}

void Engine::WantUp(size_t component, const std::string& why) {
  // One that is up already goes on with the budget that it has.
  if (state(component) != LifecycleState::kStarting &&
      state(component) != LifecycleState::kRunning) {
    standings_.wish(component).again = true;
    units_[component].budget.Reset();
  }
  SetWanted(component, true, why);
}

void Engine::WantDown(size_t component, const std::string& why) {
  standings_.wish(component).again = false;
  standings_.wish(component).restarting = false;
  SetWanted(component, false, why);
}

void Engine::WantRestart(size_t component, const std::string& why) {
  standings_.wish(component).restarting = true;
  units_[component].budget.Reset();
  SetWanted(component, true, why);
}

void Engine::SetWanted(size_t component, bool wanted, const std::string& why) {
  standings_.wish(component).wanted = wanted;
  units_[component].why = why;
  Touch(component);
  Move(component);
}

std::optional<absl::Duration> Engine::OnFailure(size_t component, SteadyTime now,
                                                absl::Duration ran, double random) {
  // Whoever asked for it before asked for what has now failed.
  standings_.wish(component).again = false;
  return units_[component].budget.OnFailure(now, ran, random);
}

void Engine::EndBackoff(size_t component) {
  Wish& wish = standings_.wish(component);
  // An operator may have asked for it meanwhile.
  if (wish.restarting) return;
  if (!std::exchange(wish.again, true)) units_[component].why = "started again after a failure";
  Touch(component);
}

LifecycleState Engine::Apply(size_t component, LifecycleChange change) {
  const LifecycleState from = state(component);
  const std::optional<LifecycleState> to = NextState(from, change);
  if (!to.has_value()) {
    throw std::logic_error(absl::StrCat("component \"", name(component), "\": ", Name(from),
                                        " does not allow \"", Name(change), "\""));
  }
  // There is no thread that could run another instance.
  if (change == LifecycleChange::kStuck) standings_.wish(component).restarting = false;
  if (IsDown(from) && !IsDown(*to)) ++up_;
  if (!IsDown(from) && IsDown(*to)) --up_;
  standings_.SetState(component, *to);
  Touch(component);
  Move(component);
  return *to;
}

bool Engine::Settle() {
  if (std::exchange(settling_, true)) return false;
  do {
    while (!looks_.empty() || !acts_.empty()) {
      // First what everyone is about to do, then what is to be done: a component must not stop
      // before those that depend on it know that they do.
      if (!looks_.empty()) {
        const size_t component = looks_.front();
        looks_.pop_front();
        units_[component].looks = false;
        Look(component);
      } else {
        const size_t component = acts_.front();
        acts_.pop_front();
        units_[component].acts = false;
        Act(component);
      }
    }
    const std::vector<size_t> moved = std::exchange(moved_, {});
    for (const size_t each : moved) units_[each].moved = false;
    conductor_.OnSettled(moved);
  } while (!looks_.empty() || !acts_.empty());
  settling_ = false;
  return true;
}

void Engine::Touch(size_t component) {
  const auto look = [this](size_t each) {
    if (!std::exchange(units_[each].looks, true)) looks_.push_back(each);
  };
  const auto act = [this](size_t each) {
    if (!std::exchange(units_[each].acts, true)) acts_.push_back(each);
  };
  look(component);
  act(component);
  for (const auto& edge : graph().dependents(component)) {
    look(edge.component);
    act(edge.component);
  }
  for (const auto& edge : graph().dependencies(component)) act(edge.component);
}

void Engine::Move(size_t component) {
  if (!std::exchange(units_[component].moved, true)) moved_.push_back(component);
}

void Engine::Look(size_t component) {
  if (!standings_.Look(component)) return;
  Touch(component);
  Move(component);
}

void Engine::Act(size_t component) {
  Wish& wish = standings_.wish(component);
  std::string& why = units_[component].why;
  if (standings_.MayStop(component)) {
    const std::string why_down = WhyDown(component);
    if (wish.wanted && !wish.restarting) why = "what it depends on runs again";
    conductor_.Stop(component, why_down);
  } else if (wish.restarting && IsDown(state(component))) {
    wish.restarting = false;
    wish.again = true;
    Touch(component);
  } else if (standings_.MayStart(component)) {
    wish.again = false;
    conductor_.Start(component, why);
  }
}

std::string Engine::WhyDown(size_t component) const {
  const Wish& wish = standings_.wish(component);
  if (!wish.wanted || wish.restarting) return why(component);
  for (const auto& edge : graph().dependencies(component)) {
    if (!edge.hard) continue;
    if (IsDown(state(edge.component))) {
      return absl::StrCat("its dependency \"", name(edge.component), "\" is ",
                          Name(state(edge.component)));
    }
    if (goes_down(edge.component)) {
      return absl::StrCat("its dependency \"", name(edge.component), "\" goes down");
    }
  }
  return why(component);
}

}  // namespace mainspring
