#include "mainspring/server/supervisor/supervisor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/status_details.h"
#include "mainspring/text.h"

namespace mainspring {
namespace {

// Failures that are shown with a component.
constexpr size_t kFailuresShown = 10;

std::string Ordinal(int number) {
  const int tens = number % 100;
  if (tens >= 11 && tens <= 13) return absl::StrCat(number, "th");
  const char* const endings[] = {"th", "st", "nd", "rd"};
  return absl::StrCat(number, number % 10 < 4 ? endings[number % 10] : "th");
}

}  // namespace

Supervisor::Supervisor(Context& context, Options options, SupervisorObserver& observer)
    : context_(context),
      options_(std::move(options)),
      table_(options_.table),
      observer_(observer),
      engine_(options_.graph, MembersOf(table_), *this),
      stalls_(table_, options_.log, options_.health.on_stall),
      units_(table_.size()) {}

void Supervisor::Begin() {
  for (size_t i = 0; i < units_.size(); ++i) table_.mailbox(i).Close(Unavailable(i));
  WatchStalls();
}

void Supervisor::WatchStalls() {
  if (stall_timer_.has_value()) context_.Cancel(*stall_timer_);
  stall_timer_ = context_.Every(stalls_.interval(), [this] { stalls_.Look(); });
}

std::vector<Engine::Member> Supervisor::MembersOf(const ComponentTable& table) {
  std::vector<Engine::Member> members;
  members.reserve(table.size());
  for (size_t i = 0; i < table.size(); ++i) {
    members.push_back({table.name(i), table.config(i).restart});
  }
  return members;
}

void Supervisor::WantUp(size_t component, const std::string& why) {
  // Whoever leaves does so, whatever a command to others would have of it.
  if (status(component).removed) return;
  engine_.WantUp(component, why);
  Update(component, [](ComponentStatus& status) { status.wanted = true; });
}

void Supervisor::WantDown(size_t component, const std::string& why) {
  engine_.WantDown(component, why);
  Update(component, [](ComponentStatus& status) { status.wanted = false; });
}

void Supervisor::WantRestart(size_t component, const std::string& why) {
  if (status(component).removed) return;
  engine_.WantRestart(component, why);
  Update(component, [](ComponentStatus& status) { status.wanted = true; });
}

void Supervisor::Settle() {
  if (!engine_.Settle()) return;
  CheckStartup();
  CheckDown();
}

void Supervisor::OnSettled(const std::vector<size_t>& moved) {
  for (const size_t each : moved) {
    if (units_[each].starting_up) startup_moved_.push_back(each);
  }
  observer_.OnSettled(moved);
}

void Supervisor::Started(size_t component, uint64_t generation, const absl::Status& status) {
  Unit& unit = units_[component];
  if (generation != unit.status.generation) return;
  unit.stuck = false;
  if (state(component) != LifecycleState::kStarting) return;
  if (status.ok()) {
    Change(component, LifecycleChange::kStarted, "started");
  } else {
    const std::string error =
        BoundedText(status.ToString(absl::StatusToStringMode::kWithNoExtraData));
    // The reason has more to say; the failure has all of the error.
    FailedOnce(component, absl::StrCat("did not start: ", BoundedText(error, kMaxText / 2)),
               {context_.WallNow(), "Start", error, ""});
  }
  Settle();
}

void Supervisor::Stopped(size_t component, uint64_t generation, size_t refused) {
  Unit& unit = units_[component];
  if (generation != unit.status.generation) return;
  unit.stuck = false;
  if (state(component) != LifecycleState::kStopping) return;
  unit.refused += refused;
  Change(component, LifecycleChange::kStopped, unit.status.reason);
  Settle();
}

void Supervisor::Failed(size_t component, uint64_t generation, const Failure& failure) {
  options_.log.Error("failure", {{"component", table_.name(component)},
                                 {"during", failure.during},
                                 {"cost", "instance"},
                                 {"request_id", failure.request_id},
                                 {"what", failure.error}});
  Unit& unit = units_[component];
  if (generation != unit.status.generation) return;
  unit.stuck = false;
  // Elsewhere it is on its way out already, or was given up on.
  if (state(component) != LifecycleState::kRunning &&
      state(component) != LifecycleState::kStarting) {
    return;
  }
  FailedOnce(component, absl::StrCat("failed in ", failure.during),
             {context_.WallNow(), failure.during, failure.error, failure.request_id});
  Settle();
}

void Supervisor::Finished(size_t component, uint64_t generation) {
  if (generation != status(component).generation || state(component) != LifecycleState::kRunning) {
    return;
  }
  if (table_.config(component).restart.kind == RestartKind::kPermanent) {
    FailedOnce(component, "ended itself, and is permanent",
               {context_.WallNow(), "Finish", "ended itself", ""});
  } else {
    WantDown(component, "finished");
    Change(component, LifecycleChange::kFinished, "finished");
  }
  Settle();
}

// What is to happen follows from the failure alone; the state, the reason and the schedule say so.
void Supervisor::FailedOnce(size_t component, const std::string& reason,
                            const FailureRecord& record) {
  const SteadyTime now = context_.Now();
  const absl::Duration ran = state(component) == LifecycleState::kRunning
                                 ? Between(units_[component].running_since, now)
                                 : absl::ZeroDuration();
  const std::optional<absl::Duration> backoff =
      engine_.OnFailure(component, now, ran, options_.random());
  Update(component, [&](ComponentStatus& status) {
    status.last_error = BoundedText(absl::StrCat(record.error, " (in ", record.during, ")"));
    if (status.failures.size() == kFailuresShown) status.failures.erase(status.failures.begin());
    status.failures.push_back(record);
    if (backoff.has_value()) status.next_restart = record.time + *backoff;
  });
  if (backoff.has_value()) {
    Change(component, LifecycleChange::kFail,
           absl::StrCat(reason, "; started again in ",
                        absl::FormatDuration(absl::Floor(*backoff, absl::Milliseconds(1)))));
    SetTimer(component, *backoff, [this, component] {
      engine_.EndBackoff(component);
      Settle();
    });
    return;
  }
  const RestartPolicy& policy = table_.config(component).restart;
  const std::string why =
      policy.kind == RestartKind::kTemporary
          ? absl::StrCat(reason, "; is temporary, so not started again")
          : absl::StrCat(reason, "; the ", Ordinal(policy.max_failures), " failure within ",
                         absl::FormatDuration(policy.period));
  Change(component, LifecycleChange::kGiveUp, why);
}

void Supervisor::Start(size_t component, const std::string& why) {
  Change(component, LifecycleChange::kStart, why);
}

void Supervisor::Stop(size_t component, const std::string& why) {
  Change(component, LifecycleChange::kStop, why);
}

// The only place where a state is written: what follows from a change, follows here.
void Supervisor::Change(size_t component, LifecycleChange change, const std::string& reason) {
  const LifecycleState from = state(component);
  const LifecycleState to = engine_.Apply(component, change);
  Unit& unit = units_[component];
  if (unit.timer.has_value()) context_.Cancel(*std::exchange(unit.timer, std::nullopt));
  Update(component, [&](ComponentStatus& status) {
    status.state = to;
    status.since = context_.WallNow();
    status.reason = reason;
    status.paused = false;
    if (to == LifecycleState::kStarting) ++status.generation;
    if (to != LifecycleState::kRunning) {
      status.serving = true;
      status.why_not_serving.clear();
    }
    if (to == LifecycleState::kRunning) status.has_been_running = true;
    if (to != LifecycleState::kBackoff) status.next_restart = absl::InfiniteFuture();
  });
  const std::string& name = table_.name(component);
  options_.log.Write(to == LifecycleState::kFailed ? Severity::kError : Severity::kInfo, "state",
                     {{"component", name},
                      {"generation", unit.status.generation},
                      {"from", Name(from)},
                      {"to", Name(to)},
                      {"reason", reason}});
  if (from == LifecycleState::kRunning) TellDependents(component, false);
  Enter(component, to);
  observer_.OnStateChange(component, from, change);
  options_.health.on_change(component);
  EndDrainOfStopped(component);
  // In the host's own start it is that which fails.
  if (to == LifecycleState::kFailed && table_.essential(component) && !ending_ &&
      !unit.starting_up) {
    options_.health.on_essential_failure(absl::StrCat("component \"", name, "\" FAILED"));
  }
}

void Supervisor::Enter(size_t component, LifecycleState state) {
  switch (state) {
    case LifecycleState::kStarting:
      EnterStarting(component);
      break;
    case LifecycleState::kRunning:
      EnterRunning(component);
      break;
    case LifecycleState::kStopping:
      EnterStopping(component);
      break;
    case LifecycleState::kBackoff:
      // Calls wait for the next instance.
      OpenOrClose(component);
      break;
    case LifecycleState::kStopped:
    case LifecycleState::kFailed: {
      const absl::Status unavailable = Unavailable(component);
      table_.mailbox(component).Close(unavailable);
      table_.mailbox(component).RefuseAll(unavailable);
      break;
    }
  }
}

absl::Status Supervisor::Unavailable(size_t component) const {
  return Refusal("COMPONENT_DOWN", component, status(component).reason);
}

absl::Status Supervisor::Refusal(absl::string_view reason, size_t component,
                                 absl::string_view why) const {
  const std::string& name = table_.name(component);
  const absl::string_view in = Name(status(component).state);
  return WithReason(
      absl::UnavailableError(absl::StrCat("component \"", name, "\": ", in, ": ", why)), reason,
      name, kRetryWhenDown, in);
}

void Supervisor::EnterStarting(size_t component) {
  units_[component].stuck = false;
  OpenOrClose(component);
  MailboxBase& mailbox = table_.mailbox(component);
  // The section is that which is in force when the instance is made.
  mailbox.PushControl(control::Start{status(component).generation,
                                     table_.config(component).on_exception,
                                     [this, component] { return table_.section(component); }});
  if (host_drains_ || status(component).draining) mailbox.PushControl(control::Drain{true});
  SetTimer(component, table_.config(component).start_timeout,
           [this, component] { StartTimedOut(component); });
}

void Supervisor::EnterRunning(size_t component) {
  units_[component].running_since = context_.Now();
  // So that those who are refused are told the state that it is in now.
  if (status(component).draining) OpenOrClose(component);
  TellDependents(component, true);
}

void Supervisor::EnterStopping(size_t component) {
  const absl::Status why = Unavailable(component);
  const absl::Duration timeout = table_.config(component).stop_timeout;
  MailboxBase& mailbox = table_.mailbox(component);
  mailbox.Close(why);
  mailbox.PushControl(control::Stop{After(context_.Now(), timeout), OwnCopy(why)});
  SetTimer(component, timeout + kStopGrace, [this, component] { StopTimedOut(component); });
}

void Supervisor::TellDependents(size_t component, bool runs) {
  for (const auto& edge : engine_.graph().dependents(component)) {
    if (!TakesCalls(state(edge.component))) continue;
    table_.mailbox(edge.component).PushControl(control::Dependency{table_.name(component), runs});
  }
}

void Supervisor::StartTimedOut(size_t component) {
  units_[component].stuck = true;
  // For the instance that its thread may yet come back with.
  table_.mailbox(component).PushControl(control::Discard{});
  const std::string timeout = absl::FormatDuration(table_.config(component).start_timeout);
  FailedOnce(component, absl::StrCat("did not start within ", timeout),
             {context_.WallNow(), "Start", absl::StrCat("took longer than ", timeout), ""});
  Settle();
}

void Supervisor::StopTimedOut(size_t component) {
  units_[component].stuck = true;
  const StuckComponent stuck = WhereItIsStuck(component);
  Change(component, LifecycleChange::kStuck,
         absl::StrCat("stuck in ", stuck.method, " for ",
                      absl::FormatDuration(absl::Floor(stuck.age, absl::Milliseconds(1))),
                      "; its thread does not come back"));
  Settle();
}

StuckComponent Supervisor::WhereItIsStuck(size_t component) const {
  const ComponentView view = table_.View(component);
  // In nothing of its author's: a machine that gives it no time, as a rule.
  if (view.method.empty()) {
    return {view.name, "its mailbox", table_.config(component).stop_timeout};
  }
  return {view.name, view.method, view.in_method};
}

void Supervisor::SetTimer(size_t component, absl::Duration delay, Callback callback) {
  units_[component].timer =
      context_.After(delay, [this, component, callback = std::move(callback)]() mutable {
        units_[component].timer.reset();
        callback();
      });
}

}  // namespace mainspring
