// The part of the supervisor that holds calls back from components that run: pauses and drains.
#include <algorithm>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/supervisor/supervisor.h"

namespace mainspring {

namespace proto = lifecycle::v1;

namespace {

// How often a component that is drained is asked whether it is done.
constexpr absl::Duration kDrainPoll = absl::Milliseconds(10);

constexpr char kDrainCommand[] = "DrainComponent";

}  // namespace

absl::StatusOr<size_t> Supervisor::FindRunning(const char* command, const auto& request) {
  absl::StatusOr<size_t> component = Find(request.name());
  if (component.ok()) {
    if (absl::Status takes = TakesTraffic(*component, request); !takes.ok()) component = takes;
  }
  if (!component.ok()) LogOutcome(command, request.name(), "", component.status());
  return component;
}

absl::Status Supervisor::TakesTraffic(size_t component, const auto& request) const {
  if (drains()) return Ending();
  const ComponentStatus& status = parts_.table.status(component);
  if (request.has_expected_generation() && request.expected_generation() != status.generation) {
    return absl::AbortedError(absl::StrCat("component \"", request.name(), "\": its generation is ",
                                           status.generation, ", not ",
                                           request.expected_generation()));
  }
  // Its drain outlasts its failures, and ends when somebody says so.
  constexpr bool ends_drain =
      std::is_same_v<decltype(request), const proto::UndrainComponentRequest&>;
  if (status.state == LifecycleState::kRunning || (ends_drain && status.draining)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat("component \"", request.name(), "\" is ",
                                                    Name(status.state), ": ", status.reason,
                                                    "; this is for one that is RUNNING"));
}

template <class Response>
void Supervisor::Obey(const char* command, size_t component, Reply<Response>& reply) {
  LogOutcome(command, parts_.table.name(component), "", absl::OkStatus());
  Response response;
  *response.mutable_component() = DescribeOne(component);
  reply.Send(std::move(response));
}

void Supervisor::PauseComponent(proto::PauseComponentRequest request,
                                Reply<proto::PauseComponentResponse> reply) {
  constexpr char kCommand[] = "PauseComponent";
  const absl::StatusOr<size_t> component = FindRunning(kCommand, request);
  if (!component.ok()) return void(reply.Fail(component.status()));
  if (!units_[*component].drains.empty()) {
    const absl::Status status = absl::FailedPreconditionError(absl::StrCat(
        "component \"", request.name(), "\" is draining, and somebody waits for its queue"));
    LogOutcome(kCommand, request.name(), "", status);
    return void(reply.Fail(status));
  }
  if (!parts_.table.status(*component).paused) {
    parts_.table.Update(*component, [](ComponentStatus& status) { status.paused = true; });
    parts_.table.mailbox(*component).PushControl(control::Pause{});
    Happened(*component, EventKind::kPause, "asked to pause");
  }
  Obey(kCommand, *component, reply);
}

void Supervisor::ResumeComponent(proto::ResumeComponentRequest request,
                                 Reply<proto::ResumeComponentResponse> reply) {
  constexpr char kCommand[] = "ResumeComponent";
  const absl::StatusOr<size_t> component = FindRunning(kCommand, request);
  if (!component.ok()) return void(reply.Fail(component.status()));
  Unpause(*component, "asked to resume");
  Obey(kCommand, *component, reply);
}

void Supervisor::Unpause(size_t component, const std::string& why) {
  if (!parts_.table.status(component).paused) return;
  parts_.table.Update(component, [](ComponentStatus& status) { status.paused = false; });
  parts_.table.mailbox(component).PushControl(control::Resume{});
  Happened(component, EventKind::kResume, why);
}

void Supervisor::EndPauses() {
  for (size_t i = 0; i < units_.size(); ++i) Unpause(i, "the host drains");
}

void Supervisor::DrainComponent(proto::DrainComponentRequest request,
                                Reply<proto::DrainComponentResponse> reply) {
  const absl::StatusOr<size_t> found = FindRunning(kDrainCommand, request);
  if (!found.ok()) return void(reply.Fail(found.status()));
  const size_t component = *found;
  auto& drains = units_[component].drains;
  std::erase_if(drains, [](const auto& each) { return each.cancelled(); });
  absl::Status status;
  if (parts_.table.status(component).paused) {
    status = absl::FailedPreconditionError(absl::StrCat(
        "component \"", request.name(), "\" is paused, so its queue stays; resume it first"));
  } else if (drains.size() >= Operations::kMostCallers) {
    status = absl::ResourceExhaustedError(
        absl::StrCat(drains.size(), " callers wait for the drain of \"", request.name(),
                     "\", and more are not accepted; ask GetComponent how far it is"));
  }
  if (!status.ok()) {
    LogOutcome(kDrainCommand, request.name(), "", status);
    return void(reply.Fail(status));
  }
  drains.push_back(std::move(reply));
  if (!parts_.table.status(component).draining) {
    parts_.table.Update(component, [](ComponentStatus& status) { status.draining = true; });
    const absl::Duration lame_duck = parts_.table.config(component).lame_duck;
    if (Happened(component, EventKind::kDrain, "asked to drain")) {
      units_[component].lame_duck_until = After(context().Now(), lame_duck);
    }
  }
  CloseDrained(component);
}

// When its clients have had their time; that may be the time which a stop has given them. It may
// have been undrained meanwhile, and be in the lame duck of another drain.
void Supervisor::CloseDrained(size_t component) {
  if (!parts_.table.status(component).draining || state(component) != LifecycleState::kRunning) {
    return;
  }
  Unit& unit = units_[component];
  if (const SteadyTime now = context().Now(); now < unit.lame_duck_until) {
    context().After(Between(now, unit.lame_duck_until),
                    [this, component] { CloseDrained(component); });
    return;
  }
  OpenOrClose(component);
  if (unit.asking == 0) AskWhetherDrained(component, unit.asking = ++last_asking_);
}

void Supervisor::UndrainComponent(proto::UndrainComponentRequest request,
                                  Reply<proto::UndrainComponentResponse> reply) {
  constexpr char kCommand[] = "UndrainComponent";
  const absl::StatusOr<size_t> component = FindRunning(kCommand, request);
  if (!component.ok()) return void(reply.Fail(component.status()));
  Undrain(*component, "asked to undrain");
  Obey(kCommand, *component, reply);
}

void Supervisor::Undrain(size_t component, const std::string& why) {
  if (!parts_.table.status(component).draining) return;
  parts_.table.Update(component, [](ComponentStatus& status) { status.draining = false; });
  units_[component].lame_duck_until = SteadyTime::min();
  if (IsUp(state(component))) OpenOrClose(component);
  Happened(component, EventKind::kUndrain, why);
  AbortDrains(component, "is no longer draining");
}

void Supervisor::EndDrainOfDown(size_t component) {
  if (IsUp(state(component)) || !std::exchange(units_[component].undrain, false)) return;
  Undrain(component, units_[component].why);
}

// One that is up. A drain outlasts failures: what comes back is closed as well.
void Supervisor::OpenOrClose(size_t component) {
  MailboxBase& mailbox = parts_.table.mailbox(component);
  if (!parts_.table.status(component).draining) return mailbox.Open();
  mailbox.Close(absl::UnavailableError(absl::StrCat("component \"", parts_.table.name(component),
                                                    "\": ", Name(state(component)), ": draining")));
}

SteadyTime Supervisor::BeginLameDuck(Operation& operation) {
  SteadyTime until = SteadyTime::min();
  for (const Step& step : operation.steps()) {
    const absl::Duration lame_duck = parts_.table.config(step.component).lame_duck;
    if (step.action != Step::Action::kStop || lame_duck == absl::ZeroDuration() ||
        state(step.component) != LifecycleState::kRunning) {
      continue;
    }
    Unit& unit = units_[step.component];
    if (operation.leaving.insert(step.component).second && ++unit.leaving == 1) {
      parts_.table.Update(step.component, [](ComponentStatus& status) { status.leaving = true; });
      if (parts_.control.on_change(step.component)) {
        unit.lame_duck_until = After(context().Now(), lame_duck);
      }
    }
    // Of one that another operation has told to leave, what is left of its time.
    until = std::max(until, unit.lame_duck_until);
  }
  return until;
}

void Supervisor::EndLeaving(Operation& operation, size_t component) {
  Unit& unit = units_[component];
  if (operation.leaving.erase(component) == 0 || --unit.leaving > 0) return;
  unit.lame_duck_until = SteadyTime::min();
  parts_.table.Update(component, [](ComponentStatus& status) { status.leaving = false; });
  parts_.control.on_change(component);
}

// Asked on the component's own thread, between two calls, where its counts are exact.
void Supervisor::AskWhetherDrained(size_t component, uint64_t asking) {
  Unit& unit = units_[component];
  if (unit.asking != asking) return;
  std::erase_if(unit.drains, [](const auto& reply) { return reply.cancelled(); });
  if (unit.drains.empty()) {
    unit.asking = 0;
    return;
  }
  MailboxBase& mailbox = parts_.table.mailbox(component);
  const ReturnAddress here = ReturnAddress::Current();
  const uint64_t generation = parts_.table.status(component).generation;
  mailbox.Post(generation, [this, component, asking, &mailbox, here] {
    const MailboxStats stats = mailbox.stats();
    const bool drained = stats.queued_calls == 0 && stats.in_flight == 0;
    here.Post([this, component, asking, drained] {
      if (units_[component].asking != asking) return;
      if (!drained) {
        context().After(kDrainPoll,
                        [this, component, asking] { AskWhetherDrained(component, asking); });
        return;
      }
      units_[component].asking = 0;
      for (Reply<proto::DrainComponentResponse>& reply : units_[component].drains) {
        proto::DrainComponentResponse response;
        *response.mutable_component() = DescribeOne(component);
        reply.Send(std::move(response));
      }
      units_[component].drains.clear();
      LogOutcome(kDrainCommand, parts_.table.name(component), "", absl::OkStatus());
    });
  });
}

void Supervisor::AbortDrains(size_t component, const char* why) {
  units_[component].asking = 0;
  if (units_[component].drains.empty()) return;
  const absl::Status aborted =
      absl::AbortedError(absl::StrCat("component \"", parts_.table.name(component), "\" ", why));
  for (Reply<proto::DrainComponentResponse>& reply : units_[component].drains) reply.Fail(aborted);
  units_[component].drains.clear();
  LogOutcome(kDrainCommand, parts_.table.name(component), "", aborted);
}

}  // namespace mainspring
