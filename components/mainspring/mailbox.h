// Mailbox: the queue in front of a component thread. It has a bounded data lane, for calls, and a
// control lane, for the lifecycle requests and for callbacks, which is always served first.
//
// Many threads push; one, the component's, takes. A push never blocks: what there is no room for
// is answered at once. A mailbox outlives the instances of its component: calls that come while
// one is restarted wait for the next.
#ifndef MAINSPRING_MAILBOX_H_
#define MAINSPRING_MAILBOX_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "mainspring/call.h"
#include "mainspring/handler.h"
#include "mainspring/mutex.h"
#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"
#include "mainspring/thread_status.h"
#include "mainspring/wake_batch.h"

namespace mainspring {

class Component;

// The lifecycle requests that every component's request enum has beside its own. Who sends them
// opens and closes the mailbox: a start needs it open, a stop closed.
namespace control {
struct Start {  // Construct an instance, the one with this generation, and start it.
  uint64_t generation;
};
struct Stop {  // Answer what was accepted, but after `deadline` with `why`; then stop the instance.
  SteadyTime deadline;
  absl::Status why;
};
struct Discard {};   // Stop the instance now, if there is one; what is queued waits for another.
struct Pause {};     // Let calls wait.
struct Resume {};    // Serve them again.
struct Dependency {  // Another component came up, or went down.
  std::string component;
  bool running;
};
struct Quit {};  // End the control loop.
struct Run {     // For this instance alone.
  uint64_t instance;
  Callback callback;
};
}  // namespace control
using ControlRequest =
    std::variant<control::Start, control::Stop, control::Discard, control::Pause, control::Resume,
                 control::Dependency, control::Quit, control::Run>;

struct MailboxOptions {
  size_t max_calls = 1024;
  // Of all queued requests, as they are encoded on the wire.
  size_t max_bytes = size_t{64} << 20;
  // A call that waited longer than this for a running component is refused rather than served: by
  // then it holds up the calls whose callers still wait. A day at the most.
  absl::Duration max_queue_age = absl::Seconds(5);
};

// Counted since the mailbox was made, but for what is queued and in flight.
struct MailboxStats {
  size_t queued_calls = 0;
  size_t queued_bytes = 0;
  uint64_t handled = 0;    // given to the component
  uint64_t failed = 0;     // of those, the component failed in it
  uint64_t rejected = 0;   // refused at Push
  uint64_t expired = 0;    // deadline or queue age passed before they were taken
  uint64_t cancelled = 0;  // the caller had gone before they were taken
  uint64_t in_flight = 0;  // given to the component and not answered
};

// What does not depend on the request enum.
class MailboxBase : public CallbackQueue {
 public:
  MailboxBase(std::string component, MailboxOptions options, const TimeSource& time)
      : component_(std::move(component)),
        options_(options),
        max_age_(absl::ToChronoNanoseconds(std::min(options.max_queue_age, absl::Hours(24)))),
        time_(time) {}

  // The name of the component, which every refusal tells.
  const std::string& component() const { return component_; }

  // Any thread. Never refused.
  void PushControl(ControlRequest request);
  void Post(uint64_t instance, Callback callback) override;

  // From here on a push is refused with `why`; what is queued stays and can be taken. Any thread.
  void Close(absl::Status why);
  // Pushes are accepted again. Any thread.
  void Open();
  bool closed() const;

  MailboxStats stats() const;
  // When the call was pushed that has waited longest; kNever where none waits. Any thread.
  virtual SteadyTime oldest_call() const = 0;

  // Refuses all that is queued; says how many calls that were. Any thread, also while the
  // component's own does not come back.
  virtual size_t RefuseAll(const absl::Status& why) = 0;

  // For WakeBatch.
  void WakeNow() { changed_.NotifyOne(); }

  // The rest: component thread only.

  // What the control lane holds, in order.
  std::vector<ControlRequest> TakeControl();
  bool has_control() const { return control_pending_.load(std::memory_order_acquire); }
  bool has_calls() const {
    return pushed_calls_.load(std::memory_order_acquire) !=
           taken_calls_.load(std::memory_order_relaxed);
  }

  // Nobody will take from the control lane again: what it holds is dropped, and what comes.
  void EndControl();

  // From when on the queue age of waiting calls counts: an instance serves.
  void BeginServing() { serving_since_ = time_.CoarseNow(); }

  // Waits until the control lane has something, or the data lane where `calls` says so, or `until`.
  void Wait(bool calls, SteadyTime until);

