#include "mainspring/control_loop.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "mainspring/file_configurable.h"
#include "mainspring/status_details.h"
#include "mainspring/text.h"

namespace mainspring {
namespace {

// How often a stop looks whether the last answer was given.
constexpr std::chrono::milliseconds kReplyPoll(5);

// How often a component that has calls without end looks at its descriptors.
constexpr std::chrono::milliseconds kDescriptorPoll(4);

}  // namespace

// Destroyed in reverse: the component before the context that it refers to.
struct ControlLoop::Instance {
  ReturnAddress address;
  Context context;
  std::unique_ptr<Component> component = nullptr;
};

ControlLoop::ControlLoop(std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
                         const Surroundings& surroundings, LifecycleObserver& observer)
    : mailbox_(std::move(mailbox)),
      factory_(std::move(factory)),
      surroundings_(surroundings),
      time_(surroundings_.time),
      observer_(observer) {}

ControlLoop::~ControlLoop() {
  Destroy(Gone());
  mailbox_->EndControl();
  mailbox_->Close(Gone());
  mailbox_->RefuseAll(Gone());
}

absl::Status ControlLoop::Gone() const {
  const std::string& name = mailbox_->component();
  return WithReason(absl::UnavailableError(absl::StrCat("component \"", name, "\": gone")),
                    "COMPONENT_DOWN", name, kRetryWhenDown);
}

bool ControlLoop::RunReady() {
  while (RunNext()) {
  }
  return !quit_;
}

bool ControlLoop::RunNext() { return !quit_ && (RunControl() || RunOne()); }

SteadyTime ControlLoop::next_wake() const {
  SteadyTime next = kNever;
  if (stop_.has_value()) {
    // What is kept may be answered by another thread, which does not say so here.
    next = mailbox_->open_replies() == 0 ? stop_->deadline
                                         : std::min(stop_->deadline, time_.Now() + kReplyPoll);
  }
  if (instance_ != nullptr) next = std::min(next, instance_->context.timers().next());
  return next;
}

void ControlLoop::Wait() {
  if (instance_ == nullptr || instance_->context.descriptors().empty()) {
    return mailbox_->Wait(serves_calls(), next_wake());
  }
  mailbox_->Wait(serves_calls(), next_wake(), instance_->context.descriptors());
}

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
  if (stop_.has_value() && (instance_ == nullptr || time_.Now() >= stop_->deadline ||
                            (!mailbox_->has_calls() && mailbox_->open_replies() == 0))) {
    FinishStop(/*refuse_the_rest=*/true);
    return true;
  }
  if (instance_ == nullptr) return false;
  TimerQueue& timers = instance_->context.timers();
  const SteadyTime now = time_.CoarseNow();
  const bool timer_due = timers.next() != kNever && timers.next() <= time_.Now();
  const bool call_waits = serves_calls() && mailbox_->has_calls();
  // In turns here too: a descriptor that is always ready must not starve the others.
  const bool idle = !timer_due && !call_waits;
  if (!instance_->context.descriptors().empty() &&
      (idle || !std::exchange(descriptors_turn_over_, false)) && RunDescriptor(now, idle)) {
    descriptors_turn_over_ = true;
    return true;
  }
  if (!timer_due && !call_waits) return false;
  // In turns, where both are: a timer that is always late must not starve the calls.
  calls_turn_ = timer_due && call_waits && !calls_turn_;
  if (timer_due && !calls_turn_) {
    Serve("a timer", now, [&] { timers.RunNext(time_.Now()); });
  } else if (const char* method = mailbox_->TakeCall(now); method != nullptr) {
    Serve(method, now, [&] {
      // The thread's status names it already.
      mailbox_->CallbackQueue::SetCurrentCall(method);
      mailbox_->HandOn();
      mailbox_->CallbackQueue::SetCurrentCall(nullptr);
    });
  }
  return true;
}

// Asking the kernel costs more than a call: while there are calls, every few milliseconds will do.
bool ControlLoop::RunDescriptor(SteadyTime now, bool idle) {
  DescriptorWaits& descriptors = instance_->context.descriptors();
  if (!idle && now < polled_ + kDescriptorPoll) return false;
  bool ran = false;
  Serve("a descriptor's callback", now, [&] { ran = descriptors.RunNext(); });
  if (!ran) polled_ = now;
  return ran || instance_ == nullptr;
}

