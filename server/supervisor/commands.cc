// The part of the supervisor that answers operators.
#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/config/nearest_name.h"
#include "server/supervisor/describe.h"
#include "server/supervisor/supervisor.h"

namespace mainspring {

namespace proto = lifecycle::v1;

namespace {

constexpr size_t kLongestRequestId = 128;
// How often a component that is drained is asked whether it is done.
constexpr absl::Duration kDrainPoll = absl::Milliseconds(10);
constexpr absl::Duration kDrainReport = absl::Milliseconds(100);

absl::Status CheckRequestId(const std::string& request_id) {
  const bool printable = std::all_of(request_id.begin(), request_id.end(), [](char each) {
    return absl::ascii_isprint(static_cast<unsigned char>(each));
  });
  if (printable && request_id.size() <= kLongestRequestId) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("request_id: up to ", kLongestRequestId, " printable characters are allowed"));
}

// An operation that was never begun: refused, or a dry run.
Operation NotBegun(Order order, absl::Status status, std::vector<Step> steps = {}) {
  Operation operation;
  operation.order = std::move(order);
  operation.steps = std::move(steps);
  operation.ended = true;
  operation.status = std::move(status);
  return operation;
}

std::string Quoted(const std::vector<size_t>& components, const ComponentTable& table) {
  return absl::StrJoin(components, ", ", [&](std::string* out, size_t each) {
    absl::StrAppend(out, "\"", table.name(each), "\"");
  });
}

}  // namespace

absl::StatusOr<size_t> Supervisor::Find(const std::string& name) const {
  if (const std::optional<size_t> found = parts_.table.NumberOf(name)) return *found;
  return absl::NotFoundError(absl::StrCat(
      "no component \"", absl::CHexEscape(name.substr(0, 64)),
      "\"; there are: ", absl::StrJoin(NearestFirst(name, parts_.table.Names()), ", ")));
}

proto::Component Supervisor::DescribeOne(size_t component) const {
  proto::Component message = Describe(component, parts_.table, parts_.graph);
  message.set_restarts_left(units_[component].budget.restarts_left(context().Now()));
  return message;
}

void Supervisor::ListComponents(proto::ListComponentsRequest request,
                                Reply<proto::ListComponentsResponse> reply) {
  const auto& states = request.states();
  const auto& types = request.types();
  proto::ListComponentsResponse response;
  for (size_t i = 0; i < units_.size(); ++i) {
    if (!states.empty() &&
        std::find(states.begin(), states.end(), ToProto(state(i))) == states.end()) {
      continue;
    }
    if (!types.empty() &&
        std::find(types.begin(), types.end(), parts_.table.config(i).type) == types.end()) {
      continue;
    }
    *response.add_components() = DescribeOne(i);
  }
  proto::HostProcess& host = *response.mutable_host();
  host = DescribeProcess();
  host.set_incarnation(parts_.incarnation);
  host.set_version(parts_.version);
  *host.mutable_start_time() = ToProto(parts_.start_time);
  host.set_draining(parts_.control.drain_progress().phase() != proto::DrainProgress::SERVING);
  reply.Send(std::move(response));
}

void Supervisor::GetComponent(proto::GetComponentRequest request,
                              Reply<proto::GetComponentResponse> reply) {
  const absl::StatusOr<size_t> component = Find(request.name());
  if (!component.ok()) return void(reply.Fail(component.status()));
  proto::GetComponentResponse response;
  *response.mutable_component() = DescribeOne(*component);
  reply.Send(std::move(response));
}

void Supervisor::StartComponent(proto::StartComponentRequest request,
                                Reply<proto::StartComponentResponse> reply) {
  Give(Command::kStart, request, std::move(reply));
}

void Supervisor::StopComponent(proto::StopComponentRequest request,
                               Reply<proto::StopComponentResponse> reply) {
  Give(Command::kStop, request, std::move(reply));
}

