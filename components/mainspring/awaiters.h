// What co_await waits for in a Context's Sleep, WhenReadable and WhenWritable. Destroyed while it
// waits, with its coroutine, it waits no more.
#ifndef MAINSPRING_AWAITERS_H_
#define MAINSPRING_AWAITERS_H_

#include <coroutine>
#include <optional>

#include "mainspring/descriptor_waits.h"
#include "mainspring/steady_time.h"
#include "mainspring/timer.h"

namespace mainspring {

class SleepAwaiter {
 public:
  SleepAwaiter(TimerQueue& timers, SteadyTime due) : timers_(timers), due_(due) {}
  SleepAwaiter(SleepAwaiter&&) = delete;
  ~SleepAwaiter() {
    if (timer_.has_value()) timers_.Cancel(*timer_);
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> self) {
    timer_ = timers_.At(due_, [this, self] {
      timer_.reset();
      self.promise().Resume(self);
    });
  }
  void await_resume() const noexcept {}

 private:
  TimerQueue& timers_;
  const SteadyTime due_;
  std::optional<TimerId> timer_;
};

class DescriptorAwaiter {
 public:
  DescriptorAwaiter(DescriptorWaits& waits, int fd, DescriptorWaits::For what)
      : waits_(waits), fd_(fd), what_(what) {}
  DescriptorAwaiter(DescriptorAwaiter&&) = delete;
  ~DescriptorAwaiter() {
    if (wait_.has_value()) waits_.Cancel(*wait_);
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> self) {
    wait_ = waits_.Add(fd_, what_, [this, self] {
      wait_.reset();
      self.promise().Resume(self);
    });
  }
  void await_resume() const noexcept {}

 private:
  DescriptorWaits& waits_;
  const int fd_;
  const DescriptorWaits::For what_;
  std::optional<DescriptorWaitId> wait_;
};

}  // namespace mainspring

#endif  // MAINSPRING_AWAITERS_H_
