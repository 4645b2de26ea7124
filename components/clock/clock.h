// Clock: tells the time, in any time zone, once or as a stream of ticks. The component that shows
// how one is written; its interface is mainspring/clock/v1/clock.proto.
#ifndef MAINSPRING_COMPONENTS_CLOCK_CLOCK_H_
#define MAINSPRING_COMPONENTS_CLOCK_CLOCK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "components/clock/time_zones.h"
#include "mainspring/clock/v1/clock.component.pb.h"
#include "mainspring/clock/v1/clock_config.pb.h"
#include "mainspring/configurable.h"

namespace mainspring::clock {

// How many WatchTime streams one Clock allows at one time; clock.proto tells it. What they cost at
// the shortest interval has not been measured.
inline constexpr size_t kMaxWatches = 256;

class Clock final : public v1::ClockComponent, public Configurable<v1::ClockConfig> {
 public:
  // Reads the time zones, where no clock of the process has. It does not start where that cannot
  // be done now: UNAVAILABLE.
  explicit Clock(Context& context);

  absl::Status Validate(const v1::ClockConfig& config) override;
  void Apply(v1::ClockConfig config) override;
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
  // The zone of that name, or the clock's own where there is none.
  absl::StatusOr<absl::TimeZone> FindZone(const std::string& name) const;
  absl::StatusOr<absl::Duration> IntervalOf(const v1::WatchTimeRequest& request) const;
  // OK where the clock stays within the years that it can tell.
  absl::Status CheckOffset(absl::Duration offset) const;
  void Tick(uint64_t id);
  void End(uint64_t id);

  v1::ClockConfig config_;
  absl::Duration offset_;
  std::shared_ptr<const TimeZones> zones_;
  uint64_t last_watch_ = 0;
  std::map<uint64_t, Watch> watches_;
};

}  // namespace mainspring::clock

#endif  // MAINSPRING_COMPONENTS_CLOCK_CLOCK_H_
