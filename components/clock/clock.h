// Clock: tells the time, in any time zone, once or as a stream of ticks. The component that shows
// how one is written; its interface is mainspring/clock/v1/clock.proto.
#ifndef MAINSPRING_COMPONENTS_CLOCK_CLOCK_H_
#define MAINSPRING_COMPONENTS_CLOCK_CLOCK_H_

#include <cstdint>
#include <map>
#include <memory>

#include "absl/time/time.h"
#include "components/clock/time_zones.h"
#include "mainspring/clock/v1/clock.component.pb.h"

namespace mainspring::clock {

// How many WatchTime streams one Clock allows at one time; clock.proto tells it. What they cost at
// the shortest interval has not been measured.
inline constexpr size_t kMaxWatches = 256;

class Clock final : public v1::ClockComponent {
 public:
  using ClockComponent::ClockComponent;

  // Reads the time zones, where no clock of the process has; UNAVAILABLE: that cannot be done now.
  absl::Status Start() override;
  void GetTime(v1::GetTimeRequest request, Reply<v1::GetTimeResponse> reply) override;
  void SetOffset(v1::SetOffsetRequest request, Reply<v1::SetOffsetResponse> reply) override;
  void WatchTime(v1::WatchTimeRequest request, ReplyStream<v1::WatchTimeResponse> replies) override;

 private:
  struct Watch {
    ReplyStream<v1::WatchTimeResponse> replies;
    absl::TimeZone zone;
    SteadyTime first;
    absl::Duration interval;
    TimerId timer;
  };

  absl::Time Now() const { return context().WallNow() + offset_; }
  void Tick(uint64_t id);
  void End(uint64_t id);

  absl::Duration offset_;
  std::shared_ptr<const TimeZones> zones_;
  uint64_t last_watch_ = 0;
  std::map<uint64_t, Watch> watches_;
};

}  // namespace mainspring::clock

#endif  // MAINSPRING_COMPONENTS_CLOCK_CLOCK_H_
