#include "components/clock/clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/testing.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"

namespace mainspring::clock {
namespace {

using ::mainspring::testing::AnswerNow;
using ::mainspring::testing::kNoWait;
using ::mainspring::testing::Stepped;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::Time At(const char* rfc3339) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, rfc3339, &time, &error)) << rfc3339 << error;
  return time;
}
absl::Time TimeOf(const google::protobuf::Timestamp& proto) {
  return absl::FromUnixSeconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
}
google::protobuf::Duration Proto(int64_t seconds, int32_t nanos = 0) {
  google::protobuf::Duration proto;
  proto.set_seconds(seconds);
  proto.set_nanos(nanos);
  return proto;
}

class ClockTest : public ::testing::Test {
 protected:
  ClockTest() {
    host_.time.SetWall(At("2024-01-11T12:00:00.123456789Z"));
    host_.Start();
  }

  absl::StatusOr<v1::GetTimeResponse> GetTime(const std::string& zone = "") {
    v1::GetTimeRequest request;
    request.set_time_zone(zone);
    Answer<v1::GetTimeResponse> answer = ref_.GetTime(std::move(request));
    host_.RunReady();
    return AnswerNow(std::move(answer));
  }
  absl::StatusOr<v1::SetOffsetResponse> SetOffset(
      std::optional<google::protobuf::Duration> offset) {
    v1::SetOffsetRequest request;
    if (offset.has_value()) *request.mutable_offset() = *offset;
    Answer<v1::SetOffsetResponse> answer = ref_.SetOffset(std::move(request));
    host_.RunReady();
    return AnswerNow(std::move(answer));
  }

  Stepped<v1::ClockRequest> host_{
      [](Context& context) { return std::make_unique<Clock>(context); }};
  const v1::ClockRef ref_{host_.mailbox};
};

TEST_F(ClockTest, GetTime_InUtc_TellsTheWallClock) {
  absl::StatusOr<v1::GetTimeResponse> response = GetTime();
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->rfc3339(), "2024-01-11T12:00:00.123456789+00:00");
  EXPECT_EQ(TimeOf(response->time()), At("2024-01-11T12:00:00.123456789Z"));
  EXPECT_EQ(response->utc_offset().seconds(), 0);
  EXPECT_EQ(response->time_zone(), "UTC");
}

TEST_F(ClockTest, GetTime_InAZone_TellsItsLocalTime) {
  absl::StatusOr<v1::GetTimeResponse> response = GetTime("Asia/Tokyo");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->rfc3339(), "2024-01-11T21:00:00.123456789+09:00");
  EXPECT_EQ(response->utc_offset().seconds(), 9 * 3600);
  EXPECT_EQ(response->time_zone(), "Asia/Tokyo");
  EXPECT_EQ(TimeOf(response->time()), At("2024-01-11T12:00:00.123456789Z"));
}

TEST_F(ClockTest, GetTime_InAHalfHourZone_HasTheHalfHour) {
  EXPECT_EQ(GetTime("Asia/Kolkata")->rfc3339(), "2024-01-11T17:30:00.123456789+05:30");
  EXPECT_EQ(GetTime("America/St_Johns")->rfc3339(), "2024-01-11T08:30:00.123456789-03:30");
  EXPECT_EQ(GetTime("America/St_Johns")->utc_offset().seconds(), -(3 * 3600 + 1800));
}

TEST_F(ClockTest, GetTime_InSummer_HasTheSummersOffset) {
  EXPECT_EQ(GetTime("Europe/Berlin")->rfc3339(), "2024-01-11T13:00:00.123456789+01:00");
  host_.time.SetWall(At("2024-03-31T00:59:59.999999999Z"));
  EXPECT_EQ(GetTime("Europe/Berlin")->rfc3339(), "2024-03-31T01:59:59.999999999+01:00");
  host_.time.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(GetTime("Europe/Berlin")->rfc3339(), "2024-03-31T03:00:00.000000000+02:00");
  EXPECT_EQ(GetTime("Europe/Berlin")->utc_offset().seconds(), 2 * 3600);
}

TEST_F(ClockTest, GetTime_Before1970_CountsNanosForward) {
  host_.time.SetWall(At("1969-12-31T23:59:58.000000001Z"));
  absl::StatusOr<v1::GetTimeResponse> response = GetTime();
  EXPECT_EQ(response->time().seconds(), -2);
  EXPECT_EQ(response->time().nanos(), 1);
  EXPECT_EQ(response->rfc3339(), "1969-12-31T23:59:58.000000001+00:00");
}

