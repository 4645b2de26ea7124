// DrainTrigger: what makes a host drain. One path for signals, the operator, and a spent budget.
#ifndef MAINSPRING_SERVER_DRAIN_DRAIN_TRIGGER_H_
#define MAINSPRING_SERVER_DRAIN_DRAIN_TRIGGER_H_

#include <algorithm>
#include <atomic>
#include <string>

#include "mainspring/mutex.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// Any thread.
class DrainTrigger {
 public:
  // The first pull starts the drain, the second skips what is left of it to the stop of the
  // components, the third ends the process at once.
  static constexpr int kDrain = 1;
  static constexpr int kStopNow = 2;
  static constexpr int kExitNow = 3;

  // `reason` says who pulled: "SIGTERM". Counts apart from PullTo: the SIGTERM that comes while an
  // operator's drain is under way asks for the same, and not for less.
  void Pull(const std::string& reason) {
    {
      MutexLock lock(mutex_);
      if (pulls_ == 0) reason_ = reason;
      pulls_ = std::max(pulls_, ++pulled_here_);
    }
    changed_.NotifyAll();
  }

  // As if it had been pulled `pulls` times at least.
  void PullTo(int pulls, const std::string& reason) {
    {
      MutexLock lock(mutex_);
      if (pulls_ == 0) reason_ = reason;
      pulls_ = std::max(pulls_, pulls);
    }
    changed_.NotifyAll();
  }

  int pulls() const {
    MutexLock lock(mutex_);
    return pulls_;
  }

  // Of the first pull.
  std::string reason() const {
    MutexLock lock(mutex_);
    return reason_;
  }

  // Blocks until it was pulled `pulls` times, or `deadline` has passed, or `called_off` is true
  // when LookAgain is called. Says whether it was pulled so often.
  bool Await(int pulls, SteadyTime deadline = kNever,
             const std::atomic<bool>* called_off = nullptr) {
    MutexLock lock(mutex_);
    while (pulls_ < pulls && (called_off == nullptr || !called_off->load())) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      changed_.WaitUntil(mutex_, deadline);
    }
    return pulls_ >= pulls;
  }
  // Who waits looks whether it was called off.
  void LookAgain() {
    // Whoever has looked and does not wait yet holds the lock.
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  int pulls_ ABSL_GUARDED_BY(mutex_) = 0;
  int pulled_here_ ABSL_GUARDED_BY(mutex_) = 0;  // by Pull
  std::string reason_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_DRAIN_DRAIN_TRIGGER_H_
