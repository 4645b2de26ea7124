// The part of the supervisor that starts, stops and restarts components for operators.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/supervisor/describe.h"
#include "server/supervisor/supervisor.h"

namespace mainspring {

namespace proto = lifecycle::v1;

namespace {

constexpr size_t kLongestRequestId = 128;

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
  operation.SetSteps(std::move(steps));
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
  if (!valid.ok()) {
    LogOutcome(Name(command), request.name(), request.request_id(), valid);
    return void(reply.Fail(valid));
  }
  Order order{command,      *component,        request.request_id(),
              std::nullopt, request.dry_run(), request.cascade()};
  if (request.has_expected_generation()) order.expected_generation = request.expected_generation();
  const uint64_t caller = ++last_caller_;
  reply.OnCancel([this, caller] { Leave(caller); });
  Submit(std::move(order), caller,
         [this, request_id = request.request_id(),
          reply = std::move(reply)](const Operation& operation) mutable {
           if (!operation.status.ok()) return void(reply.Fail(OwnCopy(operation.status)));
           Response response;
           // It may be the answer to another command as well, which asked for the same.
           response.set_request_id(request_id.empty() ? operation.order.request_id : request_id);
           for (const Step& step : operation.steps()) {
             *response.add_steps() = ToProto(step, parts_.table);
           }
           *response.mutable_component() = DescribeOne(operation.order.component);
           reply.Send(std::move(response));
         });
}

void Supervisor::Submit(Order order, uint64_t caller, OperationCallback callback) {
  const auto refuse = [&](const absl::Status& status) {
    if (!order.dry_run) {
      LogOutcome(Name(order.command), parts_.table.name(order.component), order.request_id, status);
    }
    callback(NotBegun(std::move(order), status));
  };
  const absl::Status room = order.dry_run ? absl::OkStatus() : operations_.AdmitCaller();
  if (!order.dry_run && !order.request_id.empty()) {
    if (const Operation* known = operations_.Find(order.request_id)) {
      if (known->order.command == order.command && known->order.component == order.component) {
        if (!known->ended && !room.ok()) return refuse(room);
        return operations_.Await(order.request_id, caller, std::move(callback));
      }
      return refuse(absl::AlreadyExistsError(
          absl::StrCat("request_id \"", order.request_id, "\" is a ", Name(known->order.command),
                       " of \"", parts_.table.name(known->order.component), "\"")));
    }
  }
  if (drains()) return refuse(Ending());
  if (!order.dry_run) {
    absl::Status admitted = operations_.Admit(order.command);
    admitted.Update(room);
    if (!admitted.ok()) return refuse(admitted);
  }
  while (!order.dry_run && (order.request_id.empty() || operations_.Find(order.request_id))) {
    order.request_id = absl::StrCat(parts_.incarnation, "-", ++last_request_);
  }
  // A stop is never kept waiting: it takes the place of what it undoes.
  if (!order.dry_run && order.command != Command::kStop) {
    std::vector<size_t> touches = TouchedBy(order);
    if (std::any_of(touches.begin(), touches.end(),
                    [&](size_t each) { return operations_.IsTouched(each); })) {
      if (operations_.Join(order) == nullptr) {
        operations_.BeginWaiting(order, std::move(touches), context().WallNow());
      }
      return operations_.Await(order.request_id, caller, std::move(callback));
    }
  }
  absl::StatusOr<std::vector<Step>> steps = Plan(order);
  if (!steps.ok()) return refuse(steps.status());
  if (order.dry_run) {
    return callback(NotBegun(std::move(order), absl::OkStatus(), *std::move(steps)));
  }
  Operation& operation = operations_.Begin(order, *steps, context().WallNow());
  const SteadyTime lame_duck = BeginLameDuck(operation);
  if (order.command == Command::kStop) TakeOver(operation);
  operations_.Await(order.request_id, caller, std::move(callback));
  CarryAfter(lame_duck, operation);
  Settle();
}

// What has begun goes on without it.
void Supervisor::Leave(uint64_t caller) {
  Operation* const given_up = operations_.Leave(caller);
  if (given_up == nullptr) return;
  End(*given_up, absl::CancelledError("all its callers went before it was begun"));
}

std::vector<size_t> Supervisor::TouchedBy(const Order& order) const {
  std::vector<size_t> touched = parts_.graph.HardDependencies(order.component);
  touched.push_back(order.component);
  const std::vector<size_t> dependents = parts_.graph.HardDependents(order.component);
  touched.insert(touched.end(), dependents.begin(), dependents.end());
  return touched;
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
      if (each->component == order.component || !standings_.wish(each->component).wanted) continue;
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
    if (standings_.outlook(each) == Outlook::kNever) {
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
  if (state(order.component) == LifecycleState::kRunning &&
      !standings_.goes_down(order.component)) {
    return absl::OkStatus();
  }
  steps.push_back({Step::Action::kStart, order.component});
  run.insert(order.component);
  // Those that went down with what is started.
  std::vector<size_t> started = std::move(missing);
  started.push_back(order.component);
  for (const size_t each : parts_.graph.HardDependents(started)) {
    if (run.count(each) != 0) continue;
    const auto& edges = parts_.graph.dependencies(each);
    const bool comes = standings_.wish(each).wanted && state(each) == LifecycleState::kStopped &&
                       standings_.outlook(each) == Outlook::kNever &&
                       std::all_of(edges.begin(), edges.end(), [&](const auto& edge) {
                         return !edge.hard ||
                                standings_.outlook(edge.component) != Outlook::kNever ||
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

void Supervisor::CarryAfter(SteadyTime lame_duck, Operation& operation) {
  const SteadyTime now = context().Now();
  if (lame_duck <= now) return Carry(operation);
  operation.lame_duck = true;
  context().After(Between(now, lame_duck),
                  [this, number = operation.number] { EndLameDuck(number); });
}

void Supervisor::EndLameDuck(uint64_t number) {
  Operation* const operation = operations_.UnderWay(number);
  if (operation == nullptr) return;
  operation->lame_duck = false;
  // Something may have failed meanwhile.
  absl::StatusOr<std::vector<Step>> steps = Plan(operation->order);
  if (steps.ok()) {
    operations_.SetSteps(*operation, *std::move(steps));
    Carry(*operation);
  } else {
    End(*operation, steps.status());
  }
  Settle();
}

void Supervisor::Carry(Operation& operation) {
  const Order& order = operation.order;
  const bool runs = HasInstance(state(order.component));
  for (const Step& step : operation.steps()) Moved(step.component);
  // Whoever stops or restarts it has done with its drain; until it goes down it stays closed.
  if (order.command == Command::kStop || (order.command == Command::kRestart && runs)) {
    units_[order.component].undrain = true;
    EndDrainOfDown(order.component);
  }
  if (order.command == Command::kStop) {
    wish(order.component).again = false;
    wish(order.component).restarting = false;
    return SetWanted(order.component, false, "asked to stop");
  }
  if (order.command == Command::kRestart && runs) {
    wish(order.component).restarting = true;
    units_[order.component].budget.Reset();
    return SetWanted(order.component, true, "asked to restart");
  }
  for (const Step& step : operation.steps()) {
    // Those that went down with another are wanted already, and come by themselves.
    if (step.component != order.component && standings_.wish(step.component).wanted &&
        state(step.component) == LifecycleState::kStopped) {
      continue;
    }
    // One that is up already goes on with the budget that it has.
    if (state(step.component) != LifecycleState::kStarting &&
        state(step.component) != LifecycleState::kRunning) {
      wish(step.component).again = true;
      units_[step.component].budget.Reset();
      if (step.component == order.component) Undrain(step.component, "asked to start");
    }
    SetWanted(step.component, true, "asked to start");
  }
  if (operation.steps().empty()) SetWanted(order.component, true, "asked to start");
}

void Supervisor::TakeOver(const Operation& stop) {
  std::set<size_t> stopped = {stop.order.component};
  for (const Step& step : stop.steps()) stopped.insert(step.component);
  // By number, so the oldest first.
  std::set<uint64_t> undone;
  for (const size_t each : stopped) {
    for (const Operation* operation : operations_.Touching(each)) {
      if (operation->WillStart(each)) undone.insert(operation->number);
    }
  }
  for (const Operation* operation : operations_.UnderWay()) {
    if (operation->waiting && stopped.count(operation->order.component) != 0) {
      undone.insert(operation->number);
    }
  }
  for (const uint64_t number : undone) {
    End(*operations_.UnderWay(number),
        absl::AbortedError(absl::StrCat("a later StopComponent of \"",
                                        parts_.table.name(stop.order.component),
                                        "\" took its place")));
  }
}

void Supervisor::Progress(size_t component, LifecycleChange change) {
  const ComponentStatus& status = parts_.table.status(component);
  for (Operation* operation : operations_.Touching(component)) {
    if (operation->lame_duck) continue;
    const std::string text = absl::StrCat("component \"", parts_.table.name(component),
                                          "\": ", Name(status.state), ": ", status.reason);
    if (operation->NextStepOf(component)->action == Step::Action::kStop) {
      if (change == LifecycleChange::kStuck) {
        End(*operation, absl::DeadlineExceededError(text));
      } else if (IsDown(status.state)) {
        operations_.MarkDone(*operation, component);
        EndLeaving(*operation, component);
      }
    } else if (change == LifecycleChange::kFail || change == LifecycleChange::kGiveUp) {
      End(*operation, absl::UnavailableError(text));
    }
  }
}

void Supervisor::CheckOperations() {
  // By operation, then in the order of its steps.
  std::set<std::pair<uint64_t, const Step*>> due;
  for (const size_t component : std::exchange(moved_, {})) {
    units_[component].moved = false;
    if (units_[component].starting_up) startup_moved_.push_back(component);
    for (const Operation* operation : operations_.Touching(component)) {
      due.emplace(operation->number, operation->NextStepOf(component));
    }
  }
  for (const auto& [number, step] : due) {
    if (Operation* operation = operations_.UnderWay(number)) {
      CheckOperation(*operation, step->component);
    }
  }
  for (Operation* operation : operations_.TakeDone()) End(*operation, absl::OkStatus());
}

void Supervisor::CheckOperation(Operation& operation, size_t component) {
  const Step* const step = operation.NextStepOf(component);
  if (operation.lame_duck || step == nullptr || step->action == Step::Action::kStop) return;
  if (state(component) == LifecycleState::kRunning && !standings_.goes_down(component)) {
    operations_.MarkDone(operation, component);
  } else if (standings_.outlook(component) == Outlook::kNever) {
    End(operation, NotStarted(component));
  }
}

void Supervisor::ResumeWaiting() {
  while (Operation* operation = operations_.NextReady()) {
    absl::StatusOr<std::vector<Step>> steps = Plan(operation->order);
    if (!steps.ok()) {
      End(*operation, steps.status());
      continue;
    }
    operations_.SetSteps(*operation, *std::move(steps));
    CarryAfter(BeginLameDuck(*operation), *operation);
  }
}

bool Supervisor::drains() const { return ending_ || parts_.control.draining(); }

absl::Status Supervisor::Ending() { return absl::UnavailableError("the host is draining"); }

void Supervisor::End(Operation& operation, absl::Status status) {
  const size_t component = operation.order.component;
  while (!operation.leaving.empty()) EndLeaving(operation, *operation.leaving.begin());
  LogOutcome(Name(operation.order.command), parts_.table.name(component),
             operation.order.request_id, status);
  operations_.End(operation, std::move(status), parts_.table.status(component).generation,
                  context().WallNow());
}

void Supervisor::LogOutcome(const char* command, const std::string& component,
                            const std::string& request_id, const absl::Status& status) {
  constexpr size_t kLongest = 256;
  const EventLog::Fields fields = {{"request_id", request_id.substr(0, kLongest)},
                                   {"command", command},
                                   {"component", component.substr(0, kLongest)},
                                   {"outcome", status.ToString()}};
  // What is refused, or changes nothing, can be asked for again and again.
  parts_.log.WriteLimited(
      absl::StrCat(command, " ", status.ok() ? component : absl::StatusCodeToString(status.code())),
      Severity::kInfo, "operation", fields);
}

}  // namespace mainspring