// Whatever the zone and the century, the text means the time that it stands beside, to the
// nanosecond, and has the form of RFC 3339: "2024-01-11T12:00:00.123456789+00:00" is 35 long.
class ClockText : public ClockTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(ClockText, Rfc3339_ParsesBackToTheTime) {
  host_.time.SetWall(At(GetParam()));
  for (const char* zone : {"", "Asia/Tokyo", "Asia/Kathmandu", "America/St_Johns", "Europe/Berlin",
                           "Pacific/Kiritimati", "Etc/GMT+12"}) {
    absl::StatusOr<v1::GetTimeResponse> response = GetTime(zone);
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(TimeOf(response->time()), At(GetParam()));
    EXPECT_EQ(At(response->rfc3339().c_str()), At(GetParam())) << response->rfc3339();
    EXPECT_EQ(response->rfc3339().size(), 35u) << response->rfc3339();
  }
}

INSTANTIATE_TEST_SUITE_P(Now, ClockText,
                         ::testing::Values("2024-01-11T12:00:00.123456789Z",
                                           "1969-12-31T23:59:59.999999999Z", "2024-02-29T23:59:59Z",
                                           "9998-12-30T00:00:00Z"));
// Time zones were local mean time, with seconds in their offsets, which RFC 3339 has no room for.
INSTANTIATE_TEST_SUITE_P(LocalMeanTime, ClockText, ::testing::Values("1800-06-01T12:00:00.5Z"));

TEST_F(ClockTest, GetTime_InTheFirstMillennium_WritesTheYearWithFourDigits) {
  host_.time.SetWall(At("0476-09-04T12:00:00Z"));
  EXPECT_EQ(GetTime()->rfc3339(), "0476-09-04T12:00:00.000000000+00:00");
}

TEST_F(ClockTest, GetTime_InAnUnknownZone_IsInvalid) {
  for (const std::string& zone : {std::string("Atlantis/Capital"), std::string("/etc/passwd"),
                                  std::string("../../etc/passwd"), std::string("tzdata.zi"),
                                  std::string(1 << 20, 'A'), std::string("Asia/\0Tokyo", 11)}) {
    const absl::Status status = GetTime(zone).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("time_zone"));
  }
  EXPECT_THAT(host_.lifecycle.failures(), IsEmpty());
}

TEST_F(ClockTest, SetOffset_ShiftsThisClock) {
  absl::StatusOr<v1::SetOffsetResponse> response = SetOffset(Proto(3600, 500'000'000));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->old_offset().seconds(), 0);
  EXPECT_EQ(response->new_offset().seconds(), 3600);
  EXPECT_EQ(response->new_offset().nanos(), 500'000'000);
  EXPECT_EQ(GetTime()->rfc3339(), "2024-01-11T13:00:00.623456789+00:00");

  response = SetOffset(Proto(-60, -1));
  EXPECT_EQ(response->old_offset().seconds(), 3600);
  EXPECT_EQ(response->old_offset().nanos(), 500'000'000);
  EXPECT_EQ(response->new_offset().seconds(), -60);
  EXPECT_EQ(response->new_offset().nanos(), -1);
  EXPECT_EQ(GetTime()->rfc3339(), "2024-01-11T11:59:00.123456788+00:00") << "replaced, not added";

  EXPECT_TRUE(SetOffset(Proto(0)).ok());
  EXPECT_EQ(GetTime()->rfc3339(), "2024-01-11T12:00:00.123456789+00:00");
}

