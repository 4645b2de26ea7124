#include "components/clock/clock.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/proto_time.h"

namespace mainspring::clock {
namespace {

// RFC 3339, section 5.6, with all nine digits of the fraction.
constexpr char kRfc3339Nanoseconds[] = "%E4Y-%m-%d%ET%H:%M:%E9S%Ez";

constexpr absl::Duration kShortestInterval = absl::Milliseconds(10);
constexpr absl::Duration kLongestInterval = absl::Hours(24);

// What GetTimeResponse and WatchTimeResponse have in common.
template <class Response>
void Tell(absl::Time time, const absl::TimeZone& zone, Response& response) {
  ToProto(time, *response.mutable_time());
  const int offset = zone.At(time).offset;
  ToProto(absl::Seconds(offset), *response.mutable_utc_offset());
  // Local mean times, before there were zones, have seconds in their offset; the text cannot.
  response.set_rfc3339(
      absl::FormatTime(kRfc3339Nanoseconds, time,
                       offset % 60 == 0 ? zone : absl::FixedTimeZone(offset - offset % 60)));
}

absl::Status Wrong(const char* field, const absl::Status& why) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", std::string(why.message())));
}

}  // namespace

Clock::Clock(Context& context) : ClockComponent(context) {
  absl::StatusOr<std::shared_ptr<const TimeZones>> zones = TimeZones::Load();
  if (zones.ok()) {
    zones_ = *std::move(zones);
  } else {
    context.Fail(zones.status());
  }
}

absl::Status Clock::Validate(const v1::ClockConfig& config) {
  if (const auto zone = zones_->Find(config.time_zone()); !zone.ok()) return zone.status();
  const absl::StatusOr<absl::Duration> offset = FromProto(config.offset());
  return offset.ok() ? CheckOffset(*offset) : Wrong("offset", offset.status());
}

void Clock::Apply(v1::ClockConfig config) {
  // What SetOffset has set stays, unless it is the offset that changes.
  const absl::Duration offset = *FromProto(config.offset());
  if (offset != *FromProto(config_.offset())) offset_ = offset;
  config_ = std::move(config);
}

absl::StatusOr<absl::TimeZone> Clock::FindZone(const std::string& name) const {
  return zones_->Find(name.empty() ? config_.time_zone() : name);
}

absl::StatusOr<absl::Duration> Clock::IntervalOf(const v1::WatchTimeRequest& request) const {
  const absl::Duration least = config_.has_least_watch_interval()
                                   ? *FromProto(config_.least_watch_interval())
                                   : kShortestInterval;
  if (!request.has_interval()) return std::max(absl::Seconds(1), least);
  absl::StatusOr<absl::Duration> interval = FromProto(request.interval());
  if (!interval.ok()) return Wrong("interval", interval.status());
  if (*interval < least || *interval > kLongestInterval) {
    return absl::InvalidArgumentError(absl::StrCat("interval: ", absl::FormatDuration(*interval),
                                                   " is not between ", absl::FormatDuration(least),
                                                   " and 24h"));
  }
  return interval;
}

// A year to spare on both sides, so that the answers stay within a Timestamp.
absl::Status Clock::CheckOffset(absl::Duration offset) const {
  const absl::Time shifted = context().WallNow() + offset;
  const absl::CivilYear year(absl::ToCivilSecond(shifted, absl::UTCTimeZone()));
  if (year >= absl::CivilYear(2) && year <= absl::CivilYear(9998)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("offset: ", absl::FormatDuration(offset), " leads out of the years 2 to 9998"));
}

void Clock::GetTime(v1::GetTimeRequest request, Reply<v1::GetTimeResponse> reply) {
  absl::StatusOr<absl::TimeZone> zone = FindZone(request.time_zone());
  if (!zone.ok()) {
    reply.Fail(zone.status());
    return;
  }
  v1::GetTimeResponse response;
  Tell(Now(), *zone, response);
  std::string& name = *request.mutable_time_zone();
  if (name.empty()) name = config_.time_zone();
  response.set_time_zone(name.empty() ? "UTC" : std::move(name));
  reply.Send(std::move(response));
}

void Clock::SetOffset(v1::SetOffsetRequest request, Reply<v1::SetOffsetResponse> reply) {
  if (!request.has_offset()) {
    reply.Fail(absl::InvalidArgumentError("offset: missing; \"0s\" sets the clock right"));
    return;
  }
  const absl::StatusOr<absl::Duration> offset = FromProto(request.offset());
  if (!offset.ok()) {
    reply.Fail(Wrong("offset", offset.status()));
    return;
  }
  if (absl::Status possible = CheckOffset(*offset); !possible.ok()) {
    reply.Fail(std::move(possible));
    return;
  }
  v1::SetOffsetResponse response;
  ToProto(std::exchange(offset_, *offset), *response.mutable_old_offset());
  ToProto(offset_, *response.mutable_new_offset());
  reply.Send(std::move(response));
}

void Clock::WatchTime(v1::WatchTimeRequest request, ReplyStream<v1::WatchTimeResponse> replies) {
  absl::StatusOr<absl::TimeZone> zone = FindZone(request.time_zone());
  absl::StatusOr<absl::Duration> interval = IntervalOf(request);
  if (!zone.ok() || !interval.ok()) {
    replies.Finish(zone.ok() ? interval.status() : zone.status());
    return;
  }
  if (watches_.size() >= kMaxWatches) {
    replies.Finish(absl::ResourceExhaustedError(
        absl::StrCat(kMaxWatches, " watches are all that this clock allows; use GetTime")));
    return;
  }
  const uint64_t id = ++last_watch_;
  const SteadyTime first = context().Now();
  const TimerId timer = context().Every(*interval, [this, id] { Tick(id); });
  replies.OnCancel([this, id] { End(id); });
  watches_.emplace(id, Watch{std::move(replies), *zone, first, *interval, timer});
  Tick(id);
}

void Clock::Tick(uint64_t id) {
  Watch& watch = watches_.find(id)->second;
  v1::WatchTimeResponse response;
  Tell(Now(), watch.zone, response);
  response.set_tick(Between(watch.first, context().Now()) / watch.interval);
  // A tick that there is no room for is late already, and left out.
  watch.replies.Write(std::move(response));
}

void Clock::End(uint64_t id) {
  context().Cancel(watches_.find(id)->second.timer);
  watches_.erase(id);
}

}  // namespace mainspring::clock
