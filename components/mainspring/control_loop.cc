#include "mainspring/control_loop.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace mainspring {

// Destroyed in reverse: the component before the context that it refers to.
struct ControlLoop::Instance {
  ReturnAddress address;
  Context context;
  std::unique_ptr<Component> component = nullptr;
};

ControlLoop::ControlLoop(std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
                         const TimeSource& time, const Directory& directory,
                         LifecycleObserver& observer)
    : mailbox_(std::move(mailbox)),
      factory_(std::move(factory)),
      time_(time),
      directory_(directory),
      observer_(observer) {}

ControlLoop::~ControlLoop() {
  Destroy();
  mailbox_->EndControl();
  mailbox_->Close(absl::UnavailableError(
      absl::StrCat("component \"", mailbox_->component(), "\": gone")));
  mailbox_->RefuseAll(absl::UnavailableError(
      absl::StrCat("component \"", mailbox_->component(), "\": gone")));
}

bool ControlLoop::RunReady() {
  while (!quit_ && (RunControl() || RunOne())) {
  }
  return !quit_;
}

SteadyTime ControlLoop::next_wake() const {
  SteadyTime next = stop_deadline_.value_or(kNever);
  if (instance_ != nullptr) next = std::min(next, instance_->context.timers().next());
  return next;
}

void ControlLoop::Wait() { mailbox_->Wait(/*calls=*/instance_ != nullptr, next_wake()); }

bool ControlLoop::RunControl() {
  if (!mailbox_->has_control()) return false;
  for (ControlRequest& request : mailbox_->TakeControl()) {
    if (quit_) break;
    std::visit([this](auto& typed) { Obey(std::move(typed)); }, request);
  }
  return true;
}

// One timer, one call, or the end of a stop, so that the control lane is looked at in between.
bool ControlLoop::RunOne() {
  if (stop_deadline_.has_value() &&
      (instance_ == nullptr || !mailbox_->has_calls() || time_.Now() >= *stop_deadline_)) {
    FinishStop();
    return true;
  }
  if (instance_ == nullptr) return false;
  TimerQueue& timers = instance_->context.timers();
  const bool timer_due = timers.next() != kNever && timers.next() <= time_.Now();
  if (!timer_due && !mailbox_->has_calls()) return false;
  // In turns, where both are: a timer that is always late must not starve the calls.
  calls_turn_ = timer_due && mailbox_->has_calls() && !calls_turn_;
  if (timer_due && !calls_turn_) {
    Guard("a timer", [&] { timers.RunNext(time_.Now()); });
    return true;
  }
  Guard(nullptr, [this] { mailbox_->Dispatch(); });
  return true;
}

void ControlLoop::Obey(StartRequest) {
  if (instance_ != nullptr) return observer_.OnStarted(mailbox_->component(), absl::OkStatus());
  const uint64_t number = ++instances_;
  mailbox_->Open();
  instance_.reset(new Instance{ReturnAddress(mailbox_, number),
                               {mailbox_->component(), number, time_, directory_}});
  Guard("construction", [&] { instance_->component = factory_(instance_->context); });
  if (instance_ == nullptr) return;
  if (instance_->component == nullptr) {
    Destroy();
    return observer_.OnStarted(mailbox_->component(),
                               absl::InternalError("the factory made no component"));
  }
  if (!mailbox_->Attach(instance_->component.get())) {
    Destroy();
    return observer_.OnStarted(mailbox_->component(),
                               absl::InternalError("the class answers another request enum"));
  }
  absl::Status started;
  Guard("Start", [&] { started = instance_->component->Start(); });
  if (instance_ == nullptr) return;
  if (!started.ok()) Destroy();
  mailbox_->BeginServing();
  observer_.OnStarted(mailbox_->component(), started);
}

void ControlLoop::Obey(StopRequest request) {
  mailbox_->Close(absl::UnavailableError(
      absl::StrCat("component \"", mailbox_->component(), "\": STOPPING: asked to stop")));
  stop_deadline_ = stop_deadline_.has_value() ? std::min(*stop_deadline_, request.deadline)
                                              : request.deadline;
}

void ControlLoop::Obey(RefuseRequest request) { mailbox_->RefuseAll(request.why); }

void ControlLoop::Obey(QuitRequest) {
  Destroy();
  quit_ = true;
}

void ControlLoop::Obey(CallbackRequest request) {
  if (instance_ == nullptr || instance_->context.instance() != request.instance) return;
  Guard("a callback", [&] { request.callback(); });
}

void ControlLoop::FinishStop() {
  if (instance_ != nullptr) Guard("Stop", [this] { instance_->component->Stop(); });
  Destroy();
  const size_t refused = mailbox_->RefuseAll(absl::UnavailableError(
      absl::StrCat("component \"", mailbox_->component(), "\": STOPPED: asked to stop")));
  stop_deadline_.reset();
  observer_.OnStopped(mailbox_->component(), refused);
}

void ControlLoop::Destroy() {
  mailbox_->Attach(nullptr);
  instance_.reset();
  mailbox_->ReleaseAll();
}

template <class Step>
void ControlLoop::Guard(const char* during, Step step) {
  DispatchScope dispatch;
  try {
    ReturnAddressScope address(instance_->address);
    step();
  } catch (const std::exception& exception) {
    Fail(during, exception.what());
  } catch (...) {
    Fail(during, "threw what is not a std::exception");
  }
}

void ControlLoop::Fail(const char* during, const char* what) {
  if (during == nullptr) during = mailbox_->CountFailure();
  const Failure failure{absl::InternalError(what), during, CurrentRequestId()};
  Destroy();
  observer_.OnFailed(mailbox_->component(), failure);
}

}  // namespace mainspring
