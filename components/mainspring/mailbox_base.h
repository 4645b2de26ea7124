// MailboxBase: a mailbox, for whoever does not know its request enum. It has the control lane, the
// waiting, and who may push; the calls are Mailbox's.
#ifndef MAINSPRING_MAILBOX_BASE_H_
#define MAINSPRING_MAILBOX_BASE_H_

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "mainspring/call.h"
#include "mainspring/call_counts.h"
#include "mainspring/control_request.h"
#include "mainspring/inbox.h"
#include "mainspring/mutex.h"
#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"
#include "mainspring/thread_status.h"
#include "mainspring/wake_batch.h"

namespace mainspring {

class Component;
class DescriptorWaits;

struct MailboxOptions {
  size_t max_calls = 1024;
  // Of all queued requests, as they are encoded on the wire.
  size_t max_bytes = size_t{64} << 20;
  // A call that waited longer than this for a running component is refused rather than served: by
  // then it holds up the calls whose callers still wait. A day at the most.
  absl::Duration max_queue_age = absl::Seconds(5);
};

// "Component thread only": the one that takes, whoever that is.
class MailboxBase : public CallbackQueue, public Addressee {
 public:
  MailboxBase(std::string component, const MailboxOptions& options, const TimeSource& time);
  ~MailboxBase() override;

  // The name of the component, which every refusal tells. Any thread.
  const std::string& component() const override { return component_; }

  // Its limits from here on: of what comes, and of how old a call may be that is taken. Any thread.
  void SetOptions(const MailboxOptions& options);

  // Never refused; dropped from EndControl on until another BeginControl. Any thread.
  void PushControl(ControlRequest request);
  void Post(uint64_t generation, Callback callback) override;
  void ReportMisuse(std::string what) override;
  const char* SetCurrentCall(const char* method) override;
  void Threw(const char* method, std::string text) override;

  // From here on a push is refused with `why`; what is queued stays and can be taken. Any thread.
  void Close(absl::Status why);
  // Pushes are accepted again. Any thread.
  void Open();
  // Any thread.
  bool closed() const;

  // Any thread.
  MailboxStats stats() const;
  // When the call was pushed that has waited longest; kNever where none waits. Any thread.
  virtual SteadyTime oldest_call() const = 0;

  // Refuses all that is queued; says how many calls that were. Any thread, also while the
  // component's own does not come back.
  virtual size_t RefuseAll(const absl::Status& why) = 0;

  // Whether a caller that may choose had better choose it, as its host says. Any thread.
  void SetServes(bool serves) { serves_.store(serves, std::memory_order_relaxed); }
  bool serves() const { return serves_.load(std::memory_order_relaxed); }
  // Calls that wait, and those that are to be answered once and are not yet. Any thread; about.
  uint64_t load() const;

  // For WakeBatch. Any thread.
  void WakeNow();

  // What the control lane holds, in order. Component thread only.
  std::vector<ControlRequest> TakeControl();
  // Component thread only.
  bool has_control() const { return control_pending_.load(std::memory_order_acquire); }
  bool has_calls() { return counts_.any_queued(); }
  // Nobody takes from the control lane: what it holds is dropped, and what comes. Component thread
  // only.
  void EndControl();
  // Somebody will, who is about to be launched. Any thread.
  void BeginControl();

  // From when on the queue age of waiting calls counts: an instance serves. Component thread only.
  void BeginServing() { serving_since_ = time_.CoarseNow(); }

  // Waits until the control lane has something, or the data lane where `calls` says so, or `until`.
  // Component thread only.
  void Wait(bool calls, SteadyTime until);
  // The same, or until one of `descriptors` is ready.
  void Wait(bool calls, SteadyTime until, DescriptorWaits& descriptors);

  // Whom calls are handed to; null: nobody. False where it does not answer this request enum.
  // Component thread only.
  virtual bool Attach(Component* component) = 0;

  // Takes the next call that is still worth it, and answers those that are not; returns its
  // method, null where there is none. `now` is coarse. Component thread only.
  virtual const char* TakeCall(SteadyTime now) = 0;
  // Hands the call that was taken last to the attached component. What that throws passes through.
  // Component thread only.
  virtual void HandOn() = 0;
  // The component threw in it. Component thread only.
  void CountFailure() { counts_.Fail(); }

  // What a coroutine has thrown.
  struct Thrown {
    const char* method;  // of the call that it began in; null: in none
    std::string text;
  };
  // What the thread was told since it was last asked. Component thread only.
  bool has_notices() const { return !misuses_.empty() || !thrown_.empty(); }
  std::vector<std::string> TakeMisuses() { return std::exchange(misuses_, {}); }
  std::vector<Thrown> TakeThrown() { return std::exchange(thrown_, {}); }

  // Calls that were handed on, are to be answered once, and are not yet. Component thread only.
  uint64_t open_replies() const { return counts_.open_replies(); }

  // What the component's thread is in, as its control loop says. Any thread may look.
  ThreadStatus& thread_status() { return thread_status_; }
  const ThreadStatus& thread_status() const { return thread_status_; }

 protected:
  // OK, and its place is taken, or what a call of so many bytes is refused with.
  absl::Status Admit(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the component's thread waits for a call; true once for each wait, and who gets it must
  // Wake. Any thread.
  bool ClaimWaiter() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return waiting_ && waiting_for_calls_ && std::exchange(waiting_, false);
  }
  // The thread was found waiting: wakes it, now or with the pusher's batch. Any thread.
  void Wake() {
    if (!WakeBatch::Defer(*this)) WakeNow();
  }
  // Why a call that was taken is not handed on; OK where it is. `now` is coarse. Component thread
  // only.
  absl::Status RefusalIfStale(const CallContext& call, SteadyTime pushed, SteadyTime now) {
    if (!call.cancelled() && call.deadline() == kNever &&
        pushed + max_age_.load(std::memory_order_relaxed) > now && serving_since_ <= pushed) {
      return absl::OkStatus();
    }
    return CheckStale(call, pushed, now);
  }

  const TimeSource& time() const { return time_; }

  // On cache lines of their own, apart from what the component's thread writes with each call.
  ABSL_CACHELINE_ALIGNED mutable Mutex mutex_;
  CallCounts counts_;

 private:
  absl::Status Full(absl::string_view queued) const;
  absl::Status CheckStale(const CallContext& call, SteadyTime pushed, SteadyTime now);

  const std::string component_;
  MailboxOptions options_ ABSL_GUARDED_BY(mutex_);
  std::atomic<SteadyTime::duration> max_age_;
  const TimeSource& time_;

  CondVar changed_;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
  bool waiting_for_calls_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = true;
  absl::Status why_closed_ ABSL_GUARDED_BY(mutex_);
  std::vector<ControlRequest> control_ ABSL_GUARDED_BY(mutex_);
  bool control_ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> control_pending_{false};
  std::atomic<bool> serves_{false};
  // An eventfd that wakes the thread while it waits for descriptors too; negative until one was
  // waited for.
  std::atomic<int> wake_fd_{-1};

  // Written by the component's thread alone; what follows is its alone to read, too.
  ABSL_CACHELINE_ALIGNED ThreadStatus thread_status_;
  SteadyTime serving_since_{};
  std::set<std::string> misuses_told_;
  std::vector<std::string> misuses_;
  std::vector<Thrown> thrown_;
};

}  // namespace mainspring

#endif  // MAINSPRING_MAILBOX_BASE_H_
