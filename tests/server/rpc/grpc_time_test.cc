#include "mainspring/server/rpc/grpc_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace mainspring::rpc {
namespace {

constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinInt64 = std::numeric_limits<int64_t>::min();

// Where types end, and as many in between, always the same.
std::vector<absl::Duration> Durations() {
  std::vector<absl::Duration> durations = {absl::ZeroDuration(), absl::InfiniteDuration(),
                                           absl::Nanoseconds(1) / 4};
  for (const absl::Duration unit :
       {absl::Nanoseconds(1), absl::Milliseconds(1), absl::Seconds(1)}) {
    for (const int64_t count : {int64_t{1}, int64_t{kMaxInt}, kMaxInt64}) {
      durations.push_back(unit * count);
      durations.push_back(unit * count + absl::Nanoseconds(1));
      durations.push_back(unit * count + absl::Milliseconds(1));
      durations.push_back(unit * count - absl::Nanoseconds(1));
      durations.push_back(unit * count - absl::Milliseconds(1));
    }
  }
  std::mt19937_64 random(20'270'103);
  for (int i = 0; i < 2000; ++i) {
    durations.push_back(absl::Nanoseconds(static_cast<int64_t>(random() >> (random() % 64))));
    durations.push_back(absl::Milliseconds(static_cast<int64_t>(random() >> (random() % 64))));
  }
  for (size_t i = 0, positive = durations.size(); i < positive; ++i) {
    durations.push_back(-durations[i]);
  }
  return durations;
}

TEST(ToGrpcMilliseconds, OfASecond_IsAThousand) {
  EXPECT_EQ(1000, ToGrpcMilliseconds(absl::Seconds(1)));
}

TEST(ToGrpcMilliseconds, AtTheEnds_IsTheNearestThatAnIntCanSay) {
  EXPECT_EQ(0, ToGrpcMilliseconds(absl::ZeroDuration()));
  EXPECT_EQ(0, ToGrpcMilliseconds(-absl::Seconds(1)));
  EXPECT_EQ(0, ToGrpcMilliseconds(-absl::InfiniteDuration()));
  EXPECT_EQ(1, ToGrpcMilliseconds(absl::Nanoseconds(1))) << "not never";
  EXPECT_EQ(2, ToGrpcMilliseconds(absl::Microseconds(1001)));
  EXPECT_EQ(kMaxInt - 1, ToGrpcMilliseconds(absl::Milliseconds(kMaxInt - 1)));
  EXPECT_EQ(kMaxInt, ToGrpcMilliseconds(absl::Milliseconds(kMaxInt)));
  EXPECT_EQ(kMaxInt, ToGrpcMilliseconds(absl::Milliseconds(int64_t{kMaxInt} + 1)));
  EXPECT_EQ(kMaxInt, ToGrpcMilliseconds(absl::Hours(720)));
  EXPECT_EQ(kMaxInt, ToGrpcMilliseconds(absl::InfiniteDuration()));
}

TEST(ToGrpcMilliseconds, OfAny_IsNotShorterUnlessItIsTheLongest) {
  for (const absl::Duration each : Durations()) {
    const int milliseconds = ToGrpcMilliseconds(each);
    ASSERT_GE(milliseconds, 0) << each;
    ASSERT_EQ(each > absl::ZeroDuration(), milliseconds > 0) << each;
    if (milliseconds < kMaxInt && milliseconds > 0) {
      ASSERT_GE(absl::Milliseconds(milliseconds), each);
      ASSERT_LT(absl::Milliseconds(milliseconds - 1), each);
    }
  }
}

TEST(GrpcDeadline, OfAny_IsNotBeforeNowAndNotBeforeAnEarlierOne) {
  const gpr_timespec now = gpr_now(GPR_CLOCK_REALTIME);
  for (const absl::Duration each : Durations()) {
    const gpr_timespec deadline = GrpcDeadline(each);
    ASSERT_EQ(GPR_CLOCK_REALTIME, deadline.clock_type);
    ASSERT_GE(deadline.tv_nsec, 0);
    ASSERT_LT(deadline.tv_nsec, 1'000'000'000);
    ASSERT_GE(gpr_time_cmp(deadline, now), 0) << each;
    const absl::Duration left = absl::Seconds(deadline.tv_sec) - absl::Seconds(now.tv_sec);
    if (each < absl::Hours(24 * 365 * 200)) {
      ASSERT_LT(left, std::max(each, absl::ZeroDuration()) + absl::Minutes(1)) << each;
      ASSERT_GT(left, each - absl::Seconds(2)) << each;
    } else {
      ASSERT_EQ(0, gpr_time_cmp(deadline, gpr_inf_future(GPR_CLOCK_REALTIME))) << each;
    }
  }
}

class ToSteadyTimeTest : public ::testing::Test {
 protected:
  SteadyTime Convert(int64_t seconds, int32_t nanoseconds = 0) const {
    return ToSteadyTime({seconds, nanoseconds, GPR_CLOCK_REALTIME}, now_, steady_);
  }

  const gpr_timespec now_{1'800'000'000, 500'000'000, GPR_CLOCK_REALTIME};
  const SteadyTime steady_{std::chrono::seconds(1000)};
};

TEST_F(ToSteadyTimeTest, OfASecondFromNow_IsASecondFromNow) {
  EXPECT_EQ(steady_ + std::chrono::seconds(1), Convert(1'800'000'001, 500'000'000));
  EXPECT_EQ(steady_ - std::chrono::milliseconds(500), Convert(1'800'000'000));
}

TEST_F(ToSteadyTimeTest, AtTheEnds_IsNeverOrLongAgo) {
  EXPECT_EQ(kNever, Convert(kMaxInt64));
  EXPECT_EQ(kNever, Convert(kMaxInt64 - 1));
  EXPECT_EQ(kNever, ToSteadyTime(gpr_inf_future(GPR_CLOCK_REALTIME), now_, steady_));
  EXPECT_LT(ToSteadyTime(gpr_inf_past(GPR_CLOCK_REALTIME), now_, steady_), SteadyTime());
  EXPECT_LT(Convert(kMinInt64 + 1), SteadyTime());
  // grpc-timeout: 99999999H, the longest that there is.
  EXPECT_EQ(kNever, Convert(1'800'000'000 + int64_t{99'999'999} * 3600));
  // Beyond 2262, which nanoseconds since 1970 cannot say; steady time can.
  EXPECT_EQ(steady_ + std::chrono::hours(24 * 365 * 250),
            Convert(1'800'000'000 + int64_t{24} * 365 * 250 * 3600, 500'000'000));
}

TEST_F(ToSteadyTimeTest, OfLaterTimes_IsNotEarlier) {
  std::mt19937_64 random(20'270'104);
  std::vector<int64_t> seconds = {kMinInt64, -1, 0, 1, kMaxInt64};
  for (int i = 0; i < 2000; ++i)
    seconds.push_back(static_cast<int64_t>(random() >> (random() % 64)));
  std::sort(seconds.begin(), seconds.end());
  for (size_t i = 1; i < seconds.size(); ++i) {
    ASSERT_LE(Convert(seconds[i - 1]), Convert(seconds[i])) << seconds[i];
  }
}

}  // namespace
}  // namespace mainspring::rpc