TEST_F(ClockTest, SetOffset_OfWhatIsNoOffset_IsInvalidAndChangesNothing) {
  ASSERT_TRUE(SetOffset(Proto(60)).ok());
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  for (const std::optional<google::protobuf::Duration>& offset :
       std::vector<std::optional<google::protobuf::Duration>>{
           std::nullopt, Proto(1, -1), Proto(-1, 1), Proto(0, 1'000'000'000),
           Proto(315'576'000'001), Proto(kMost), Proto(kLeast), Proto(kMost, 999'999'999),
           // These are durations, but lead out of what a Timestamp can hold.
           Proto(315'576'000'000), Proto(-315'576'000'000)}) {
    const absl::Status status = SetOffset(offset).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("offset: "));
  }
  EXPECT_EQ(GetTime()->rfc3339(), "2024-01-11T12:01:00.123456789+00:00");
}

TEST_F(ClockTest, SetOffset_ToTheEndsOfTime_IsTold) {
  for (const char* end : {"0003-01-01T00:00:00Z", "9997-12-31T00:00:00Z"}) {
    ASSERT_TRUE(SetOffset(Proto((At(end) - host_.time.WallNow()) / absl::Seconds(1))).ok());
    absl::StatusOr<v1::GetTimeResponse> response = GetTime("Pacific/Kiritimati");
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_LT(absl::AbsDuration(TimeOf(response->time()) - At(end)), absl::Seconds(2));
  }
}

TEST_F(ClockTest, Restarted_HasNoOffset) {
  ASSERT_TRUE(SetOffset(Proto(60)).ok());
  host_.Stop();
  host_.Start();
  EXPECT_EQ(GetTime()->rfc3339(), "2024-01-11T12:00:00.123456789+00:00");
}

// The ticks of WatchTime that a client has got.
class WatchTimeTest : public ClockTest {
 protected:
  AnswerStream<v1::WatchTimeResponse> Watch(std::optional<google::protobuf::Duration> interval,
                                            const std::string& zone = "") {
    v1::WatchTimeRequest request;
    if (interval.has_value()) *request.mutable_interval() = *interval;
    request.set_time_zone(zone);
    AnswerStream<v1::WatchTimeResponse> answers = ref_.WatchTime(std::move(request));
    host_.RunReady();
    return answers;
  }
  static std::vector<uint64_t> Ticks(AnswerStream<v1::WatchTimeResponse>& answers) {
    std::vector<uint64_t> ticks;
    while (std::optional<v1::WatchTimeResponse> response = answers.AwaitNext(kNoWait)) {
      ticks.push_back(response->tick());
    }
    return ticks;
  }
};

TEST_F(WatchTimeTest, Watch_TicksAtOnceAndAtEachInterval) {
  AnswerStream<v1::WatchTimeResponse> answers = Watch(Proto(10), "Asia/Tokyo");
  std::optional<v1::WatchTimeResponse> response = answers.AwaitNext(kNoWait);
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->rfc3339(), "2024-01-11T21:00:00.123456789+09:00");
  EXPECT_EQ(response->utc_offset().seconds(), 9 * 3600);
  EXPECT_EQ(response->tick(), 0u);
  host_.Advance(absl::Seconds(9));
  EXPECT_THAT(Ticks(answers), IsEmpty());
  host_.Advance(absl::Seconds(1));
  response = answers.AwaitNext(kNoWait);
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->rfc3339(), "2024-01-11T21:00:10.123456789+09:00");
  EXPECT_EQ(TimeOf(response->time()), At(response->rfc3339().c_str()));
  EXPECT_EQ(response->tick(), 1u);
}

TEST_F(WatchTimeTest, Watch_WithoutAnInterval_TicksEachSecond) {
  AnswerStream<v1::WatchTimeResponse> answers = Watch(std::nullopt);
  for (int i = 0; i < 3; ++i) host_.Advance(absl::Milliseconds(1000));
  EXPECT_THAT(Ticks(answers), ElementsAre(0, 1, 2, 3));
}

TEST_F(WatchTimeTest, Watch_WhenTheThreadIsLate_DoesNotDrift) {
  AnswerStream<v1::WatchTimeResponse> answers = Watch(Proto(1));
  host_.Advance(absl::Milliseconds(1900));
  host_.Advance(absl::Milliseconds(100));
  EXPECT_THAT(Ticks(answers), ElementsAre(0, 1, 2));
  EXPECT_EQ(host_.loop->next_wake(), After(host_.time.Now(), absl::Seconds(1)));
}

TEST_F(WatchTimeTest, Watch_WhenTicksWereMissed_LeavesThemOutOfTheNumbers) {
  AnswerStream<v1::WatchTimeResponse> answers = Watch(Proto(1));
  host_.Advance(absl::Milliseconds(3500));
  host_.Advance(absl::Milliseconds(500));
  EXPECT_THAT(Ticks(answers), ElementsAre(0, 3, 4));
}

// Time passes while the watch is set up, as it does; then each timer runs to the nanosecond.
TEST_F(WatchTimeTest, Watch_SetUpInNoSmallTime_NumbersItsTicksInOrder) {
  host_.time.SetStep(absl::Microseconds(1));
  AnswerStream<v1::WatchTimeResponse> answers = Watch(Proto(1));
  host_.time.SetStep(absl::ZeroDuration());
  for (int i = 0; i < 3; ++i) {
    host_.time.AdvanceTo(host_.loop->next_wake());
    host_.RunReady();
  }
  EXPECT_THAT(Ticks(answers), ElementsAre(0, 1, 2, 3));
}

