// Gate: holds a thread until the test lets it go.
#ifndef MAINSPRING_TESTS_SERVER_GATE_H_
#define MAINSPRING_TESTS_SERVER_GATE_H_

#include "mainspring/mutex.h"

namespace mainspring::testing {

// Shut until the test opens it. Any thread.
class Gate {
 public:
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  // Blocks until it is open.
  void Pass() {
    MutexLock lock(mutex_);
    waiting_ = true;
    changed_.NotifyAll();
    while (!open_) changed_.Wait(mutex_);
  }
  // Blocks until somebody stands before it.
  void AwaitSomebody() {
    MutexLock lock(mutex_);
    while (!waiting_) changed_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_GATE_H_
