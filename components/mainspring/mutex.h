// Mutex, MutexLock, CondVar: the standard library's, with clang's thread-safety annotations.
//
// Not absl::Mutex, for two reasons. Distributions build abseil without instrumentation, so that
// ThreadSanitizer sees none of its synchronisation; these it sees. And absl's timed waits follow
// the wall clock in the release we build on; these follow the steady one, so that nobody who sets
// the time of day delays a component's timers.
#ifndef MAINSPRING_MUTEX_H_
#define MAINSPRING_MUTEX_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "mainspring/steady_time.h"

namespace mainspring {

class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits may wake for no reason: call them in a loop over the predicate.
class CondVar {
 public:
  void Wait(Mutex& mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  // Returns no later than `deadline`, on the real steady clock.
  void WaitUntil(Mutex& mutex, SteadyTime deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (deadline >= kFar) return Wait(mutex);
    if (deadline < SteadyTime()) deadline = SteadyTime();
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_until(lock, deadline);
    lock.release();
  }

  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  // A century and a half from the machine's start: nobody waits for it, and what the system makes
  // of a deadline cannot overflow before.
  static constexpr SteadyTime kFar{std::chrono::nanoseconds(int64_t{1} << 62)};

  std::condition_variable condition_;
};

}  // namespace mainspring

#endif  // MAINSPRING_MUTEX_H_