void Supervisor::RestartComponent(proto::RestartComponentRequest request,
                                  Reply<proto::RestartComponentResponse> reply) {
  Give(Command::kRestart, request, std::move(reply));
}

template <class Response>
void Supervisor::Give(Command command, const auto& request, Reply<Response> reply) {
  const absl::StatusOr<size_t> component = Find(request.name());
  absl::Status valid = component.status();
  valid.Update(CheckRequestId(request.request_id()));
  if (!valid.ok()) return void(reply.Fail(valid));
  Order order{command,      *component,        request.request_id(),
              std::nullopt, request.dry_run(), request.cascade()};
  if (request.has_expected_generation()) order.expected_generation = request.expected_generation();
  Submit(std::move(order), [this, reply = std::move(reply)](const Operation& operation) mutable {
    if (!operation.status.ok()) return void(reply.Fail(OwnCopy(operation.status)));
    Response response;
    response.set_request_id(operation.order.request_id);
    for (const Step& step : operation.steps) *response.add_steps() = ToProto(step, parts_.table);
    *response.mutable_component() = DescribeOne(operation.order.component);
    reply.Send(std::move(response));
  });
}

void Supervisor::Submit(Order order, OperationCallback callback) {
  if (!order.dry_run && !order.request_id.empty()) {
    if (const Operation* known = operations_.Find(order.request_id)) {
      if (known->order.command == order.command && known->order.component == order.component) {
        return operations_.Await(order.request_id, std::move(callback));
      }
      const absl::Status taken = absl::AlreadyExistsError(
          absl::StrCat("request_id \"", order.request_id, "\" is a ", Name(known->order.command),
                       " of \"", parts_.table.name(known->order.component), "\""));
      return callback(NotBegun(std::move(order), taken));
    }
  }
  if (drains()) return callback(NotBegun(std::move(order), Ending()));
  while (!order.dry_run && (order.request_id.empty() || operations_.Find(order.request_id))) {
    order.request_id = absl::StrCat(parts_.incarnation, "-", ++last_request_);
  }
  if (!order.dry_run && MustWait(order)) {
    operations_.Begin(order, {}, context().WallNow()).waiting = true;
    return operations_.Await(order.request_id, std::move(callback));
  }
  absl::StatusOr<std::vector<Step>> steps = Plan(order);
  if (!steps.ok()) return callback(NotBegun(std::move(order), steps.status()));
  if (order.dry_run) {
    return callback(NotBegun(std::move(order), absl::OkStatus(), *std::move(steps)));
  }
  if (order.command == Command::kStop) TakeOver(order, *steps);
  operations_.Begin(order, *steps, context().WallNow());
  operations_.Await(order.request_id, std::move(callback));
  Carry(order, *steps);
  Settle();
}

// A stop is never kept waiting: it takes the place of what it undoes.
bool Supervisor::MustWait(const Order& order) const {
  if (order.command == Command::kStop) return false;
  std::vector<size_t> touched = parts_.graph.HardDependents(order.component);
  const std::vector<size_t> needed = parts_.graph.HardDependencies(order.component);
  touched.insert(touched.end(), needed.begin(), needed.end());
  touched.push_back(order.component);
  const std::vector<Operation*> under_way = operations_.UnderWay();
  return std::any_of(under_way.begin(), under_way.end(), [&](Operation* operation) {
    return std::any_of(touched.begin(), touched.end(),
                       [&](size_t each) { return operation->NextStepOf(each) != nullptr; });
  });
}

