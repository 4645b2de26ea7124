// ReturnAddress: where an answer that comes later is to be handled, namely on the thread that
// asked. A component thread has one for as long as its present instance lives.
#ifndef MAINSPRING_RETURN_ADDRESS_H_
#define MAINSPRING_RETURN_ADDRESS_H_

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace mainspring {

using Callback = absl::AnyInvocable<void()>;

// A queue of callbacks which one thread runs in order. A mailbox's control lane is one.
class CallbackQueue {
 public:
  virtual ~CallbackQueue() = default;

  // Any thread; never blocks and never runs the callback itself. `generation` says for which
  // instance of a component it is meant: where another one lives by then, the callback is
  // destroyed and not run, since what it captured is gone.
  virtual void Post(uint64_t generation, Callback callback) = 0;

  // For Waiting, on the queue's own thread: keeps something until it is released, or all is,
  // because the present instance has gone.
  void Keep(std::shared_ptr<void> kept) {
    void* const key = kept.get();
    kept_.emplace(key, std::move(kept));
  }
  void Release(void* kept) { kept_.erase(kept); }
  void ReleaseAll() {
    // Taken out first: what is destroyed may answer a call, and that may release something.
    std::unordered_map<void*, std::shared_ptr<void>>().swap(kept_);
  }

 private:
  std::unordered_map<void*, std::shared_ptr<void>> kept_;
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
