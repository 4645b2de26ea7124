// Waiting: a callback that waits somewhere for its time. It belongs to the instance that gave it,
// and goes with it: what it has captured, a reply perhaps, is then dropped, and so answered.
#ifndef MAINSPRING_WAITING_H_
#define MAINSPRING_WAITING_H_

#include <memory>
#include <tuple>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "mainspring/alarm.h"
#include "mainspring/return_address.h"

namespace mainspring {

// Takes a waiting callback back. On the thread, and in the instance, that gave it.
class Withdrawal {
 public:
  // There is nothing to take back.
  Withdrawal() = default;
  Withdrawal(CallbackQueue* queue, std::weak_ptr<void> function)
      : queue_(queue), function_(std::move(function)) {}

  // The callback is destroyed, unless it has run, and does not run any more.
  void Withdraw() {
    // Held until it was released, since what is destroyed may come back here.
    const std::shared_ptr<void> function = std::exchange(function_, {}).lock();
    if (function != nullptr) queue_->Release(function.get());
  }

 private:
  CallbackQueue* queue_ = nullptr;
  std::weak_ptr<void> function_;
};

// Move-only. Made on the thread that the callback is to run on; used, one thread at a time, by any.
// Destroyed without having been posted, it lets the callback be destroyed on its own thread.
template <class... Args>
class Waiting {
 public:
  using Function = absl::AnyInvocable<void(Args...)>;

  // Nobody waits.
  Waiting() = default;
  // `alarm` is off as soon as the callback has run, or is dropped.
  explicit Waiting(Function function, Alarm alarm = Alarm()) : address_(ReturnAddress::Current()) {
    if (!address_) return;
    auto kept = std::make_shared<Kept>(std::move(function), std::move(alarm));
    function_ = kept;
    address_.queue()->Keep(std::move(kept));
  }
  Waiting(Waiting&& other) noexcept
      : address_(std::exchange(other.address_, ReturnAddress())),
        function_(std::exchange(other.function_, {})) {}
  Waiting& operator=(Waiting&& other) noexcept {
    if (this != &other) {
      Drop();
      address_ = std::exchange(other.address_, ReturnAddress());
      function_ = std::exchange(other.function_, {});
    }
    return *this;
  }
  ~Waiting() { Drop(); }

  explicit operator bool() const { return static_cast<bool>(address_); }

  // Has the callback run, with these, on its thread. Then nobody waits. Any thread.
  void Post(Args... args) {
    const ReturnAddress address = std::exchange(address_, ReturnAddress());
    if (!address) return;
    // Held by the instance alone until it runs: where that goes before, so does the callback.
    address.Post([queue = address.queue(), function = std::exchange(function_, {}),
                  held = std::make_tuple(std::move(args)...)]() mutable {
      const std::shared_ptr<Kept> alive = function.lock();
      // Unless it was withdrawn meanwhile.
      if (alive == nullptr || !queue->Release(alive.get())) return;
      std::apply(alive->function, std::move(held));
    });
  }

  // Of the callback, for whoever may want to take it back.
  Withdrawal withdrawal() const { return Withdrawal(address_.queue(), function_); }

 private:
  struct Kept {
    Kept(Function f, Alarm a) : function(std::move(f)), alarm(std::move(a)) {}
    Function function;
    Alarm alarm;
  };

  void Drop() {
    if (!address_ || function_.expired()) return;
    const ReturnAddress address = std::exchange(address_, ReturnAddress());
    const auto release = [queue = address.queue(), function = std::exchange(function_, {})] {
      const std::shared_ptr<Kept> alive = function.lock();
      if (alive != nullptr) queue->Release(alive.get());
    };
    if (address.IsCurrent()) return release();
    address.Post(release);
  }

  ReturnAddress address_;
  std::weak_ptr<Kept> function_;
};

}  // namespace mainspring

#endif  // MAINSPRING_WAITING_H_
