#include "mainspring/mailbox_base.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "mainspring/descriptor_waits.h"
#include "mainspring/status_details.h"

namespace mainspring {
namespace {

// Of one component.
constexpr size_t kMaxMisuses = 100;

constexpr std::chrono::milliseconds kBlindWait(5);

SteadyTime::duration MaxAge(const MailboxOptions& options) {
  return absl::ToChronoNanoseconds(std::min(options.max_queue_age, absl::Hours(24)));
}

}  // namespace

MailboxBase::MailboxBase(std::string component, const MailboxOptions& options,
                         const TimeSource& time)
    : component_(std::move(component)),
      options_(options),
      max_age_(MaxAge(options)),
      time_(time),
      why_closed_(
          absl::UnavailableError(absl::StrCat("component \"", component_, "\": not started"))) {}

MailboxBase::~MailboxBase() {
  const int wake_fd = wake_fd_.load(std::memory_order_relaxed);
  if (wake_fd >= 0) close(wake_fd);
}

void MailboxBase::SetOptions(const MailboxOptions& options) {
  MutexLock lock(mutex_);
  options_ = options;
  max_age_.store(MaxAge(options), std::memory_order_relaxed);
}

void MailboxBase::PushControl(ControlRequest request) {
  bool wake;
  {
    MutexLock lock(mutex_);
    // Outside of the lock, what it has captured is destroyed with the argument.
    if (control_ended_) return;
    control_.push_back(std::move(request));
    control_pending_.store(true, std::memory_order_release);
    wake = std::exchange(waiting_, false);
  }
  if (wake) Wake();
}

void MailboxBase::Post(uint64_t generation, Callback callback) {
  PushControl(control::Run{generation, std::move(callback)});
}

void MailboxBase::ReportMisuse(std::string what) {
  // Each once: a program that does it does it at each call.
  if (misuses_told_.size() < kMaxMisuses && misuses_told_.insert(what).second) {
    misuses_.push_back(std::move(what));
  }
}

const char* MailboxBase::SetCurrentCall(const char* method) {
  if (method != nullptr) thread_status_.Rename(method);
  return CallbackQueue::SetCurrentCall(method);
}

void MailboxBase::Threw(const char* method, std::string text) {
  thrown_.push_back({method, std::move(text)});
}

void MailboxBase::EndControl() {
  {
    MutexLock lock(mutex_);
    control_ended_ = true;
  }
  TakeControl();
}

void MailboxBase::BeginControl() {
  MutexLock lock(mutex_);
  control_ended_ = false;
}

void MailboxBase::Close(absl::Status why) {
  MutexLock lock(mutex_);
  closed_ = true;
  why_closed_ = std::move(why);
}

void MailboxBase::Open() {
  MutexLock lock(mutex_);
  closed_ = false;
}

bool MailboxBase::closed() const {
  MutexLock lock(mutex_);
  return closed_;
}

MailboxStats MailboxBase::stats() const {
  MutexLock lock(mutex_);
  return counts_.Read();
}

uint64_t MailboxBase::load() const {
  MutexLock lock(mutex_);
  return counts_.queued_calls() + counts_.open_replies();
}

std::vector<ControlRequest> MailboxBase::TakeControl() {
  std::vector<ControlRequest> taken;
  MutexLock lock(mutex_);
  taken.swap(control_);
  control_pending_.store(false, std::memory_order_relaxed);
  return taken;
}

void MailboxBase::Wait(bool calls, SteadyTime until) {
  MutexLock lock(mutex_);
  while (control_.empty() && !(calls && has_calls())) {
    waiting_ = true;
    waiting_for_calls_ = calls;
    changed_.WaitUntil(mutex_, until);
    if (until != kNever && time_.Now() >= until) break;
  }
  waiting_ = false;
}

void MailboxBase::Wait(bool calls, SteadyTime until, DescriptorWaits& descriptors) {
  int wake_fd = wake_fd_.load(std::memory_order_relaxed);
  if (wake_fd < 0) {
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    // Without one nobody could wake it: then it looks every few milliseconds.
    if (wake_fd < 0) until = std::min(until, std::chrono::steady_clock::now() + kBlindWait);
    wake_fd_.store(wake_fd, std::memory_order_seq_cst);
  }
  {
    MutexLock lock(mutex_);
    if (!control_.empty() || (calls && has_calls())) return;
    waiting_ = true;
    waiting_for_calls_ = calls;
  }
  descriptors.Wait(wake_fd, until);
  {
    MutexLock lock(mutex_);
    waiting_ = false;
  }
  eventfd_t woken;
  if (wake_fd >= 0) eventfd_read(wake_fd, &woken);
}

void MailboxBase::WakeNow() {
  changed_.NotifyOne();
  const int wake_fd = wake_fd_.load(std::memory_order_acquire);
  if (wake_fd >= 0) eventfd_write(wake_fd, 1);
}

absl::Status MailboxBase::Admit(size_t bytes) {
  if (closed_) return OwnCopy(why_closed_);
  const size_t calls = counts_.queued_calls();
  const size_t queued = counts_.queued_bytes();
  if (calls >= options_.max_calls) {
    return Full(absl::StrCat(calls, " calls"));
  }
  // A single request that is larger than the whole budget must still get through an empty queue.
  if (calls != 0 && queued + bytes > options_.max_bytes) {
    return Full(absl::StrCat(queued, " bytes"));
  }
  counts_.Push(bytes);
  return absl::OkStatus();
}

absl::Status MailboxBase::Full(absl::string_view queued) const {
  return WithReason(
      absl::ResourceExhaustedError(absl::StrCat(
          "component \"", component_, "\": mailbox full: ", queued, " are queued; try later")),
      "MAILBOX_FULL", component_, kRetryWhenFull);
}

absl::Status MailboxBase::CheckStale(const CallContext& call, SteadyTime pushed, SteadyTime now) {
  const bool deadline_passed = call.deadline() != kNever && call.deadline() <= time_.Now();
  // A caller who went because time was up is told so.
  if (call.cancelled() && !deadline_passed) {
    counts_.Cancel();
    return absl::CancelledError("the caller went away");
  }
  const SteadyTime waiting_since = pushed > serving_since_ ? pushed : serving_since_;
  const bool too_old = waiting_since + max_age_.load(std::memory_order_relaxed) <= now;
  if (!deadline_passed && !too_old) return absl::OkStatus();
  counts_.Expire();
  const std::string waited =
      absl::FormatDuration(std::max(Between(pushed, now), absl::ZeroDuration()));
  if (deadline_passed) {
    return absl::DeadlineExceededError(absl::StrCat(
        "component \"", component_, "\": the deadline passed after ", waited, " in the mailbox"));
  }
  return WithReason(absl::ResourceExhaustedError(
                        absl::StrCat("component \"", component_, "\": overloaded: the call waited ",
                                     waited, " in the mailbox; try later")),
                    "QUEUE_TOO_OLD", component_, kRetryWhenFull);
}

}  // namespace mainspring