absl::StatusOr<std::vector<Step>> Supervisor::Plan(const Order& order) const {
  const uint64_t generation = parts_.table.status(order.component).generation;
  if (order.expected_generation.value_or(generation) != generation) {
    return absl::AbortedError(absl::StrCat("component \"", parts_.table.name(order.component),
                                           "\": its generation is ", generation, ", not ",
                                           *order.expected_generation));
  }
  std::vector<Step> steps;
  absl::Status planned;
  if (order.command == Command::kStop) {
    planned = PlanStop(order, steps);
  } else if (order.command == Command::kStart || !HasInstance(state(order.component))) {
    planned = PlanStart(order, steps);
  } else {
    planned = PlanStop(order, steps);
    std::vector<Step> starts = {{Step::Action::kStart, order.component}};
    for (auto each = steps.rbegin(); each != steps.rend(); ++each) {
      if (each->component == order.component || !parts_.table.status(each->component).wanted) {
        continue;
      }
      starts.push_back({Step::Action::kStart, each->component});
    }
    steps.insert(steps.end(), starts.begin(), starts.end());
  }
  if (!planned.ok()) return planned;
  return steps;
}

absl::Status Supervisor::PlanStart(const Order& order, std::vector<Step>& steps) const {
  std::set<size_t> run;  // or will
  std::vector<size_t> missing;
  for (const size_t each : parts_.graph.HardDependencies(order.component)) {
    if (units_[each].outlook == Outlook::kNever) {
      missing.push_back(each);
      steps.push_back({Step::Action::kStart, each});
    }
    run.insert(each);
  }
  if (!missing.empty() && !order.cascade) {
    return absl::FailedPreconditionError(absl::StrCat(
        "component \"", parts_.table.name(order.component), "\": needs ",
        Quoted(missing, parts_.table), missing.size() == 1 ? ", which does" : ", which do",
        " not run; start ", missing.size() == 1 ? "it" : "them", " first, or ask with cascade"));
  }
  if (state(order.component) == LifecycleState::kRunning && !units_[order.component].goes_down) {
    return absl::OkStatus();
  }
  steps.push_back({Step::Action::kStart, order.component});
  run.insert(order.component);
  // Those that went down with what is started.
  for (const size_t each : parts_.graph.order()) {
    if (run.count(each) != 0) continue;
    const auto& edges = parts_.graph.dependencies(each);
    const bool comes = parts_.table.status(each).wanted &&
                       state(each) == LifecycleState::kStopped &&
                       units_[each].outlook == Outlook::kNever &&
                       std::all_of(edges.begin(), edges.end(), [&](const auto& edge) {
                         return !edge.hard || units_[edge.component].outlook != Outlook::kNever ||
                                run.count(edge.component) != 0;
                       });
    if (!comes) continue;
    steps.push_back({Step::Action::kStart, each});
    run.insert(each);
  }
  return absl::OkStatus();
}

absl::Status Supervisor::PlanStop(const Order& order, std::vector<Step>& steps) const {
  std::vector<size_t> dependents = parts_.graph.HardDependents(order.component);
  std::erase_if(dependents, [this](size_t each) { return IsDown(state(each)); });
  if (!dependents.empty() && !order.cascade) {
    return absl::FailedPreconditionError(absl::StrCat(
        "component \"", parts_.table.name(order.component),
        "\": ", Quoted(dependents, parts_.table), dependents.size() == 1 ? " depends" : " depend",
        " on it and would stop too; ask with cascade"));
  }
  for (auto each = dependents.rbegin(); each != dependents.rend(); ++each) {
    steps.push_back({Step::Action::kStop, *each});
  }
  if (!IsDown(state(order.component))) steps.push_back({Step::Action::kStop, order.component});
  return absl::OkStatus();
}

void Supervisor::Carry(const Order& order, const std::vector<Step>& steps) {
  const bool runs = HasInstance(state(order.component));
  if (order.command == Command::kStop) {
    units_[order.component].again = false;
    units_[order.component].restarting = false;
    return SetWanted(order.component, false, "asked to stop");
  }
  if (order.command == Command::kRestart && runs) {
    units_[order.component].restarting = true;
    units_[order.component].budget.Reset();
    return SetWanted(order.component, true, "asked to restart");
  }
  for (const Step& step : steps) {
    // Those that went down with another are wanted already, and come by themselves.
    if (step.component != order.component && parts_.table.status(step.component).wanted &&
        state(step.component) == LifecycleState::kStopped) {
      continue;
    }
    // One that is up already goes on with the budget that it has.
    if (state(step.component) != LifecycleState::kStarting &&
        state(step.component) != LifecycleState::kRunning) {
      units_[step.component].again = true;
      units_[step.component].budget.Reset();
    }
    SetWanted(step.component, true, "asked to start");
  }
  if (steps.empty()) SetWanted(order.component, true, "asked to start");
}