  // Whom calls are handed to; null: nobody. False where it does not answer this request enum.
  virtual bool Attach(Component* component) = 0;

  // Takes the next call that is still worth it and hands it to the attached component. False where
  // there is none. What the component throws passes through.
  virtual bool Dispatch() = 0;

  // Calls that were handed on, are to be answered once, and are not yet.
  uint64_t open_replies() const {
    return handled_.load(std::memory_order_relaxed) - streams_.load(std::memory_order_relaxed) -
           answered_.load(std::memory_order_acquire);
  }

  // What the component's thread is in. Its control loop says so, and Dispatch.
  ThreadStatus& thread_status() { return thread_status_; }
  const ThreadStatus& thread_status() const { return thread_status_; }
  // The component threw in the method that was dispatched last, which is returned. Component
  // thread only.
  const char* CountFailure() {
    Count(failed_);
    return last_method_;
  }

 protected:
  // Where one push stands: room is taken before the call is queued.
  absl::Status Admit(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Where a call counts itself when it is answered, a stream when it is finished.
  std::atomic<uint64_t>& answered(bool stream) { return stream ? finished_streams_ : answered_; }
  void CountRejected() { rejected_.fetch_add(1, std::memory_order_relaxed); }
  // The thread was found waiting: wakes it, now or with the pusher's batch.
  void Wake() {
    if (!WakeBatch::Defer(*this)) WakeNow();
  }
  // The call leaves the queue.
  void CountTaken(size_t bytes) {
    taken_bytes_.store(taken_bytes_.load(std::memory_order_relaxed) + bytes,
                       std::memory_order_relaxed);
    Count(taken_calls_);
  }
  // Why a call that was taken is not handed on; OK where it is. `now` is coarse.
  absl::Status Stale(const CallContext& call, SteadyTime pushed, SteadyTime now) {
    if (!call.cancelled() && call.deadline() == kNever && pushed + max_age_ > now &&
        serving_since_ <= pushed) {
      return absl::OkStatus();
    }
    return CheckStale(call, pushed, now);
  }
  void CountHandled(const char* method, bool stream);
  // Calls leave the queue, but not by the component thread.
  void CountRemoved(size_t calls, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string component_;
  const MailboxOptions options_;
  const SteadyTime::duration max_age_;
  const TimeSource& time_;

  mutable Mutex mutex_;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
  bool waiting_for_calls_ ABSL_GUARDED_BY(mutex_) = false;

 private:
  // Of a counter that one thread alone writes: cheaper than an increment that others might join.
  static void Count(std::atomic<uint64_t>& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  absl::Status CheckStale(const CallContext& call, SteadyTime pushed, SteadyTime now);

  CondVar changed_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = true;
  absl::Status why_closed_ ABSL_GUARDED_BY(mutex_) = absl::UnavailableError("not started");
  std::vector<ControlRequest> control_ ABSL_GUARDED_BY(mutex_);
  bool control_ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> control_pending_{false};
  std::atomic<uint64_t> rejected_{0};

  // Written under the lock, read without.
  std::atomic<uint64_t> pushed_calls_{0};
  std::atomic<uint64_t> pushed_bytes_{0};

  // Written by the component thread alone, on cache lines of their own.
  alignas(64) std::atomic<uint64_t> taken_calls_{0};
  std::atomic<uint64_t> taken_bytes_{0};
  std::atomic<uint64_t> handled_{0};
  std::atomic<uint64_t> failed_{0};
  std::atomic<uint64_t> expired_{0};
  std::atomic<uint64_t> cancelled_{0};
  std::atomic<uint64_t> streams_{0};
  // By this thread as a rule.
  std::atomic<uint64_t> answered_{0};
  std::atomic<uint64_t> finished_streams_{0};
  ThreadStatus thread_status_;
  SteadyTime serving_since_{};
  const char* last_method_ = "";
};

template <class RequestEnum>
class Mailbox final : public MailboxBase {
 public:
  using MailboxBase::MailboxBase;

  // Queues the call, or answers it: RESOURCE_EXHAUSTED where there is no room for it, UNAVAILABLE
  // where the mailbox is closed. Says which: true, it is queued. Any thread; never blocks.
  bool Push(RequestEnum&& request) {
    const size_t bytes = EncodedBytes(request);
    const SteadyTime now = time_.CoarseNow();
    absl::Status refusal;
    bool wake = false;
    {
      MutexLock lock(mutex_);
      refusal = Admit(bytes);
      if (refusal.ok()) {
        incoming_.push_back({std::move(request), now, bytes});
        wake = waiting_ && waiting_for_calls_;
        if (wake) waiting_ = false;
      }
    }
    if (wake) Wake();
    if (refusal.ok()) return true;
    CountRejected();
    RefuseCall(request, std::move(refusal));
    return false;
  }

  SteadyTime oldest_call() const override {
    MutexLock lock(mutex_);
    // What was taken over is older than what has come in since.
    const size_t next = next_.load(std::memory_order_relaxed);
    if (next < batch_.size()) return batch_[next].pushed;
    return incoming_.empty() ? kNever : incoming_.front().pushed;
  }

  bool Attach(Component* component) override {
    handler_ = dynamic_cast<Handler<RequestEnum>*>(component);
    return component == nullptr || handler_ != nullptr;
  }

  bool Dispatch() override {
    while (Entry* entry = Next()) {
      // In place, whatever becomes of it: what is left of a call must not wait for the next batch.
      absl::Cleanup done = [entry] { entry->request.reset(); };
      CountTaken(entry->bytes);
      const SteadyTime now = time_.CoarseNow();
      const CallContext& context = std::visit(
          [](auto& call) -> const CallContext& { return ContextOf(call); }, *entry->request);
      if (absl::Status stale = Stale(context, entry->pushed, now); !stale.ok()) {
        RefuseCall(*entry->request, std::move(stale));
        continue;
      }
      const char* const method =
          std::visit([](auto& call) { return call.kMethod; }, *entry->request);
      const bool stream =
          std::visit([](auto& call) { return !HasReply<std::remove_cvref_t<decltype(call)>>; },
                     *entry->request);
      const ThreadStatus::Scope in_method(thread_status(), method, now);
      CountHandled(method, stream);
      context.CountAnswerIn(answered(stream));
      handler_->Handle(std::move(*entry->request));
      return true;
    }
    return false;
  }

  size_t RefuseAll(const absl::Status& why) override {
    std::vector<Entry> refused;
    {
      MutexLock lock(mutex_);
      while (Entry* entry = Claim()) refused.push_back(TakeOut(*entry));
      for (Entry& entry : incoming_) refused.push_back(TakeOut(entry));
      incoming_.clear();
      size_t bytes = 0;
      for (const Entry& entry : refused) bytes += entry.bytes;
      CountRemoved(refused.size(), bytes);
    }
    for (Entry& entry : refused) RefuseCall(*entry.request, OwnCopy(why));
    return refused.size();
  }

 private:
  struct Entry {
    std::optional<RequestEnum> request;
    SteadyTime pushed;
    size_t bytes;
  };

  static size_t EncodedBytes(const RequestEnum& request) {
    return std::visit(
        [](const auto& call) -> size_t {
          if constexpr (HasRequest<std::remove_cvref_t<decltype(call)>>) {
            return call.request.ByteSizeLong();
          } else {
            return 0;
          }
        },
        request);
  }

  static void RefuseCall(RequestEnum& request, absl::Status why) {
    std::visit([&](auto& call) { Refuse(call, std::move(why)); }, request);
  }

  static Entry TakeOut(Entry& entry) {
    return {std::exchange(entry.request, std::nullopt), entry.pushed, entry.bytes};
  }

  // The next entry, which stays where it is until the next call of this; null: none. Entries are
  // taken over from the producers a batch at a time: one lock for many calls. Component thread
  // only.
  Entry* Next() {
    if (Entry* entry = Claim()) return entry;
    if (!has_calls()) return nullptr;
    MutexLock lock(mutex_);
    batch_.clear();
    batch_.swap(incoming_);
    next_.store(0, std::memory_order_relaxed);
    return Claim();
  }

  // An entry of the batch goes to one thread: the component's, or one that holds the lock and
  // refuses what is queued.
  Entry* Claim() {
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    return index < batch_.size() ? &batch_[index] : nullptr;
  }

  std::vector<Entry> incoming_ ABSL_GUARDED_BY(mutex_);
  // Written by the component thread under the lock, read by it without.
  std::vector<Entry> batch_;
  std::atomic<size_t> next_{0};

  // Component thread only.
  Handler<RequestEnum>* handler_ = nullptr;
};

}  // namespace mainspring

#endif  // MAINSPRING_MAILBOX_H_
