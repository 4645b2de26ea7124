// Steady time, which deadlines and timers are kept in, and the source that it is read from.
#ifndef MAINSPRING_STEADY_TIME_H_
#define MAINSPRING_STEADY_TIME_H_

#include <time.h>

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace mainspring {

// A point of the machine's steady clock: it never jumps, and means nothing outside the process.
using SteadyTime = std::chrono::steady_clock::time_point;

// Later than every other: "no deadline".
inline constexpr SteadyTime kNever = SteadyTime::max();

// `duration` after `time`; kNever, or the earliest time there is, where that cannot be said in a
// SteadyTime.
inline SteadyTime After(SteadyTime time, absl::Duration duration) {
  const std::chrono::nanoseconds nanoseconds = absl::ToChronoNanoseconds(duration);
  if (time == kNever || (nanoseconds.count() > 0 && time > kNever - nanoseconds)) return kNever;
  if (nanoseconds.count() < 0 && time < SteadyTime::min() - nanoseconds) return SteadyTime::min();
  return time + nanoseconds;
}

// From `from` to `to`: negative where `to` is the earlier, for ever where `to` is kNever. Exact for
// any two times: an absl::Duration holds more than their difference may be.
inline absl::Duration Between(SteadyTime from, SteadyTime to) {
  if (to == kNever) return absl::InfiniteDuration();
  return absl::FromChrono(to.time_since_epoch()) - absl::FromChrono(from.time_since_epoch());
}

// Where a component, its timers and its supervisor read the time. Tests replace it by one whose
// time passes when they say so. Any thread.
class TimeSource {
 public:
  virtual ~TimeSource() = default;

  virtual SteadyTime Now() const { return std::chrono::steady_clock::now(); }
  // Up to a few milliseconds behind Now(), and several times cheaper: for ages and watchdogs.
  virtual SteadyTime CoarseNow() const {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return SteadyTime(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
  }
  virtual absl::Time WallNow() const { return absl::Now(); }

  // The machine's own clocks.
  static const TimeSource& Real() {
    static const TimeSource source;
    return source;
  }
};

}  // namespace mainspring

#endif  // MAINSPRING_STEADY_TIME_H_