void ControlLoop::Obey(control::Start request) {
  // Whoever wants another instance no longer waits for the one before.
  if (stop_.has_value()) FinishStop(/*refuse_the_rest=*/false);
  StopInstance(Gone());
  generation_ = request.generation;
  on_exception_ = request.on_exception;
  instance_.reset(new Instance{ReturnAddress(mailbox_, generation_),
                               {mailbox_->component(), generation_, surroundings_}});
  mailbox_->SetTimers(&instance_->context.timers());
  Run("construction", [&] { instance_->component = factory_(instance_->context); });
  if (instance_ == nullptr) return;
  absl::Status started;
  if (instance_->component == nullptr) {
    started = absl::InternalError("the factory made no component");
  } else if (!mailbox_->Attach(instance_->component.get())) {
    started = absl::InternalError("the class answers another request enum");
  } else if (started = instance_->context.TakeFailure(); started.ok()) {
    started = GiveFirst(request.section ? request.section() : nullptr);
    if (instance_ == nullptr) return;
    started.Update(instance_->context.TakeFailure());
  }
  if (started.ok()) {
    Run("Start", [&] { started = instance_->component->Start(); });
    if (instance_ == nullptr) return;
    started.Update(instance_->context.TakeFailure());
  }
  // First, so that nobody takes it for healthy in between.
  if (started.ok()) TellServing();
  if (!started.ok()) Destroy(started);
  mailbox_->BeginServing();
  observer_.OnStarted(mailbox_->component(), generation_, Bounded(started));
  // A Finish that Start asked for comes after that.
  if (started.ok()) Serve("Start", time_.CoarseNow(), [] {});
}

AnyConfigurable* ControlLoop::configurable() const {
  return dynamic_cast<AnyConfigurable*>(instance_->component.get());
}

// What it throws is a refusal, and costs nothing.
absl::Status ControlLoop::Check(AnyConfigurable& configurable,
                                const google::protobuf::Message& config) {
  const ThreadStatus::Scope in_step(mailbox_->thread_status(), "Validate", time_.CoarseNow());
  const DispatchScope dispatch;
  const ReturnAddressScope address(instance_->address);
  try {
    absl::Status valid = configurable.ValidateAny(config);
    // What it says of itself meanwhile is said of the section.
    valid.Update(instance_->context.TakeFailure());
    if (valid.ok()) return valid;
    // Where there is no room for its files, another time may do.
    return Bounded(absl::Status(absl::IsResourceExhausted(valid)
                                    ? absl::StatusCode::kResourceExhausted
                                    : absl::StatusCode::kInvalidArgument,
                                valid.message()));
  } catch (const std::exception& exception) {
    return absl::InvalidArgumentError(
        absl::StrCat("Validate threw: ", BoundedText(exception.what())));
  } catch (...) {
    return absl::InvalidArgumentError("Validate threw what is not a std::exception");
  }
}

absl::Status ControlLoop::GiveFirst(const Section& section) {
  AnyConfigurable* const takes = configurable();
  if (takes == nullptr) return absl::OkStatus();
  const google::protobuf::Message& config = section == nullptr ? takes->Empty() : *section;
  const absl::Status valid = Check(*takes, config);
  if (!valid.ok()) {
    return absl::Status(valid.code(), absl::StrCat("config: ", std::string(valid.message())));
  }
  absl::Status applied;
  Run("Apply", [&] { applied = takes->ApplyAny(config); });
  return applied;
}

void ControlLoop::Obey(control::Configure request) {
  if (instance_ == nullptr || instance_->context.generation() != request.generation) {
    return request.reply.Fail(Gone());
  }
  AnyConfigurable* const takes = configurable();
  if (takes == nullptr) {
    return request.reply.Fail(absl::FailedPreconditionError("the component takes no section"));
  }
  const google::protobuf::Message& config =
      request.section == nullptr ? takes->Empty() : *request.section;
  if (absl::Status valid = Check(*takes, config); !valid.ok()) {
    return request.reply.Fail(std::move(valid));
  }
  absl::Status applied;
  if (request.apply) {
    Serve("Apply", time_.CoarseNow(), [&] { applied = takes->ApplyAny(config); });
  }
  if (instance_ == nullptr) {
    return request.reply.Fail(absl::AbortedError("the component went in Apply"));
  }
  if (!applied.ok()) return request.reply.Fail(Bounded(std::move(applied)));
  const auto* const files = dynamic_cast<const AnyFileConfigurable*>(instance_->component.get());
  request.reply.Send({files == nullptr ? "" : files->config_directory().path()});
}

void ControlLoop::Obey(control::Stop request) {
  if (stop_.has_value()) request.deadline = std::min(request.deadline, stop_->deadline);
  stop_ = std::move(request);
  Obey(control::Resume{});
}

void ControlLoop::Obey(control::Discard) { StopInstance(Gone()); }

void ControlLoop::Obey(control::Pause) { paused_ = instance_ != nullptr && !stop_.has_value(); }

void ControlLoop::Obey(control::Resume) {
  if (std::exchange(paused_, false)) mailbox_->BeginServing();
}

void ControlLoop::Obey(control::Drain request) {
  if (instance_ == nullptr || !instance_->context.SetDraining(request.draining)) return;
  Serve("Draining", time_.CoarseNow(), [&] { instance_->component->Draining(); });
}

void ControlLoop::Obey(control::Dependency request) {
  if (instance_ == nullptr) return;
  Serve("DependencyChanged", time_.CoarseNow(),
        [&] { instance_->component->DependencyChanged(request.component, request.running); });
}

void ControlLoop::Obey(control::Quit) {
  Destroy(stop_.has_value() ? stop_->why : Gone());
  quit_ = true;
}

void ControlLoop::Obey(control::Run request) {
  if (instance_ == nullptr || instance_->context.generation() != request.generation) {
    // What it holds belonged to an instance that is gone.
    const absl::Status why = Gone();
    const DropScope dropped(why);
    request.callback = nullptr;
    return;
  }
  Serve("a callback", time_.CoarseNow(), [&] { request.callback(); });
}

