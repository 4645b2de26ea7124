// ReturnAddress: where an answer that comes later is to be handled, namely on the thread that
// asked. A component thread has one for as long as its present instance lives.
#ifndef MAINSPRING_RETURN_ADDRESS_H_
#define MAINSPRING_RETURN_ADDRESS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace mainspring {

class TimerQueue;

using Callback = absl::AnyInvocable<void()>;

// A queue of callbacks which one thread runs in order. A mailbox's control lane is one.
class CallbackQueue {
 public:
  virtual ~CallbackQueue() = default;

  // Any thread; never blocks and never runs the callback itself. `generation` says for which
  // instance of a component it is meant: where another one lives by then, the callback is
  // destroyed and not run, since what it captured is gone.
  virtual void Post(uint64_t generation, Callback callback) = 0;

  // The rest: on the queue's own thread.

  // What the program does wrong, for whoever maintains it to hear.
  virtual void ReportMisuse(std::string /*what*/) {}

  // The rpc in whose call the thread is; null: in none. Set while a call is handed on, and while a
  // coroutine goes on that began in one.
  const char* current_call() const { return current_call_; }
  // Returns what it was.
  virtual const char* SetCurrentCall(const char* method) {
    return std::exchange(current_call_, method);
  }
  // A coroutine threw `text`; it began in a call of `method`, or, where that is null, in none.
  virtual void Threw(const char* /*method*/, std::string /*text*/) {}

  // The timers of the present instance; null while there is none.
  TimerQueue* timers() const { return timers_; }
  void SetTimers(TimerQueue* timers) { timers_ = timers; }

  // What lives no longer than the present instance: a coroutine. Removed before it is gone.
  class Guest {
   public:
    virtual void Destroy() = 0;

   protected:
    Guest() = default;
    ~Guest() = default;

   private:
    friend class CallbackQueue;
    CallbackQueue* host_ = nullptr;
    Guest* before_ = nullptr;
    Guest* after_ = nullptr;
  };
  void Add(Guest& guest) {
    guest.host_ = this;
    guest.after_ = guests_;
    if (guests_ != nullptr) guests_->before_ = &guest;
    guests_ = &guest;
  }
  static void Remove(Guest& guest) {
    if (guest.host_ == nullptr) return;
    (guest.before_ == nullptr ? guest.host_->guests_ : guest.before_->after_) = guest.after_;
    if (guest.after_ != nullptr) guest.after_->before_ = guest.before_;
  }
  // The newest first; what comes meanwhile goes too.
  void DestroyGuests() {
    while (guests_ != nullptr) guests_->Destroy();
  }

  // For Waiting: keeps something until it is released, or all is, because the present instance has
  // gone.
  void Keep(std::shared_ptr<void> kept) {
    void* const key = kept.get();
    kept_.emplace(key, std::move(kept));
  }
  // False where it was released before.
  bool Release(void* kept) { return kept_.erase(kept) != 0; }
  void ReleaseAll() {
    // Taken out first: what is destroyed may answer a call, and that may release something.
    std::unordered_map<void*, std::shared_ptr<void>>().swap(kept_);
  }

 private:
  std::unordered_map<void*, std::shared_ptr<void>> kept_;
  const char* current_call_ = nullptr;
  Guest* guests_ = nullptr;
  TimerQueue* timers_ = nullptr;
};

// Cheap to copy. Any thread.
class ReturnAddress {
 public:
  // No address: Post must not be called.
  ReturnAddress() = default;
  ReturnAddress(std::shared_ptr<CallbackQueue> queue, uint64_t generation)
      : queue_(std::move(queue)), generation_(generation) {}

  // The calling thread's own; empty where the thread runs no callbacks.
  static ReturnAddress Current();
  // Whether the calling thread has one. Cheaper than Current().
  static bool HasCurrent();
  // Its queue; null where it has none.
  static CallbackQueue* CurrentQueue();

  explicit operator bool() const { return queue_ != nullptr; }
  void Post(Callback callback) const { queue_->Post(generation_, std::move(callback)); }
  // Whether it is the calling thread's own.
  bool IsCurrent() const;
  // For callbacks, which run inside of it.
  CallbackQueue* queue() const { return queue_.get(); }

 private:
  std::shared_ptr<CallbackQueue> queue_;
  uint64_t generation_ = 0;
};

// Gives the calling thread a return address for as long as it stands; nests. The address must
// outlive it.
class ReturnAddressScope {
 public:
  explicit ReturnAddressScope(const ReturnAddress& address);
  ~ReturnAddressScope();
  ReturnAddressScope(const ReturnAddressScope&) = delete;
  ReturnAddressScope& operator=(const ReturnAddressScope&) = delete;

 private:
  const ReturnAddress* outer_;
};

}  // namespace mainspring

#endif  // MAINSPRING_RETURN_ADDRESS_H_
