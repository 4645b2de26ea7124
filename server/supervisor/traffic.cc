// The part of the supervisor that holds calls back from components that run: pauses, drains, and
// the time that clients are given before a stop.
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/server/supervisor/supervisor.h"

namespace mainspring {

bool Supervisor::Happened(size_t component, TrafficChange change, const std::string& why) {
  observer_.OnTrafficChange(component, change, why);
  return options_.health.on_change(component);
}

void Supervisor::Pause(size_t component, const std::string& why) {
  if (status(component).paused) return;
  Update(component, [](ComponentStatus& status) { status.paused = true; });
  table_.mailbox(component).PushControl(control::Pause{});
  Happened(component, TrafficChange::kPause, why);
}

void Supervisor::Resume(size_t component, const std::string& why) {
  if (!status(component).paused) return;
  Update(component, [](ComponentStatus& status) { status.paused = false; });
  table_.mailbox(component).PushControl(control::Resume{});
  Happened(component, TrafficChange::kResume, why);
}

void Supervisor::Drain(size_t component, const std::string& why) {
  if (!status(component).draining) {
    Update(component, [](ComponentStatus& status) { status.draining = true; });
    table_.mailbox(component).PushControl(control::Drain{true});
    if (Happened(component, TrafficChange::kDrain, why)) {
      units_[component].lame_duck_until = After(context_.Now(), table_.config(component).lame_duck);
    }
  }
  CloseDrained(component);
}

// When its clients have had their time; that may be the time which a stop has given them. It may
// have been undrained meanwhile, and be in the lame duck of another drain.
void Supervisor::CloseDrained(size_t component) {
  if (!status(component).draining || state(component) != LifecycleState::kRunning) return;
  const SteadyTime until = units_[component].lame_duck_until;
  if (const SteadyTime now = context_.Now(); now < until) {
    context_.After(Between(now, until), [this, component] { CloseDrained(component); });
    return;
  }
  OpenOrClose(component);
  observer_.OnClosed(component);
}

void Supervisor::Undrain(size_t component, const std::string& why) {
  if (!status(component).draining) return;
  Update(component, [](ComponentStatus& status) { status.draining = false; });
  if (!host_drains_) table_.mailbox(component).PushControl(control::Drain{false});
  units_[component].lame_duck_until = SteadyTime::min();
  if (TakesCalls(state(component))) OpenOrClose(component);
  Happened(component, TrafficChange::kUndrain, why);
}

void Supervisor::DrainHost() {
  host_drains_ = true;
  for (size_t i = 0; i < units_.size(); ++i) {
    if (TakesCalls(state(i))) table_.mailbox(i).PushControl(control::Drain{true});
  }
}

void Supervisor::SetServing(size_t component, uint64_t generation, bool serving,
                            const std::string& why) {
  // One that is starting says so before it is healthy for the first time.
  const LifecycleState now = state(component);
  if (generation != status(component).generation ||
      (now != LifecycleState::kRunning && now != LifecycleState::kStarting)) {
    return;
  }
  Update(component, [&](ComponentStatus& status) {
    status.serving = serving;
    status.why_not_serving = why;
  });
  options_.log.Write(serving ? Severity::kInfo : Severity::kWarning, "component_serving",
                     {{"component", table_.name(component)},
                      {"serving", serving ? "true" : "false"},
                      {"reason", why}});
  Happened(component, serving ? TrafficChange::kServe : TrafficChange::kUnserve, why);
}

void Supervisor::UndrainWhenStopped(size_t component) {
  units_[component].undrain_when_stopped = true;
  EndDrainOfStopped(component);
}

void Supervisor::EndDrainOfStopped(size_t component) {
  if (TakesCalls(state(component)) || !std::exchange(units_[component].undrain_when_stopped, false))
    return;
  Undrain(component, engine_.why(component));
}

// One that is up. What comes back after a failure is closed as well, while it drains.
void Supervisor::OpenOrClose(size_t component) {
  MailboxBase& mailbox = table_.mailbox(component);
  if (!status(component).draining) return mailbox.Open();
  mailbox.Close(Refusal("DRAINING", component, "draining"));
}

SteadyTime Supervisor::BeginLeaving(size_t component) {
  Unit& unit = units_[component];
  if (++unit.leaving == 1) {
    Update(component, [](ComponentStatus& status) { status.leaving = true; });
    if (options_.health.on_change(component)) {
      unit.lame_duck_until = After(context_.Now(), table_.config(component).lame_duck);
    }
  }
  // Of one that has been told to leave before, what is left of its time.
  return unit.lame_duck_until;
}

void Supervisor::EndLeaving(size_t component) {
  Unit& unit = units_[component];
  // Of one that has come back meanwhile, nobody is about to stop it.
  if (unit.leaving == 0 || --unit.leaving > 0) return;
  unit.lame_duck_until = SteadyTime::min();
  Update(component, [](ComponentStatus& status) { status.leaving = false; });
  options_.health.on_change(component);
}

}  // namespace mainspring