void Supervisor::TakeOver(const Order& order, const std::vector<Step>& steps) {
  std::set<size_t> stopped = {order.component};
  for (const Step& step : steps) stopped.insert(step.component);
  for (Operation* operation : operations_.UnderWay()) {
    if (operation->order.command == Command::kStop) continue;
    const auto undone = [&](const Step& step) {
      return !step.done && step.action == Step::Action::kStart && stopped.count(step.component);
    };
    const bool undoes = operation->waiting
                            ? stopped.count(operation->order.component) != 0
                            : std::any_of(operation->steps.begin(), operation->steps.end(), undone);
    if (!undoes) continue;
    End(*operation,
        absl::AbortedError(absl::StrCat("a later StopComponent of \"",
                                        parts_.table.name(order.component), "\" took its place")));
  }
}

void Supervisor::Progress(size_t component, LifecycleChange change) {
  const ComponentStatus& status = parts_.table.status(component);
  for (Operation* operation : operations_.UnderWay()) {
    Step* step = operation->NextStepOf(component);
    if (step == nullptr) continue;
    const std::string text = absl::StrCat("component \"", parts_.table.name(component),
                                          "\": ", Name(status.state), ": ", status.reason);
    if (step->action == Step::Action::kStop) {
      if (change == LifecycleChange::kStuck) {
        End(*operation, absl::DeadlineExceededError(text));
      } else {
        step->done = IsDown(status.state);
      }
    } else if (change == LifecycleChange::kFail || change == LifecycleChange::kGiveUp) {
      End(*operation, absl::UnavailableError(text));
    }
  }
}

// Ends those that wait for what will not come, or has not gone.
void Supervisor::CheckOperations() {
  for (Operation* operation : operations_.UnderWay()) {
    if (operation->waiting) continue;
    for (Step& step : operation->steps) {
      if (step.done || step.action == Step::Action::kStop ||
          operation->NextStepOf(step.component) != &step) {
        continue;
      }
      const Unit& unit = units_[step.component];
      step.done = state(step.component) == LifecycleState::kRunning && !unit.goes_down;
      if (step.done || unit.outlook != Outlook::kNever) continue;
      End(*operation, NotStarted(step.component));
      break;
    }
    if (!operation->ended && operation->all_done()) End(*operation, absl::OkStatus());
  }
}

bool Supervisor::drains() const {
  return ending_ || parts_.control.drain_progress().phase() > proto::DrainProgress::SERVING;
}

absl::Status Supervisor::Ending() { return absl::UnavailableError("the host is draining"); }

void Supervisor::End(Operation& operation, absl::Status status) {
  const ComponentStatus& component = parts_.table.status(operation.order.component);
  parts_.log.Info("operation", {{"request_id", operation.order.request_id},
                                {"command", Name(operation.order.command)},
                                {"component", parts_.table.name(operation.order.component)},
                                {"outcome", status.ToString()}});
  operations_.End(operation, std::move(status), component.generation, context().WallNow());
}

void Supervisor::ResumeWaiting() {
  for (Operation* operation : operations_.UnderWay()) {
    if (operation->ended || !operation->waiting || MustWait(operation->order)) continue;
    operation->waiting = false;
    absl::StatusOr<std::vector<Step>> steps = Plan(operation->order);
    if (!steps.ok()) {
      End(*operation, steps.status());
      continue;
    }
    operation->steps = *std::move(steps);
    Carry(operation->order, operation->steps);
  }
}

