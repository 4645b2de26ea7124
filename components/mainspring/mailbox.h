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
#include "mainspring/wake_batch.h"

namespace mainspring {

class Component;

// The lifecycle requests that every component's request enum has beside its own.
struct StartRequest {};  // Construct an instance and start it.
struct StopRequest {     // Answer what is queued, but not after `deadline`; then stop the instance.
  SteadyTime deadline;
};
struct RefuseRequest {  // Answer all that is queued with this: no instance will come.
  absl::Status why;
};
struct QuitRequest {};  // End the control loop.
struct CallbackRequest {
  uint64_t instance;
  Callback callback;
};
using ControlRequest = 
    std::variant<StartRequest, StopRequest, RefuseRequest, QuitRequest, CallbackRequest>;

struct MailboxOptions {
  size_t max_calls = 1024;
  // Of all queued requests, as they are encoded on the wire.
  size_t max_bytes = size_t{64} << 20;
  // A call that waited longer than this for a running component is refused rather than served: by
  // then it holds up the calls whose callers still wait. A day at the most.
  absl::Duration max_queue_age = absl::Seconds(5);
};

// Counted since the mailbox was made, but for the first two.
struct MailboxStats {
  size_t queued_calls = 0;
  size_t queued_bytes = 0;
  uint64_t handled = 0;    // given to the component
  uint64_t failed = 0;     // of those, the component threw
  uint64_t rejected = 0;   // refused at Push
  uint64_t expired = 0;    // deadline or queue age passed before they were taken
  uint64_t cancelled = 0;  // the caller had gone before they were taken
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

  // Refuses all that is queued; says how many calls that were.
  virtual size_t RefuseAll(const absl::Status& why) = 0;

  // The method that Dispatch is in, null outside, and since when. Any thread.
  const char* current_method() const { return method_.load(std::memory_order_acquire); }
  SteadyTime current_since() const {
    return SteadyTime(SteadyTime::duration(method_since_.load(std::memory_order_relaxed)));
  }
  // The component threw in the method that was dispatched last, which is returned. Component
  // thread only.
  const char* CountFailure() {
    Count(failed_);
    return last_method_;
  }

 protected:
  // Where one push stands: room is taken before the call is queued.
  absl::Status Admit(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
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
  void BeginMethod(const char* method, SteadyTime now);
  void EndMethod() { method_.store(nullptr, std::memory_order_release); }

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
  std::atomic<const char*> method_{nullptr};
  std::atomic<SteadyTime::rep> method_since_{0};
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
      const CallContext& context =
          std::visit([](auto& call) -> const CallContext& { return ContextOf(call); },
                     *entry->request);
      if (absl::Status stale = Stale(context, entry->pushed, now); !stale.ok()) {
        RefuseCall(*entry->request, std::move(stale));
        continue;
      }
      struct Method {
        Mailbox& mailbox;
        ~Method() { mailbox.EndMethod(); }
      } method{*this};
      BeginMethod(std::visit([](auto& call) { return call.kMethod; }, *entry->request), now);
      handler_->Handle(std::move(*entry->request));
      return true;
    }
    return false;
  }

  size_t RefuseAll(const absl::Status& why) override {
    size_t refused = 0;
    for (; Entry* entry = Next(); ++refused) {
      CountTaken(entry->bytes);
      RefuseCall(*entry->request, why);
      entry->request.reset();
    }
    return refused;
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

  // The next entry, which stays where it is until the next call of this; null: none. Entries are
  // taken over from the producers a batch at a time: one lock for many calls.
  Entry* Next() {
    if (next_ == batch_.size()) {
      if (!has_calls()) return nullptr;
      batch_.clear();
      next_ = 0;
      MutexLock lock(mutex_);
      batch_.swap(incoming_);
      if (batch_.empty()) return nullptr;
    }
    return &batch_[next_++];
  }

  std::vector<Entry> incoming_ ABSL_GUARDED_BY(mutex_);

  // Component thread only.
  std::vector<Entry> batch_;
  size_t next_ = 0;
  Handler<RequestEnum>* handler_ = nullptr;
};

}  // namespace mainspring

#endif  // MAINSPRING_MAILBOX_H_
