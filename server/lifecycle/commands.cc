#include "mainspring/server/lifecycle/commands.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/server/lifecycle/plan.h"

namespace mainspring {
namespace {

// An operation that was never begun: refused, or a dry run.
Operation NotBegun(Order order, absl::Status status, std::vector<Step> steps = {}) {
  Operation operation;
  operation.order = std::move(order);
  operation.SetSteps(std::move(steps));
  operation.ended = true;
  operation.status = std::move(status);
  return operation;
}

}  // namespace

Commands::Commands(Context& context, Supervisor& supervisor, CommandLog log,
                   std::string incarnation, std::function<bool()> draining)
    : context_(context),
      supervisor_(supervisor),
      log_(log),
      incarnation_(std::move(incarnation)),
      draining_(std::move(draining)) {}

void Commands::Submit(Order order, uint64_t caller, OperationCallback callback) {
  const auto refuse = [&](const absl::Status& status) {
    if (!order.dry_run) {
      log_.Write(Name(order.command), engine().name(order.component), order.request_id, status);
    }
    callback(NotBegun(std::move(order), status));
  };
  if (!order.dry_run && !order.request_id.empty()) {
    if (const Operation* known = operations_.Find(order.request_id)) {
      return Repeat(*known, order, caller, std::move(callback));
    }
  }
  absl::Status admitted = CheckObeys();
  if (!order.dry_run) {
    admitted.Update(operations_.Admit(order.command));
    admitted.Update(operations_.AdmitCaller());
  }
  if (!admitted.ok()) return refuse(admitted);
  while (!order.dry_run && (order.request_id.empty() || operations_.Find(order.request_id))) {
    order.request_id = absl::StrCat(incarnation_, "-", ++last_request_);
  }
  if (Waits(order)) return operations_.Await(order.request_id, caller, std::move(callback));
  absl::StatusOr<std::vector<Step>> steps = PlanNow(order);
  if (!steps.ok()) return refuse(steps.status());
  if (order.dry_run) {
    return callback(NotBegun(std::move(order), absl::OkStatus(), *std::move(steps)));
  }
  Operation& operation = operations_.Begin(order, *steps, context_.WallNow());
  const SteadyTime lame_duck = BeginLameDuck(operation);
  if (order.command == Command::kStop) TakeOver(operation);
  operations_.Await(order.request_id, caller, std::move(callback));
  CarryAfter(lame_duck, operation);
  supervisor_.Settle();
}

void Commands::Repeat(const Operation& known, const Order& order, uint64_t caller,
                      OperationCallback callback) {
  absl::Status status;
  if (known.order.command != order.command || known.order.component != order.component) {
    status = absl::AlreadyExistsError(absl::StrCat("request_id \"", order.request_id, "\" is a ",
                                                   Name(known.order.command), " of \"",
                                                   engine().name(known.order.component), "\""));
  } else if (!known.ended) {
    status = operations_.AdmitCaller();
  }
  if (status.ok()) return operations_.Await(order.request_id, caller, std::move(callback));
  log_.Write(Name(order.command), engine().name(order.component), order.request_id, status);
  callback(NotBegun(order, status));
}

void Commands::Leave(uint64_t caller) {
  Operation* const given_up = operations_.Leave(caller);
  if (given_up == nullptr) return;
  End(*given_up, absl::CancelledError("all its callers went before it was begun"));
}

absl::Status Commands::CheckObeys() const {
  if (!ending_ && !draining_()) return absl::OkStatus();
  return absl::UnavailableError("the host is draining");
}

absl::Status Commands::CheckGeneration(size_t component, uint64_t expected) const {
  const uint64_t generation = supervisor_.status(component).generation;
  if (expected == generation) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("component \"", engine().name(component),
                                         "\": its generation is ", generation, ", not ", expected));
}

std::vector<size_t> Commands::TouchedBy(const Order& order) const {
  const DependencyGraph& graph = engine().graph();
  std::vector<size_t> touched = graph.HardDependencies(order.component);
  touched.push_back(order.component);
  const std::vector<size_t> dependents = graph.HardDependents(order.component);
  touched.insert(touched.end(), dependents.begin(), dependents.end());
  return touched;
}

// A stop is never kept waiting: it takes the place of what it undoes.
bool Commands::Waits(const Order& order) {
  if (order.dry_run || order.command == Command::kStop) return false;
  std::vector<size_t> touches = TouchedBy(order);
  if (std::none_of(touches.begin(), touches.end(),
                   [&](size_t each) { return operations_.IsTouched(each); })) {
    return false;
  }
  if (operations_.Join(order) == nullptr) {
    operations_.BeginWaiting(order, std::move(touches), context_.WallNow());
  }
  return true;
}

absl::StatusOr<std::vector<Step>> Commands::PlanNow(const Order& order) const {
  absl::Status stays = supervisor_.CheckStays(order.component);
  if (!stays.ok()) return stays;
  if (order.expected_generation.has_value()) {
    absl::Status expected = CheckGeneration(order.component, *order.expected_generation);
    if (!expected.ok()) return expected;
  }
  return Plan(order, engine());
}

