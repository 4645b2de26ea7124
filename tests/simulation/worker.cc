#include "tests/simulation/worker.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace mainspring::simulation {
namespace {

constexpr absl::Duration kSlow = absl::Seconds(3);

}  // namespace

Worker::Worker(Context& context, Scheduler& scheduler, const Faults& faults, WorkerRecord& record)
    : Component(context), scheduler_(scheduler), faults_(faults), record_(record) {
  if (scheduler_.Chance(faults_.at_construction)) throw std::runtime_error("construction");
  if (++record_.instances != 1) Violation("a second instance lives");
}

Worker::~Worker() { --record_.instances; }

// Takes its time, or for ever, or throws.
void Worker::Fault() {
  if (scheduler_.Chance(faults_.never_return)) return scheduler_.Block(absl::InfiniteDuration());
  if (scheduler_.Chance(0.5)) return scheduler_.Block(scheduler_.Within(kSlow));
  throw std::runtime_error("a fault");
}

absl::Status Worker::Start() {
  if (scheduler_.Chance(faults_.at_start)) {
    if (scheduler_.Chance(0.4)) return absl::UnavailableError("not today");
    Fault();
  }
  serving_ = true;
  return absl::OkStatus();
}

void Worker::Stop() {
  if (!serving_) Violation("stopped though it does not serve");
  serving_ = false;
  if (scheduler_.Chance(faults_.at_stop)) Fault();
}

void Worker::Handle(WorkRequest&& request) {
  WorkCall call = std::move(std::get<WorkCall>(request));
  if (!serving_) Violation("called though it does not serve");
  uint64_t& last = record_.last_number[call.request.sender];
  if (call.request.number <= last) {
    Violation(absl::StrCat("number ", call.request.number, " of sender ", call.request.sender,
                           " came after ", last));
  }
  last = call.request.number;
  if (!scheduler_.Chance(faults_.at_work)) {
    if (scheduler_.Chance(0.7)) {
      call.reply.Send(Done());
    } else if (scheduler_.Chance(0.5)) {
      AnswerInSteps(std::move(call.reply));
    } else {
      context().After(scheduler_.Within(absl::Seconds(1)),
                      [reply = std::move(call.reply)]() mutable { reply.Send(Done()); });
    }
    return;
  }
  switch (scheduler_.Pick(6)) {
    case 0:
      call.reply.Fail(absl::FailedPreconditionError("refused"));
      return;
    case 1:  // dropped
      return;
    case 2:  // answered by its end
      kept_.push_back(std::move(call.reply));
      return;
    case 3:
      context().Finish();
      return;
    case 4:
      context().Fail(absl::DataLossError("cannot go on"));
      return;
    default:
      Fault();
      call.reply.Send(Done());
  }
}

// Looks when the coroutine goes.
struct Worker::InFrame {
  ~InFrame() {
    if (worker.record_.instances != 1) worker.Violation("a coroutine outlived its instance");
  }
  Worker& worker;
};

// A coroutine, which goes with the instance wherever it is.
void Worker::AnswerInSteps(Reply<Done> reply) {
  const InFrame in_frame{*this};
  for (size_t steps = 1 + scheduler_.Pick(3); steps > 0; --steps) {
    co_await context().Sleep(scheduler_.Within(absl::Seconds(1)));
    if (!serving_) Violation("resumed though it does not serve");
    if (scheduler_.Chance(faults_.at_work)) throw std::runtime_error("a fault, later");
  }
  reply.Send(Done());
}

void Worker::Violation(const std::string& what) {
  record_.violations.push_back(absl::StrCat("component \"", record_.name, "\": ", what));
}

}  // namespace mainspring::simulation
