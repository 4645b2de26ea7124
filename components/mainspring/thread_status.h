// ThreadStatus: what a component's thread is in, and since when: an rpc's method, "Start", "a
// timer". It stands around all code of a component's author, so that whoever looks sees what is
// stuck.
#ifndef MAINSPRING_THREAD_STATUS_H_
#define MAINSPRING_THREAD_STATUS_H_

#include <atomic>

#include "mainspring/steady_time.h"

namespace mainspring {

class ThreadStatus {
 public:
  // Null: it is in nothing, and waits or is about to take what comes next. Any thread.
  const char* doing() const { return doing_.load(std::memory_order_acquire); }
  // Since when; means nothing where it is in nothing. Any thread.
  SteadyTime since() const {
    return SteadyTime(SteadyTime::duration(since_.load(std::memory_order_relaxed)));
  }

  // It is in something more particular: the scope that stands says so from now on. The thread
  // itself only.
  void Rename(const char* doing) { doing_.store(doing, std::memory_order_release); }

  // Says so for as long as it stands; nests. The thread itself only.
  class Scope {
   public:
    // `doing` must live as long as the process. `now` may be coarse.
    Scope(ThreadStatus& status, const char* doing, SteadyTime now)
        : status_(status),
          outer_(status.doing_.load(std::memory_order_relaxed)),
          outer_since_(status.since()) {
      status_.Set(doing, now);
    }
    ~Scope() {
      // A time is left for who has read what it belongs to: another, older one would be taken for
      // how long that lasts.
      if (outer_ == nullptr) {
        status_.doing_.store(nullptr, std::memory_order_release);
      } else {
        status_.Set(outer_, outer_since_);
      }
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    ThreadStatus& status_;
    const char* const outer_;
    const SteadyTime outer_since_;
  };

 private:
  void Set(const char* doing, SteadyTime since) {
    since_.store(since.time_since_epoch().count(), std::memory_order_relaxed);
    doing_.store(doing, std::memory_order_release);
  }

  std::atomic<const char*> doing_{nullptr};
  std::atomic<SteadyTime::rep> since_{0};
};

}  // namespace mainspring

#endif  // MAINSPRING_THREAD_STATUS_H_