absl::StatusOr<size_t> Supervisor::FindRunning(const auto& request) const {
  const absl::StatusOr<size_t> component = Find(request.name());
  if (!component.ok()) return component;
  if (drains()) return Ending();
  const ComponentStatus& status = parts_.table.status(*component);
  if (request.has_expected_generation() && request.expected_generation() != status.generation) {
    return absl::AbortedError(absl::StrCat("component \"", request.name(), "\": its generation is ",
                                           status.generation, ", not ",
                                           request.expected_generation()));
  }
  if (status.state != LifecycleState::kRunning) {
    return absl::FailedPreconditionError(absl::StrCat("component \"", request.name(), "\" is ",
                                                      Name(status.state), ": ", status.reason,
                                                      "; this is for one that is RUNNING"));
  }
  return component;
}

void Supervisor::PauseComponent(proto::PauseComponentRequest request,
                                Reply<proto::PauseComponentResponse> reply) {
  const absl::StatusOr<size_t> component = FindRunning(request);
  if (!component.ok()) return void(reply.Fail(component.status()));
  if (!units_[*component].drains.empty()) {
    return void(reply.Fail(absl::FailedPreconditionError(absl::StrCat(
        "component \"", request.name(), "\" is draining, and somebody waits for its queue"))));
  }
  parts_.table.Update(*component, [](ComponentStatus& status) { status.paused = true; });
  parts_.table.mailbox(*component).PushControl(control::Pause{});
  proto::PauseComponentResponse response;
  *response.mutable_component() = DescribeOne(*component);
  reply.Send(std::move(response));
}

void Supervisor::ResumeComponent(proto::ResumeComponentRequest request,
                                 Reply<proto::ResumeComponentResponse> reply) {
  const absl::StatusOr<size_t> component = FindRunning(request);
  if (!component.ok()) return void(reply.Fail(component.status()));
  Unpause(*component);
  proto::ResumeComponentResponse response;
  *response.mutable_component() = DescribeOne(*component);
  reply.Send(std::move(response));
}

void Supervisor::Unpause(size_t component) {
  if (!parts_.table.status(component).paused) return;
  parts_.table.Update(component, [](ComponentStatus& status) { status.paused = false; });
  parts_.table.mailbox(component).PushControl(control::Resume{});
}

void Supervisor::DrainComponent(proto::DrainComponentRequest request,
                                Reply<proto::DrainComponentResponse> reply) {
  const absl::StatusOr<size_t> component = FindRunning(request);
  if (!component.ok()) return void(reply.Fail(component.status()));
  if (parts_.table.status(*component).paused) {
    return void(reply.Fail(absl::FailedPreconditionError(absl::StrCat(
        "component \"", request.name(), "\" is paused, so its queue stays; resume it first"))));
  }
  parts_.table.Update(*component, [](ComponentStatus& status) { status.draining = true; });
  parts_.table.mailbox(*component)
      .Close(absl::UnavailableError(
          absl::StrCat("component \"", request.name(), "\": RUNNING: draining")));
  parts_.control.on_change();
  units_[*component].drains.push_back(std::move(reply));
  if (units_[*component].drains.size() == 1) AskWhetherDrained(*component);
}

void Supervisor::UndrainComponent(proto::UndrainComponentRequest request,
                                  Reply<proto::UndrainComponentResponse> reply) {
  const absl::StatusOr<size_t> component = FindRunning(request);
  if (!component.ok()) return void(reply.Fail(component.status()));
  if (parts_.table.status(*component).draining) {
    parts_.table.Update(*component, [](ComponentStatus& status) { status.draining = false; });
    parts_.table.mailbox(*component).Open();
    parts_.control.on_change();
    FinishDrains(*component);
  }
  proto::UndrainComponentResponse response;
  *response.mutable_component() = DescribeOne(*component);
  reply.Send(std::move(response));
}