void ControlLoop::FinishStop(bool refuse_the_rest) {
  size_t refused = mailbox_->open_replies();
  StopInstance(stop_->why);
  if (refuse_the_rest) refused += mailbox_->RefuseAll(stop_->why);
  stop_.reset();
  observer_.OnStopped(mailbox_->component(), generation_, refused);
}

bool ControlLoop::StopInstance(const absl::Status& why) {
  if (instance_ == nullptr) return true;
  const DropScope dropped(why);
  Run("Stop", [this] { instance_->component->Stop(); });
  const bool stopped = instance_ != nullptr;
  Destroy(why);
  return stopped;
}

void ControlLoop::Destroy(const absl::Status& why) {
  const DropScope dropped(why);
  const ThreadStatus::Scope destroys(mailbox_->thread_status(), "destruction", time_.CoarseNow());
  mailbox_->Attach(nullptr);
  if (instance_ != nullptr) {
    // A copy: the instance's own goes with it.
    const ReturnAddress address = instance_->address;
    const ReturnAddressScope scope(address);
    // What is suspended, and what waits, refers to the component.
    mailbox_->DestroyGuests();
    mailbox_->ReleaseAll();
    mailbox_->SetTimers(nullptr);
    instance_.reset();
    mailbox_->DestroyGuests();
  }
  mailbox_->ReleaseAll();
  HearMisuses();
  // What was thrown on the way out costs nobody anything any more.
  for (const MailboxBase::Thrown& thrown : mailbox_->TakeThrown()) {
    observer_.OnCallFailed(
        mailbox_->component(), generation_,
        {BoundedText(absl::StrCat("INTERNAL: ", thrown.text)),
         thrown.method == nullptr ? "destruction" : thrown.method, CurrentRequestId()});
  }
  paused_ = false;
}

void ControlLoop::Threw(const char* method, const char* during, const std::string& text) {
  const absl::Status status = absl::InternalError(text);
  if (method != nullptr) {
    mailbox_->CountFailure();
    during = method;
    if (on_exception_ == OnException::kFailCall) {
      return observer_.OnCallFailed(mailbox_->component(), generation_,
                                    {BoundedText(status.ToString()), during, CurrentRequestId()});
    }
  }
  Fail(during, status);
}

void ControlLoop::Fail(const char* during, const absl::Status& status) {
  const Failure failure{BoundedText(status.ToString()), during, CurrentRequestId()};
  // The call that it was in has been answered by its unwinding.
  Destroy(WithReason(
      absl::UnavailableError(absl::StrCat("component \"", mailbox_->component(),
                                          "\": failed; request_id=", failure.request_id)),
      "COMPONENT_FAILED", mailbox_->component(), kRetryWhenDown));
  observer_.OnFailed(mailbox_->component(), generation_, failure);
}

template <class Step>
void ControlLoop::Run(const char* during, Step step) {
  const DispatchScope dispatch;
  RunGuarded(during, time_.CoarseNow(), step);
}

template <class Step>
void ControlLoop::Serve(const char* during, SteadyTime now, Step step) {
  const DispatchScope dispatch;
  RunGuarded(during, now, step);
  if (mailbox_->has_notices()) HearNotices(during);
  EndIfAsked(during);
}

template <class Step>
void ControlLoop::RunGuarded(const char* during, SteadyTime now, Step& step) {
  const ThreadStatus::Scope in_step(mailbox_->thread_status(), during, now);
  try {
    const ReturnAddressScope address(instance_->address);
    step();
  } catch (const std::exception& exception) {
    Threw(mailbox_->SetCurrentCall(nullptr), during, BoundedText(exception.what()));
  } catch (...) {
    Threw(mailbox_->SetCurrentCall(nullptr), during, "threw what is not a std::exception");
  }
}

void ControlLoop::HearMisuses() {
  for (const std::string& what : mailbox_->TakeMisuses()) {
    observer_.OnMisuse(mailbox_->component(), generation_, what);
  }
}

void ControlLoop::HearNotices(const char* during) {
  HearMisuses();
  for (const MailboxBase::Thrown& thrown : mailbox_->TakeThrown()) {
    // The first may have cost the instance.
    if (instance_ != nullptr) Threw(thrown.method, during, thrown.text);
  }
}

void ControlLoop::TellServing() {
  Context& context = instance_->context;
  if (!context.TakeServingChange()) return;
  observer_.OnServing(mailbox_->component(), generation_, context.serving(),
                      context.why_not_serving());
}

void ControlLoop::EndIfAsked(const char* during) {
  if (instance_ == nullptr) return;
  TellServing();
  // One that is stopped anyway ends that way.
  if (stop_.has_value()) return;
  if (absl::Status failure = instance_->context.TakeFailure(); !failure.ok()) {
    return Fail(during, failure);
  }
  if (!instance_->context.finished()) return;
  if (StopInstance(Gone())) observer_.OnFinished(mailbox_->component(), generation_);
}

}  // namespace mainspring
