#include "server/supervisor/supervisor.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/text.h"

namespace mainspring {
namespace {

// Failures that are shown with a component.
constexpr size_t kFailuresShown = 10;
constexpr absl::Duration kLongestStallCheck = absl::Seconds(1);
constexpr absl::Duration kShortestStallCheck = absl::Milliseconds(50);

std::string Ordinal(int number) {
  const int tens = number % 100;
  if (tens >= 11 && tens <= 13) return absl::StrCat(number, "th");
  const char* const endings[] = {"th", "st", "nd", "rd"};
  return absl::StrCat(number, number % 10 < 4 ? endings[number % 10] : "th");
}

}  // namespace

Supervisor::Supervisor(Context& context, const SupervisorParts& parts)
    : LifecycleComponent(context),
      parts_(parts),
      standings_(parts.graph),
      history_(parts.event_history),
      watchers_(
          history_, parts.incarnation, parts.max_watchers, [this] { return this->context().Now(); },
          [this] {
            std::vector<lifecycle::v1::Component> components;
            for (size_t i = 0; i < units_.size(); ++i) components.push_back(Summarize(i));
            return components;
          }),
      to_look_(parts.table.size(), false),
      to_act_(parts.table.size(), false) {
  for (size_t i = 0; i < parts_.table.size(); ++i) {
    units_.emplace_back(parts_.table.config(i).restart);
  }
}

absl::Status Supervisor::Start() {
  absl::Duration interval = kLongestStallCheck;
  for (size_t i = 0; i < units_.size(); ++i) {
    parts_.table.mailbox(i).Close(Unavailable(i));
    const ComponentConfig& config = parts_.table.config(i);
    interval = std::min(interval, std::min(config.stall_warning, config.stall_limit) / 2);
  }
  context().Every(std::max(interval, kShortestStallCheck), [this] { CheckStalls(); });
  return absl::OkStatus();
}

void Supervisor::StopAll(StopCallback callback) {
  stop_callback_ = std::move(callback);
  AbandonStart();
  for (Unit& unit : units_) unit.refused = 0;
  WantNothing("the host stops");
  Settle();
}

// From here on nobody is obeyed any more.
void Supervisor::WantNothing(const std::string& why) {
  ending_ = true;
  for (Operation* operation : operations_.UnderWay()) End(*operation, Ending());
  for (size_t i = 0; i < units_.size(); ++i) {
    wish(i).restarting = false;
    wish(i).again = false;
    SetWanted(i, false, why);
  }
}

void Supervisor::Started(size_t component, uint64_t generation, const absl::Status& status) {
  if (generation != parts_.table.status(component).generation) return;
  units_[component].hung = false;
  if (state(component) != LifecycleState::kStarting) return;
  if (status.ok()) {
    Change(component, LifecycleChange::kStarted, "started");
  } else {
    const std::string error = BoundedText(status.ToString());
    // The reason has more to say; the failure has all of the error.
    FailedOnce(component, absl::StrCat("did not start: ", BoundedText(error, kMaxText / 2)),
               {context().WallNow(), "Start", error, ""});
  }
  Settle();
}

void Supervisor::Stopped(size_t component, uint64_t generation, size_t refused) {
  if (generation != parts_.table.status(component).generation) return;
  units_[component].hung = false;
  if (state(component) != LifecycleState::kStopping) return;
  units_[component].refused += refused;
  Change(component, LifecycleChange::kStopped, parts_.table.status(component).reason);
  Settle();
}

void Supervisor::Failed(size_t component, uint64_t generation, const Failure& failure) {
  parts_.log.Error("failure", {{"component", parts_.table.name(component)},
                               {"during", failure.during},
                               {"request_id", failure.request_id},
                               {"what", failure.error}});
  if (generation != parts_.table.status(component).generation) return;
  units_[component].hung = false;
  // Elsewhere it is on its way out already, or was given up on.
  if (state(component) != LifecycleState::kRunning &&
      state(component) != LifecycleState::kStarting) {
    return;
  }
  FailedOnce(component, absl::StrCat("failed in ", failure.during),
             {context().WallNow(), failure.during, failure.error, failure.request_id});
  Settle();
}

void Supervisor::Finished(size_t component, uint64_t generation) {
  if (generation != parts_.table.status(component).generation ||
      state(component) != LifecycleState::kRunning) {
    return;
  }
  if (parts_.table.config(component).restart.kind == RestartKind::kPermanent) {
    FailedOnce(component, "ended itself, and is permanent",
               {context().WallNow(), "Finish", "ended itself", ""});
  } else {
    SetWanted(component, false, "finished");
    Change(component, LifecycleChange::kFinished, "finished");
  }
  Settle();
}

// What is to happen follows from the failure alone; the state, the reason and the schedule say so.
void Supervisor::FailedOnce(size_t component, const std::string& reason,
                            const FailureRecord& record) {
  Unit& unit = units_[component];
  const RestartPolicy& policy = parts_.table.config(component).restart;
  // Whoever asked for it before asked for what has now failed.
  wish(component).again = false;
  const absl::Duration ran = state(component) == LifecycleState::kRunning
                                 ? Between(unit.running_since, context().Now())
                                 : absl::ZeroDuration();
  const std::optional<absl::Duration> backoff =
      unit.budget.OnFailure(context().Now(), ran, parts_.random());
  parts_.table.Update(component, [&](ComponentStatus& status) {
    status.last_error = BoundedText(absl::StrCat(record.error, " (in ", record.during, ")"));
    status.failures.push_back(record);
    if (status.failures.size() > kFailuresShown) status.failures.pop_front();
    if (backoff.has_value()) status.next_restart = record.time + *backoff;
  });
  if (backoff.has_value()) {
    Change(component, LifecycleChange::kFail,
           absl::StrCat(reason, "; started again in ",
                        absl::FormatDuration(absl::Floor(*backoff, absl::Milliseconds(1)))));
    SetTimer(component, *backoff, [this, component] {
      // An operator may have asked for it meanwhile.
      if (wish(component).restarting) return;
      if (!std::exchange(wish(component).again, true)) {
        units_[component].why = "started again after a failure";
      }
      Touch(component);
      Settle();
    });
    return;
  }
  const std::string why =
      policy.kind == RestartKind::kTemporary
          ? absl::StrCat(reason, "; is temporary, so not started again")
          : absl::StrCat(reason, "; the ", Ordinal(policy.max_failures), " failure within ",
                         absl::FormatDuration(policy.period));
  Change(component, LifecycleChange::kGiveUp, why);
}

// The only place where a state is written: what follows from a change, follows here.
void Supervisor::Change(size_t component, LifecycleChange change, std::string reason) {
  const LifecycleState from = state(component);
  const std::optional<LifecycleState> next = NextState(from, change);
  const std::string& name = parts_.table.name(component);
  if (!next.has_value()) {
    throw std::logic_error(absl::StrCat("component \"", name, "\": ", Name(from),
                                        " does not allow \"", Name(change), "\""));
  }
  const LifecycleState to = *next;
  Unit& unit = units_[component];
  if (unit.timer.has_value()) context().Cancel(*std::exchange(unit.timer, std::nullopt));
  if (IsDown(from) && !IsDown(to)) ++up_;
  if (!IsDown(from) && IsDown(to)) --up_;
  if (from == LifecycleState::kRunning) LeaveRunning(component, to);
  parts_.table.Update(component, [&](ComponentStatus& status) {
    status.state = to;
    status.since = context().WallNow();
    status.reason = reason;
    status.paused = false;
    if (to == LifecycleState::kStarting) ++status.generation;
    if (to == LifecycleState::kRunning) status.has_been_running = true;
    if (to != LifecycleState::kBackoff) status.next_restart = absl::InfiniteFuture();
  });
  standings_.SetState(component, to);
  const ComponentStatus& status = parts_.table.status(component);
  history_.Add({0, status.since, name, status.generation, from, to, reason});
  parts_.log.Write(to == LifecycleState::kFailed ? Severity::kError : Severity::kInfo, "state",
                   {{"component", name},
                    {"generation", status.generation},
                    {"from", Name(from)},
                    {"to", Name(to)},
                    {"reason", reason}});
  const absl::Status unavailable = Unavailable(component);
  MailboxBase& mailbox = parts_.table.mailbox(component);
  switch (to) {
    case LifecycleState::kStarting:
      EnterStarting(component);
      break;
    case LifecycleState::kRunning:
      EnterRunning(component);
      break;
    case LifecycleState::kStopping:
      EnterStopping(component, unavailable);
      break;
    case LifecycleState::kBackoff:
      // Calls wait for the next instance.
      OpenOrClose(component);
      break;
    case LifecycleState::kStopped:
    case LifecycleState::kFailed:
      mailbox.Close(unavailable);
      mailbox.RefuseAll(unavailable);
      break;
  }
  Progress(component, change);
  Touch(component);
  Moved(component);
  watchers_.Publish();
  parts_.control.on_change(component);
  EndDrainOfDown(component);
  // In the host's own start it is that which fails.
  if (to == LifecycleState::kFailed && parts_.table.essential(component) && !ending_ &&
      !unit.starting_up) {
    parts_.control.on_essential_failure(absl::StrCat("component \"", name, "\" FAILED"));
  }
}

bool Supervisor::Happened(size_t component, EventKind kind, const std::string& why) {
  const ComponentStatus& status = parts_.table.status(component);
  history_.Add({0, context().WallNow(), parts_.table.name(component), status.generation,
                status.state, status.state, why, kind});
  watchers_.Publish();
  return parts_.control.on_change(component);
}

absl::Status Supervisor::Unavailable(size_t component) const {
  const ComponentStatus& status = parts_.table.status(component);
  return absl::UnavailableError(absl::StrCat("component \"", parts_.table.name(component),
                                             "\": ", Name(status.state), ": ", status.reason));
}

void Supervisor::EnterStarting(size_t component) {
  units_[component].hung = false;
  OpenOrClose(component);
  MailboxBase& mailbox = parts_.table.mailbox(component);
  mailbox.PushControl(control::Start{parts_.table.status(component).generation});
  SetTimer(component, parts_.table.config(component).start_timeout,
           [this, component] { StartTimedOut(component); });
}

void Supervisor::EnterRunning(size_t component) {
  units_[component].running_since = context().Now();
  // So that those who are refused are told the state that it is in now.
  if (parts_.table.status(component).draining) OpenOrClose(component);
  for (const auto& edge : parts_.graph.dependents(component)) {
    if (!IsUp(state(edge.component))) continue;
    parts_.table.mailbox(edge.component)
        .PushControl(control::Dependency{parts_.table.name(component), true});
  }
}

void Supervisor::LeaveRunning(size_t component, LifecycleState to) {
  for (const auto& edge : parts_.graph.dependents(component)) {
    if (!IsUp(state(edge.component))) continue;
    parts_.table.mailbox(edge.component)
        .PushControl(control::Dependency{parts_.table.name(component), false});
  }
  AbortDrains(component, to == LifecycleState::kBackoff
                             ? "failed meanwhile; it stays drained, so ask again"
                             : "is no longer draining");
}

void Supervisor::EnterStopping(size_t component, const absl::Status& why) {
  const absl::Duration timeout = parts_.table.config(component).stop_timeout;
  MailboxBase& mailbox = parts_.table.mailbox(component);
  mailbox.Close(why);
  mailbox.PushControl(control::Stop{After(context().Now(), timeout), OwnCopy(why)});
  SetTimer(component, timeout + kStopGrace, [this, component] { StopTimedOut(component); });
}

void Supervisor::StartTimedOut(size_t component) {
  units_[component].hung = true;
  // For the instance that its thread may yet come back with.
  parts_.table.mailbox(component).PushControl(control::Discard{});
  const std::string timeout = absl::FormatDuration(parts_.table.config(component).start_timeout);
  FailedOnce(component, absl::StrCat("did not start within ", timeout),
             {context().WallNow(), "Start", absl::StrCat("took longer than ", timeout), ""});
  Settle();
}

void Supervisor::StopTimedOut(size_t component) {
  Unit& unit = units_[component];
  unit.hung = true;
  // There is no thread that could run another instance.
  wish(component).restarting = false;
  const HungComponent hung = WhereItHangs(component);
  Change(component, LifecycleChange::kStuck,
         absl::StrCat("stuck in ", hung.method, " for ",
                      absl::FormatDuration(absl::Floor(hung.age, absl::Milliseconds(1))),
                      "; its thread does not come back"));
  Settle();
}

HungComponent Supervisor::WhereItHangs(size_t component) const {
  const ComponentView view = parts_.table.View(component);
  // In nothing of its author's: a machine that gives it no time, as a rule.
  if (view.method.empty()) {
    return {view.name, "its mailbox", parts_.table.config(component).stop_timeout};
  }
  return {view.name, view.method, view.in_method};
}

void Supervisor::SetTimer(size_t component, absl::Duration delay, Callback callback) {
  units_[component].timer =
      context().After(delay, [this, component, callback = std::move(callback)]() mutable {
        units_[component].timer.reset();
        callback();
      });
}

std::string Supervisor::WhyDown(size_t component) const {
  const Unit& unit = units_[component];
  const Wish& wish = standings_.wish(component);
  if (!wish.wanted || wish.restarting) return unit.why;
  for (const auto& edge : parts_.graph.dependencies(component)) {
    if (!edge.hard) continue;
    if (IsDown(state(edge.component))) {
      return absl::StrCat("its dependency \"", parts_.table.name(edge.component), "\" is ",
                          Name(state(edge.component)));
    }
    if (standings_.goes_down(edge.component)) {
      return absl::StrCat("its dependency \"", parts_.table.name(edge.component), "\" goes down");
    }
  }
  return unit.why;
}

void Supervisor::SetWanted(size_t component, bool wanted, const std::string& why) {
  parts_.table.Update(component, [&](ComponentStatus& status) { status.wanted = wanted; });
  wish(component).wanted = wanted;
  units_[component].why = why;
  Touch(component);
}

void Supervisor::Touch(size_t component) {
  const auto look = [this](size_t each) {
    if (!std::exchange(to_look_[each], true)) looks_.push_back(each);
  };
  const auto act = [this](size_t each) {
    if (!std::exchange(to_act_[each], true)) acts_.push_back(each);
  };
  look(component);
  act(component);
  for (const auto& edge : parts_.graph.dependents(component)) {
    look(edge.component);
    act(edge.component);
  }
  for (const auto& edge : parts_.graph.dependencies(component)) act(edge.component);
}

void Supervisor::Settle() {
  // A command that had to wait may be carried out in here.
  if (std::exchange(settling_, true)) return;
  do {
    while (!looks_.empty() || !acts_.empty()) {
      // First what everyone is about to do, then what is to be done: a component must not stop
      // before those that depend on it know that they do.
      std::deque<size_t>& todo = looks_.empty() ? acts_ : looks_;
      const size_t component = todo.front();
      todo.pop_front();
      if (&todo == &looks_) {
        to_look_[component] = false;
        Look(component);
      } else {
        to_act_[component] = false;
        Act(component);
      }
    }
    CheckOperations();
    ResumeWaiting();
  } while (!looks_.empty() || !acts_.empty());
  settling_ = false;
  CheckStartup();
  CheckDown();
}

void Supervisor::Look(size_t component) {
  if (!standings_.Look(component)) return;
  Touch(component);
  Moved(component);
}

void Supervisor::Moved(size_t component) {
  if (!std::exchange(units_[component].moved, true)) moved_.push_back(component);
}

void Supervisor::Act(size_t component) {
  Unit& unit = units_[component];
  Wish& wish = standings_.wish(component);
  if (standings_.MayStop(component)) {
    const std::string why = WhyDown(component);
    if (wish.wanted && !wish.restarting) unit.why = "what it depends on runs again";
    return Change(component, LifecycleChange::kStop, why);
  }
  if (wish.restarting && IsDown(state(component))) {
    wish.restarting = false;
    wish.again = true;
    return Touch(component);
  }
  if (standings_.MayStart(component)) {
    wish.again = false;
    Change(component, LifecycleChange::kStart, unit.why);
  }
}

void Supervisor::CheckDown() {
  if (stop_callback_ == nullptr || up_ != 0) return;
  StopReport report;
  for (size_t i = 0; i < units_.size(); ++i) {
    report.refused_calls += units_[i].refused;
    if (!units_[i].hung) continue;
    report.hung.push_back(WhereItHangs(i));
  }
  std::exchange(stop_callback_, nullptr)(std::move(report));
}

void Supervisor::CheckStalls() {
  for (size_t i = 0; i < units_.size(); ++i) {
    Unit& unit = units_[i];
    if (parts_.table.mailbox(i).thread_status().doing() == nullptr && !unit.stall_told &&
        !unit.past_limit) {
      continue;
    }
    const ComponentView view = parts_.table.View(i);
    if (view.past_limit != std::exchange(unit.past_limit, view.past_limit)) {
      parts_.control.on_stall(i, view.past_limit);
    }
    if (view.stalled == std::exchange(unit.stall_told, view.stalled)) continue;
    parts_.log.Warning("stall", {{"component", view.name},
                                 {"state", view.stalled ? "stalled" : "over"},
                                 {"method", view.method},
                                 {"in_method_ms", view.in_method}});
  }
}

}  // namespace mainspring