// Asked on the component's own thread, between two calls, where its counts are exact.
void Supervisor::AskWhetherDrained(size_t component) {
  Unit& unit = units_[component];
  std::erase_if(unit.drains, [](const auto& reply) { return reply.cancelled(); });
  if (unit.drains.empty()) return;
  MailboxBase& mailbox = parts_.table.mailbox(component);
  const ReturnAddress here = ReturnAddress::Current();
  mailbox.Post(parts_.table.status(component).generation, [this, component, &mailbox, here] {
    const MailboxStats stats = mailbox.stats();
    const bool drained = stats.queued_calls == 0 && stats.in_flight == 0;
    here.Post([this, component, drained] {
      if (!drained) {
        context().After(kDrainPoll, [this, component] { AskWhetherDrained(component); });
        return;
      }
      for (Reply<proto::DrainComponentResponse>& reply : units_[component].drains) {
        proto::DrainComponentResponse response;
        *response.mutable_component() = DescribeOne(component);
        reply.Send(std::move(response));
      }
      units_[component].drains.clear();
    });
  });
}

void Supervisor::FinishDrains(size_t component) {
  for (Reply<proto::DrainComponentResponse>& reply : units_[component].drains) {
    reply.Fail(absl::AbortedError(
        absl::StrCat("component \"", parts_.table.name(component), "\" is no longer draining")));
  }
  units_[component].drains.clear();
}

void Supervisor::WatchComponents(proto::WatchComponentsRequest request,
                                 ReplyStream<proto::WatchComponentsResponse> replies) {
  watchers_.Add(request, std::move(replies));
}

void Supervisor::GetOperation(proto::GetOperationRequest request,
                              Reply<proto::GetOperationResponse> reply) {
  const Operation* operation = operations_.Find(request.request_id());
  if (operation == nullptr) {
    return void(reply.Fail(absl::NotFoundError(
        absl::StrCat("no operation \"", absl::CHexEscape(request.request_id().substr(0, 128)),
                     "\"; the host remembers the last thousand"))));
  }
  proto::GetOperationResponse response;
  *response.mutable_operation() = ToProto(*operation, parts_.table);
  reply.Send(std::move(response));
}

proto::DrainProgress Supervisor::Progress() const {
  proto::DrainProgress progress = parts_.control.drain_progress();
  uint64_t queued = 0;
  absl::Duration oldest;
  for (size_t i = 0; i < units_.size(); ++i) {
    const ComponentView view = parts_.table.View(i);
    queued += view.mailbox.queued_calls;
    oldest = std::max(oldest, view.oldest_call);
    if (!IsDown(view.status.state)) progress.add_components_up(view.name);
  }
  progress.set_queued_calls(queued);
  *progress.mutable_oldest_call() = ToProto(oldest);
  return progress;
}

void Supervisor::Drain(proto::DrainRequest, ReplyStream<proto::DrainResponse> replies) {
  parts_.control.drain();
  drain_streams_.push_back(std::move(replies));
  ReportDrain();
  if (!drain_timer_.has_value()) {
    drain_timer_ = context().Every(kDrainReport, [this] { ReportDrain(); });
  }
}

void Supervisor::ReportDrain() {
  proto::DrainResponse response;
  *response.mutable_progress() = Progress();
  std::erase_if(drain_streams_, [&](auto& stream) {
    // One that is full misses this report, not the next.
    return stream.Write(response) == WriteResult::kClosed;
  });
  if (drain_streams_.empty() && drain_timer_.has_value()) {
    context().Cancel(*std::exchange(drain_timer_, std::nullopt));
  }
}

void Supervisor::EndDrainStreams() {
  ReportDrain();
  for (auto& stream : drain_streams_) stream.Finish();
  drain_streams_.clear();
}

void Supervisor::GetDrainStatus(proto::GetDrainStatusRequest,
                                Reply<proto::GetDrainStatusResponse> reply) {
  proto::GetDrainStatusResponse response;
  *response.mutable_progress() = Progress();
  reply.Send(std::move(response));
}

void Supervisor::ShutdownNow(proto::ShutdownNowRequest, Reply<proto::ShutdownNowResponse> reply) {
  parts_.control.shut_down_now();
  reply.Send(proto::ShutdownNowResponse());
}

}  // namespace mainspring