TEST_F(WatchTimeTest, Watch_ThatNobodyReads_LeavesTicksOutAndShowsTheGap) {
  AnswerStream<v1::WatchTimeResponse> answers = Watch(Proto(1));
  for (int i = 0; i < 50; ++i) host_.Advance(absl::Seconds(1));
  std::vector<uint64_t> ticks = Ticks(answers);
  ASSERT_EQ(ticks.size(), kStreamBuffer);
  EXPECT_EQ(ticks.front(), 0u);
  EXPECT_EQ(ticks.back(), kStreamBuffer - 1);
  host_.Advance(absl::Seconds(1));
  EXPECT_THAT(Ticks(answers), ElementsAre(51));
}

TEST_F(WatchTimeTest, Watch_WithABadInterval_IsInvalid) {
  for (const google::protobuf::Duration& interval :
       {Proto(0), Proto(0, 9'999'999), Proto(-1), Proto(24 * 3600, 1), Proto(315'576'000'000),
        Proto(1, -1), Proto(0, 1'000'000'000), Proto(std::numeric_limits<int64_t>::max())}) {
    AnswerStream<v1::WatchTimeResponse> answers = Watch(interval);
    EXPECT_THAT(Ticks(answers), IsEmpty());
    EXPECT_EQ(answers.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(answers.status().message()), HasSubstr("interval: "));
  }
  for (const google::protobuf::Duration& interval : {Proto(0, 10'000'000), Proto(24 * 3600)}) {
    AnswerStream<v1::WatchTimeResponse> answers = Watch(interval);
    EXPECT_THAT(Ticks(answers), ElementsAre(0));
  }
}

TEST_F(WatchTimeTest, Watch_InAnUnknownZone_IsInvalid) {
  AnswerStream<v1::WatchTimeResponse> answers = Watch(Proto(1), "/etc/passwd");
  EXPECT_THAT(Ticks(answers), IsEmpty());
  EXPECT_EQ(answers.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(WatchTimeTest, Watch_WhenTheClientGoes_Ends) {
  {
    AnswerStream<v1::WatchTimeResponse> answers = Watch(Proto(1));
    EXPECT_NE(host_.loop->next_wake(), kNever);
  }
  host_.RunReady();
  EXPECT_EQ(host_.loop->next_wake(), kNever);
  host_.Advance(absl::Seconds(10));
  EXPECT_THAT(host_.lifecycle.failures(), IsEmpty());
}

TEST_F(WatchTimeTest, Watch_OfSeveral_EachHasItsOwn) {
  AnswerStream<v1::WatchTimeResponse> slow = Watch(Proto(2));
  host_.Advance(absl::Seconds(1));
  std::optional<AnswerStream<v1::WatchTimeResponse>> fast = Watch(Proto(1));
  host_.Advance(absl::Seconds(1));
  EXPECT_THAT(Ticks(*fast), ElementsAre(0, 1));
  fast.reset();
  host_.Advance(absl::Seconds(2));
  EXPECT_THAT(Ticks(slow), ElementsAre(0, 1, 2));
}

TEST_F(WatchTimeTest, Watch_WhenTheOffsetChanges_ShowsItAndKeepsItsTicks) {
  AnswerStream<v1::WatchTimeResponse> answers = Watch(Proto(1));
  ASSERT_TRUE(SetOffset(Proto(3600)).ok());
  host_.Advance(absl::Seconds(1));
  EXPECT_EQ(answers.AwaitNext(kNoWait)->tick(), 0u);
  std::optional<v1::WatchTimeResponse> response = answers.AwaitNext(kNoWait);
  EXPECT_EQ(response->tick(), 1u);
  EXPECT_EQ(response->rfc3339(), "2024-01-11T13:00:01.123456789+00:00");
}

TEST_F(WatchTimeTest, Watch_OfTooMany_IsRefusedUntilOneHasGone) {
  std::vector<AnswerStream<v1::WatchTimeResponse>> all;
  for (size_t i = 0; i < kMaxWatches; ++i) all.push_back(Watch(Proto(60)));
  AnswerStream<v1::WatchTimeResponse> one_more = Watch(Proto(60));
  EXPECT_THAT(Ticks(one_more), IsEmpty());
  EXPECT_EQ(one_more.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(one_more.status().message()), HasSubstr("256 watches"));
  EXPECT_THAT(Ticks(all.back()), ElementsAre(0)) << "the others go on";
  all.pop_back();
  host_.RunReady();
  AnswerStream<v1::WatchTimeResponse> another = Watch(Proto(60));
  EXPECT_THAT(Ticks(another), ElementsAre(0));
}

TEST_F(WatchTimeTest, Watch_WhenTheClockStops_Ends) {
  AnswerStream<v1::WatchTimeResponse> answers = Watch(Proto(1));
  host_.Stop();
  EXPECT_THAT(Ticks(answers), ElementsAre(0));
  EXPECT_EQ(answers.status().code(), absl::StatusCode::kUnavailable);
}

class ConfiguredClockTest : public ::testing::Test {
 protected:
  ConfiguredClockTest() { stage_.time().SetWall(At("2024-01-11T12:00:00Z")); }
  v1::GetTimeResponse GetTime(const std::string& zone = "") {
    v1::GetTimeRequest request;
    request.set_time_zone(zone);
    return *stage_.Await(clock_.GetTime(request));
  }
  static v1::ClockConfig Config(const char* text) { return mainspring::testing::FromText(text); }

  mainspring::testing::Stage stage_;
  const v1::ClockRef clock_ = stage_.Add<Clock>("clock");
};

TEST_F(ConfiguredClockTest, TimeZone_IsThatOfARequestWhichNamesNone) {
  ASSERT_TRUE(stage_.Configure("clock", Config("time_zone: 'Asia/Tokyo'")).ok());
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(GetTime().time_zone(), "Asia/Tokyo");
  EXPECT_EQ(GetTime().rfc3339(), "2024-01-11T21:00:00.000000000+09:00");
  EXPECT_EQ(GetTime("UTC").time_zone(), "UTC");
}

TEST_F(ConfiguredClockTest, Offset_HoldsUntilSetOffsetAndChangesWithTheSectionAlone) {
  ASSERT_TRUE(stage_.Configure("clock", Config("offset { seconds: 60 }")).ok());
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(GetTime().rfc3339(), "2024-01-11T12:01:00.000000000+00:00");
  const v1::SetOffsetRequest set = mainspring::testing::FromText("offset { seconds: 5 }");
  ASSERT_TRUE(stage_.Await(clock_.SetOffset(set)).ok());
  EXPECT_TRUE(
      stage_.Configure("clock", Config("offset { seconds: 60 } time_zone: 'Etc/UTC'")).ok());
  EXPECT_EQ(GetTime().rfc3339(), "2024-01-11T12:00:05.000000000+00:00");
  EXPECT_TRUE(stage_.Configure("clock", Config("offset { seconds: 120 }")).ok());
  EXPECT_EQ(GetTime().rfc3339(), "2024-01-11T12:02:00.000000000+00:00");
}

TEST_F(ConfiguredClockTest, LeastWatchInterval_BindsNewWatches) {
  ASSERT_TRUE(stage_.Configure("clock", Config("least_watch_interval { seconds: 5 }")).ok());
  ASSERT_TRUE(stage_.Start().ok());
  const v1::WatchTimeRequest request = mainspring::testing::FromText("interval { seconds: 1 }");
  auto refused = clock_.WatchTime(request);
  EXPECT_FALSE(stage_.Next(refused).has_value());
  EXPECT_EQ(refused.status(), absl::InvalidArgumentError("interval: 1s is not between 5s and 24h"));
  auto ticks = clock_.WatchTime(v1::WatchTimeRequest());
  EXPECT_TRUE(stage_.Next(ticks).has_value());
  stage_.Advance(absl::Seconds(5));
  EXPECT_EQ(stage_.Next(ticks)->tick(), 1) << "where none is asked for, it is the least";
}

TEST_F(ConfiguredClockTest, Validate_OfWhatItCannotBe_SaysWhichField) {
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_THAT(std::string(stage_.Configure("clock", Config("time_zone: 'Mars/Olympus'")).message()),
              HasSubstr("Mars/Olympus"));
  EXPECT_EQ(stage_.Configure("clock", Config("offset { seconds: 315576000000 }")),
            absl::InvalidArgumentError("offset: 87660000h leads out of the years 2 to 9998"));
  EXPECT_EQ(GetTime().time_zone(), "UTC");
}

}  // namespace
}  // namespace mainspring::clock
