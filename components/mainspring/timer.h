// TimerQueue: the timers of one component instance. One thread only; it keeps no time itself and
// starts no thread: its owner runs what is due and waits for what comes next.
#ifndef MAINSPRING_TIMER_H_
#define MAINSPRING_TIMER_H_

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/time/time.h"
#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// Names one timer; never used again after the timer has gone.
enum class TimerId : uint64_t {};

class TimerQueue {
 public:
  // Runs `callback` once at `due`, or at once where that has passed.
  TimerId At(SteadyTime due, Callback callback);
  // Runs `callback` at `due` and then at each `interval`, which must be positive; less than a
  // nanosecond, which steady time cannot say, counts as one. Runs do not drift: run n is due n
  // intervals after the first. Runs that are missed altogether are left out.
  TimerId Every(SteadyTime due, absl::Duration interval, Callback callback);

  // The timer will not run again. False where it is not known: it was cancelled, or ran for the
  // last time. A timer may cancel itself while it runs.
  bool Cancel(TimerId id);

  // When the next timer is due; kNever where there is none.
  SteadyTime next() const { return due_.empty() ? kNever : due_.begin()->first; }

  // Runs the first timer that is due at `now`. False where none is.
  bool RunNext(SteadyTime now);

 private:
  struct Timer {
    SteadyTime due;
    absl::Duration interval;  // zero: once
    Callback callback;        // empty while it runs
  };

  TimerId Add(Timer timer);

  uint64_t last_id_ = 0;
  std::map<TimerId, Timer> timers_;
  std::set<std::pair<SteadyTime, TimerId>> due_;
};

}  // namespace mainspring

#endif  // MAINSPRING_TIMER_H_
