// ManualTime: a time source for tests; see testing.h.
#ifndef MAINSPRING_MANUAL_TIME_H_
#define MAINSPRING_MANUAL_TIME_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/time/time.h"
#include "mainspring/steady_time.h"

namespace mainspring::testing {

// Time that stands still until it is told to pass. Any thread.
class ManualTime final : public TimeSource {
 public:
  SteadyTime Now() const override { return At(now_.fetch_add(step_)); }
  SteadyTime CoarseNow() const override { return At(now_ - coarse_lag_); }
  absl::Time WallNow() const override { return wall_ + absl::Nanoseconds(now_ - kStart); }

  void Advance(absl::Duration duration) { now_ += absl::ToInt64Nanoseconds(duration); }
  void AdvanceTo(SteadyTime time) { now_ = time.time_since_epoch().count(); }
  // How far CoarseNow is behind.
  void SetCoarseLag(absl::Duration lag) { coarse_lag_ = absl::ToInt64Nanoseconds(lag); }
  // How much passes with each look at Now, as it does on a machine that has more to do.
  void SetStep(absl::Duration step) { step_ = absl::ToInt64Nanoseconds(step); }
  // What the wall clock shows now; it goes on from there. Before other threads look.
  void SetWall(absl::Time wall) { wall_ = wall - absl::Nanoseconds(now_ - kStart); }

 private:
  static constexpr int64_t kStart = 1'000'000'000'000;
  static SteadyTime At(int64_t nanoseconds) {
    return SteadyTime(std::chrono::nanoseconds(nanoseconds));
  }

  mutable std::atomic<int64_t> now_{kStart};
  std::atomic<int64_t> coarse_lag_{0};
  std::atomic<int64_t> step_{0};
  absl::Time wall_ = absl::FromUnixSeconds(1'700'000'000);
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_MANUAL_TIME_H_
