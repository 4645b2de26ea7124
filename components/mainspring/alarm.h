// Alarm: a timer of the instance that set it, which goes with its owner: for a wait that has a
// deadline.
#ifndef MAINSPRING_ALARM_H_
#define MAINSPRING_ALARM_H_

#include <cstdint>
#include <utility>

#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"

namespace mainspring {

enum class TimerId : uint64_t;

// Move-only; on the thread, and in the instance, that set it.
class Alarm {
 public:
  // None.
  Alarm() = default;
  // Runs `callback` at `due` unless it is destroyed before; none for kNever, nor on a thread that
  // is in no instance.
  Alarm(SteadyTime due, Callback callback);
  // Has `call`, a Shared one, expire at its deadline; holds it as long as it is on.
  template <class Call>
  static Alarm ExpiryOf(Call& call) {
    if (call.deadline() == kNever) return Alarm();
    call.Ref();
    return Alarm(call.deadline(), Expiry(&call));
  }
  Alarm(Alarm&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)), id_(other.id_) {}
  Alarm& operator=(Alarm&& other) noexcept {
    std::swap(queue_, other.queue_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~Alarm();

  explicit operator bool() const { return queue_ != nullptr; }

 private:
  // One class for calls of all kinds: there is no timer to be compiled for each.
  class Expiry {
   public:
    template <class Call>
    explicit Expiry(Call* held)
        : call_(held),
          expire_([](void* call) { static_cast<Call*>(call)->Expire(); }),
          let_go_([](void* call) { static_cast<Call*>(call)->Unref(); }) {}
    Expiry(Expiry&& other) noexcept
        : call_(std::exchange(other.call_, nullptr)),
          expire_(other.expire_),
          let_go_(other.let_go_) {}
    ~Expiry() {
      if (call_ != nullptr) let_go_(call_);
    }
    void operator()() const { expire_(call_); }

   private:
    void* call_;
    void (*expire_)(void* call);
    void (*let_go_)(void* call);
  };
  Alarm(SteadyTime due, Expiry expiry);

  CallbackQueue* queue_ = nullptr;
  TimerId id_{};
};

}  // namespace mainspring

#endif  // MAINSPRING_ALARM_H_
