#include "mainspring/mailbox_base.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace mainspring {

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

void MailboxBase::EndControl() {
  {
    MutexLock lock(mutex_);
    control_ended_ = true;
  }
  TakeControl();
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

absl::Status MailboxBase::Admit(size_t bytes) {
  if (closed_) return OwnCopy(why_closed_);
  const size_t calls = counts_.queued_calls();
  const size_t queued = counts_.queued_bytes();
  if (calls >= options_.max_calls) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "component \"", component_, "\": mailbox full: ", calls, " calls are queued; try later"));
  }
  // A single request that is larger than the whole budget must still get through an empty queue.
  if (calls != 0 && queued + bytes > options_.max_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "component \"", component_, "\": mailbox full: ", queued, " bytes are queued; try later"));
  }
  counts_.Push(bytes);
  return absl::OkStatus();
}

absl::Status MailboxBase::CheckStale(const CallContext& call, SteadyTime pushed, SteadyTime now) {
  if (call.cancelled()) {
    counts_.Cancel();
    return absl::CancelledError("the caller went away");
  }
  const SteadyTime waiting_since = pushed > serving_since_ ? pushed : serving_since_;
  const bool deadline_passed = call.deadline() != kNever && call.deadline() <= time_.Now();
  const bool too_old = waiting_since + max_age_ <= now;
  if (!deadline_passed && !too_old) return absl::OkStatus();
  counts_.Expire();
  const std::string waited =
      absl::FormatDuration(std::max(Between(pushed, now), absl::ZeroDuration()));
  if (deadline_passed) {
    return absl::DeadlineExceededError(absl::StrCat(
        "component \"", component_, "\": the deadline passed after ", waited, " in the mailbox"));
  }
  return absl::ResourceExhaustedError(absl::StrCat("component \"", component_,
                                                   "\": overloaded: the call waited ", waited,
                                                   " in the mailbox; try later"));
}

}  // namespace mainspring