SteadyTime Commands::BeginLameDuck(Operation& operation) {
  SteadyTime until = SteadyTime::min();
  for (const Step& step : operation.steps()) {
    if (step.action != Step::Action::kStop || !supervisor_.HasLameDuck(step.component)) continue;
    operation.leaving.insert(step.component);
    until = std::max(until, supervisor_.BeginLeaving(step.component));
  }
  return until;
}

void Commands::EndLeaving(Operation& operation, size_t component) {
  if (operation.leaving.erase(component) != 0) supervisor_.EndLeaving(component);
}

void Commands::CarryAfter(SteadyTime lame_duck, Operation& operation) {
  const SteadyTime now = context_.Now();
  if (lame_duck <= now) return Carry(operation);
  operation.lame_duck = true;
  context_.After(Between(now, lame_duck),
                 [this, number = operation.number] { EndLameDuck(number); });
}

void Commands::EndLameDuck(uint64_t number) {
  Operation* const operation = operations_.UnderWay(number);
  if (operation == nullptr) return;
  operation->lame_duck = false;
  // Something may have failed meanwhile.
  absl::StatusOr<std::vector<Step>> steps = PlanNow(operation->order);
  if (steps.ok()) {
    operations_.SetSteps(*operation, *std::move(steps));
    Carry(*operation);
  } else {
    End(*operation, steps.status());
  }
  supervisor_.Settle();
}

void Commands::Carry(Operation& operation) {
  const Order& order = operation.order;
  const bool runs = HasInstance(engine().state(order.component));
  for (const Step& step : operation.steps()) carried_.push_back(step.component);
  // Whoever stops or restarts it has done with its drain; until it goes down it stays closed.
  if (order.command == Command::kStop || (order.command == Command::kRestart && runs)) {
    supervisor_.UndrainWhenStopped(order.component);
  }
  if (order.command == Command::kStop) {
    supervisor_.WantDown(order.component, "asked to stop");
  } else if (order.command == Command::kRestart && runs) {
    supervisor_.WantRestart(order.component, "asked to restart");
  } else {
    CarryStart(operation);
  }
}

void Commands::CarryStart(const Operation& operation) {
  constexpr char kWhy[] = "asked to start";
  const size_t started = operation.order.component;
  for (const Step& step : operation.steps()) {
    const LifecycleState state = engine().state(step.component);
    // Those that went down with another are wanted already, and come by themselves.
    if (step.component != started && engine().is_wanted(step.component) &&
        state == LifecycleState::kStopped) {
      continue;
    }
    if (step.component == started && state != LifecycleState::kStarting &&
        state != LifecycleState::kRunning) {
      supervisor_.Undrain(started, kWhy);
    }
    supervisor_.WantUp(step.component, kWhy);
  }
  if (operation.steps().empty()) supervisor_.WantUp(started, kWhy);
}

void Commands::TakeOver(const Operation& stop) {
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
                                        engine().name(stop.order.component), "\" took its place")));
  }
}

void Commands::OnStateChange(size_t component, LifecycleChange change) {
  const ComponentStatus& status = supervisor_.status(component);
  for (Operation* operation : operations_.Touching(component)) {
    if (operation->lame_duck) continue;
    const std::string text = absl::StrCat("component \"", engine().name(component),
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

void Commands::OnSettled(const std::vector<size_t>& moved) {
  // By operation, then in the order of its steps.
  std::set<std::pair<uint64_t, const Step*>> due;
  const auto add = [&](size_t component) {
    for (const Operation* operation : operations_.Touching(component)) {
      due.emplace(operation->number, operation->NextStepOf(component));
    }
  };
  for (const size_t component : moved) add(component);
  for (const size_t component : std::exchange(carried_, {})) add(component);
  for (const auto& [number, step] : due) {
    if (Operation* operation = operations_.UnderWay(number)) {
      CheckOperation(*operation, step->component);
    }
  }
  for (Operation* operation : operations_.TakeDone()) End(*operation, absl::OkStatus());
  ResumeWaiting();
}

void Commands::CheckOperation(Operation& operation, size_t component) {
  const Step* const step = operation.NextStepOf(component);
  if (operation.lame_duck || step == nullptr || step->action == Step::Action::kStop) return;
  if (engine().state(component) == LifecycleState::kRunning && !engine().goes_down(component)) {
    operations_.MarkDone(operation, component);
  } else if (engine().outlook(component) == Outlook::kNever) {
    End(operation, supervisor_.NotStarted(component));
  }
}

void Commands::ResumeWaiting() {
  while (Operation* operation = operations_.NextReady()) {
    absl::StatusOr<std::vector<Step>> steps = PlanNow(operation->order);
    if (!steps.ok()) {
      End(*operation, steps.status());
      continue;
    }
    operations_.SetSteps(*operation, *std::move(steps));
    CarryAfter(BeginLameDuck(*operation), *operation);
  }
}

void Commands::OnEnding() {
  ending_ = true;
  for (Operation* operation : operations_.UnderWay()) End(*operation, CheckObeys());
}

void Commands::End(Operation& operation, absl::Status status) {
  const size_t component = operation.order.component;
  while (!operation.leaving.empty()) EndLeaving(operation, *operation.leaving.begin());
  log_.Write(Name(operation.order.command), engine().name(component), operation.order.request_id,
             status);
  operations_.End(operation, std::move(status), supervisor_.status(component).generation,
                  context_.WallNow());
}

}  // namespace mainspring
