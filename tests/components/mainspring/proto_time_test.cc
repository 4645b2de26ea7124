#include "mainspring/proto_time.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace mainspring {
namespace {

using google::protobuf::Duration;
using google::protobuf::Timestamp;

constexpr int64_t kTenThousandYears = 315'576'000'000;

Timestamp ToTimestamp(absl::Time time) {
  Timestamp proto;
  ToProto(time, proto);
  return proto;
}
Duration ToDuration(absl::Duration duration) {
  Duration proto;
  ToProto(duration, proto);
  return proto;
}
Duration Of(int64_t seconds, int32_t nanos) {
  Duration proto;
  proto.set_seconds(seconds);
  proto.set_nanos(nanos);
  return proto;
}

TEST(ToTimestamp, OfATime_HasItsSecondsAndNanos) {
  const Timestamp proto =
      ToTimestamp(absl::FromUnixSeconds(1'700'000'000) + absl::Nanoseconds(123'456'789));
  EXPECT_EQ(proto.seconds(), 1'700'000'000);
  EXPECT_EQ(proto.nanos(), 123'456'789);
  EXPECT_EQ(ToTimestamp(absl::UnixEpoch()).seconds(), 0);
}

TEST(ToTimestamp, Before1970_CountsItsNanosForward) {
  const Timestamp proto = ToTimestamp(absl::UnixEpoch() - absl::Nanoseconds(1));
  EXPECT_EQ(proto.seconds(), -1);
  EXPECT_EQ(proto.nanos(), 999'999'999);
  EXPECT_EQ(ToTimestamp(absl::UnixEpoch() - absl::Seconds(1)).seconds(), -1);
  EXPECT_EQ(ToTimestamp(absl::UnixEpoch() - absl::Seconds(1)).nanos(), 0);
}

TEST(ToTimestamp, AtTheEndsOfWhatItHolds_IsExact) {
  EXPECT_EQ(ToTimestamp(absl::FromCivil(absl::CivilYear(1), absl::UTCTimeZone())).seconds(),
            -62'135'596'800);
  const Timestamp last = ToTimestamp(absl::FromCivil(absl::CivilYear(10'000), absl::UTCTimeZone()) -
                                     absl::Nanoseconds(1));
  EXPECT_EQ(last.seconds(), 253'402'300'799);
  EXPECT_EQ(last.nanos(), 999'999'999);
}

TEST(ToDuration, OfEitherSign_HasOneSign) {
  EXPECT_EQ(ToDuration(absl::Milliseconds(1500)).seconds(), 1);
  EXPECT_EQ(ToDuration(absl::Milliseconds(1500)).nanos(), 500'000'000);
  EXPECT_EQ(ToDuration(absl::Milliseconds(-1500)).seconds(), -1);
  EXPECT_EQ(ToDuration(absl::Milliseconds(-1500)).nanos(), -500'000'000);
  EXPECT_EQ(ToDuration(absl::Nanoseconds(-1)).seconds(), 0);
  EXPECT_EQ(ToDuration(absl::Nanoseconds(-1)).nanos(), -1);
  EXPECT_EQ(ToDuration(absl::ZeroDuration()).nanos(), 0);
}

TEST(ToProto, OfWhatAMessageMayNotSay_SaysTheNearest) {
  EXPECT_EQ(ToDuration(absl::InfiniteDuration()).seconds(), kTenThousandYears);
  EXPECT_EQ(ToDuration(absl::InfiniteDuration()).nanos(), 0);
  EXPECT_EQ(ToDuration(-absl::InfiniteDuration()).seconds(), -kTenThousandYears);
  EXPECT_EQ(ToTimestamp(absl::InfiniteFuture()).seconds(), 253'402'300'799);
  EXPECT_EQ(ToTimestamp(absl::InfiniteFuture()).nanos(), 999'999'999);
  EXPECT_EQ(ToTimestamp(absl::InfinitePast()).seconds(), -62'135'596'800);
}

TEST(FromProto, OfAValidDuration_IsThatDuration) {
  EXPECT_EQ(*FromProto(Of(1, 500'000'000)), absl::Milliseconds(1500));
  EXPECT_EQ(*FromProto(Of(-1, -500'000'000)), absl::Milliseconds(-1500));
  EXPECT_EQ(*FromProto(Of(0, -1)), absl::Nanoseconds(-1));
  EXPECT_EQ(*FromProto(Of(0, 0)), absl::ZeroDuration());
  EXPECT_EQ(*FromProto(Of(kTenThousandYears, 0)), absl::Seconds(kTenThousandYears));
  EXPECT_EQ(*FromProto(Of(-kTenThousandYears, 0)), absl::Seconds(-kTenThousandYears));
}

TEST(FromProto, OfWhatToProtoMade_IsTheSame) {
  for (const int64_t nanoseconds :
       {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{999'999'999}, int64_t{-1'000'000'001},
        std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    const absl::Duration duration = absl::Nanoseconds(nanoseconds);
    EXPECT_EQ(*FromProto(ToDuration(duration)), duration);
  }
}

TEST(FromProto, OfWhatDurationProtoForbids_IsInvalid) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  for (const Duration& proto :
       {Of(1, -1), Of(-1, 1), Of(0, 1'000'000'000), Of(0, -1'000'000'000),
        Of(kTenThousandYears + 1, 0), Of(-kTenThousandYears - 1, 0), Of(kMost, 0), Of(kLeast, 0),
        Of(0, std::numeric_limits<int32_t>::max()), Of(0, std::numeric_limits<int32_t>::min())}) {
    const absl::Status status = FromProto(proto).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << proto.ShortDebugString();
    EXPECT_NE(std::string(status.message()).find(std::to_string(proto.seconds())),
              std::string::npos);
  }
}

}  // namespace
}  // namespace mainspring
