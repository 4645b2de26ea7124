#include "components/clock/clock.h"

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

absl::StatusOr<absl::Duration> IntervalOf(const v1::WatchTimeRequest& request) {
  if (!request.has_interval()) return absl::Seconds(1);
  absl::StatusOr<absl::Duration> interval = FromProto(request.interval());
  if (!interval.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("interval: ", std::string(interval.status().message())));
  }
  if (*interval < kShortestInterval || *interval > kLongestInterval) {
    return absl::InvalidArgumentError(absl::StrCat("interval: ", absl::FormatDuration(*interval),
                                                   " is not between 10ms and 24h"));
  }
  return interval;
}

}  // namespace

absl::Status Clock::Start() {
  absl::StatusOr<std::shared_ptr<const TimeZones>> zones = TimeZones::Load();
  if (!zones.ok()) return zones.status();
  zones_ = *std::move(zones);
  return absl::OkStatus();
}

void Clock::GetTime(v1::GetTimeRequest request, Reply<v1::GetTimeResponse> reply) {
  absl::StatusOr<absl::TimeZone> zone = zones_->Find(request.time_zone());
  if (!zone.ok()) {
    reply.Fail(zone.status());
    return;
  }
  v1::GetTimeResponse response;
  Tell(Now(), *zone, response);
  response.set_time_zone(request.time_zone().empty() ? "UTC"
                                                     : std::move(*request.mutable_time_zone()));
  reply.Send(std::move(response));
}

void Clock::SetOffset(v1::SetOffsetRequest request, Reply<v1::SetOffsetResponse> reply) {
  if (!request.has_offset()) {
    reply.Fail(absl::InvalidArgumentError("offset: missing; \"0s\" sets the clock right"));
    return;
  }
  absl::StatusOr<absl::Duration> offset = FromProto(request.offset());
  if (!offset.ok()) {
    reply.Fail(absl::InvalidArgumentError(
        absl::StrCat("offset: ", std::string(offset.status().message()))));
    return;
  }
  // A year to spare on both sides, so that the answers stay within a Timestamp.
  const absl::Time shifted = context().WallNow() + *offset;
  const absl::CivilYear year(absl::ToCivilSecond(shifted, absl::UTCTimeZone()));
  if (year < absl::CivilYear(2) || year > absl::CivilYear(9998)) {
    reply.Fail(absl::InvalidArgumentError(absl::StrCat("offset: ", absl::FormatDuration(*offset),
                                                       " leads out of the years 2 to 9998")));
    return;
  }
  v1::SetOffsetResponse response;
  ToProto(std::exchange(offset_, *offset), *response.mutable_old_offset());
  ToProto(offset_, *response.mutable_new_offset());
  reply.Send(std::move(response));
}

void Clock::WatchTime(v1::WatchTimeRequest request, ReplyStream<v1::WatchTimeResponse> replies) {
  absl::StatusOr<absl::TimeZone> zone = zones_->Find(request.time_zone());
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
