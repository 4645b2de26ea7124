#include "mainspring/steady_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "tests/components/mainspring/fakes.h"

namespace mainspring::testing {
namespace {

const SteadyTime kTime(std::chrono::seconds(1000));

TEST(After, OfATimeAndADuration_IsTheirSum) {
  EXPECT_EQ(After(kTime, absl::Seconds(5)), SteadyTime(std::chrono::seconds(1005)));
  EXPECT_EQ(After(kTime, -absl::Seconds(5)), SteadyTime(std::chrono::seconds(995)));
  EXPECT_EQ(After(kTime, absl::ZeroDuration()), kTime);
  EXPECT_EQ(After(kTime, absl::Nanoseconds(1)) - kTime, std::chrono::nanoseconds(1));
}

TEST(After, BeyondWhatCanBeSaid_IsNever) {
  EXPECT_EQ(After(kTime, absl::InfiniteDuration()), kNever);
  EXPECT_EQ(After(kTime, absl::Hours(24 * 365 * 1000)), kNever);
  EXPECT_EQ(After(kNever, absl::Seconds(1)), kNever);
  EXPECT_EQ(After(kNever, -absl::Seconds(1)), kNever);
  EXPECT_EQ(After(kNever, -absl::InfiniteDuration()), kNever);
}

TEST(After, FiftyYears_CanBeSaid) {
  const absl::Duration fifty_years = absl::Hours(24 * 365 * 50);
  EXPECT_EQ(Between(kTime, After(kTime, fifty_years)), fifty_years);
}

// A deadline that comes from far away, such as another After.
TEST(After, OfATimeNearNever_IsNever) {
  const SteadyTime late = kNever - std::chrono::seconds(1);
  EXPECT_EQ(After(late, absl::Milliseconds(500)), late + std::chrono::milliseconds(500));
  EXPECT_EQ(After(late, absl::Seconds(2)), kNever);
}

TEST(After, NegativeForEver_IsBeforeEverything) {
  EXPECT_LT(After(kTime, -absl::InfiniteDuration()), SteadyTime());
}

TEST(Between, TwoTimes_IsTheWayFromOneToTheOther) {
  const SteadyTime later = kTime + std::chrono::milliseconds(1500);
  EXPECT_EQ(Between(kTime, later), absl::Milliseconds(1500));
  EXPECT_EQ(Between(later, kTime), -absl::Milliseconds(1500));
  EXPECT_EQ(Between(kTime, kTime), absl::ZeroDuration());
}

TEST(Between, ATimeAndNever_IsForEver) {
  EXPECT_EQ(Between(kTime, kNever), absl::InfiniteDuration());
  EXPECT_LT(Between(kNever, kTime), -absl::Hours(24 * 365));
}

TEST(Between, AnyTwoTimes_IsExact) {
  EXPECT_LT(Between(kTime, SteadyTime::min()), -absl::Hours(24 * 365 * 290));
  EXPECT_GT(Between(SteadyTime::min(), kNever - std::chrono::nanoseconds(1)),
            absl::Hours(24 * 365 * 580));
  std::mt19937_64 random(20'270'105);
  std::vector<SteadyTime> times = {SteadyTime::min(), SteadyTime(), kTime,
                                   kNever - std::chrono::nanoseconds(1)};
  for (int i = 0; i < 200; ++i) {
    times.push_back(SteadyTime(std::chrono::nanoseconds(static_cast<int64_t>(random()))));
  }
  for (const SteadyTime from : times) {
    for (const SteadyTime to : times) {
      const absl::Duration between = Between(from, to);
      ASSERT_EQ(from<to, between> absl::ZeroDuration());
      ASSERT_EQ(between, -Between(to, from));
      // As far as one addition goes.
      const absl::Duration longest = absl::Nanoseconds(std::numeric_limits<int64_t>::max());
      if (absl::AbsDuration(between) <= longest) {
        ASSERT_EQ(After(from, between), to);
      }
    }
  }
}

// No sum wraps round, whatever is added to whatever.
TEST(After, OfAnything_IsOnTheRightSide) {
  std::mt19937_64 random(20'270'106);
  std::vector<absl::Duration> durations = {absl::InfiniteDuration(), absl::Nanoseconds(1),
                                           absl::Nanoseconds(std::numeric_limits<int64_t>::max()),
                                           absl::Seconds(std::numeric_limits<int64_t>::max())};
  for (int i = 0; i < 200; ++i) {
    durations.push_back(absl::Nanoseconds(static_cast<int64_t>(random() >> (random() % 64))));
    durations.push_back(absl::Seconds(static_cast<int64_t>(random() >> (random() % 64))));
  }
  for (const SteadyTime time : {SteadyTime::min(), SteadyTime(), kTime, kNever}) {
    for (const absl::Duration each : durations) {
      ASSERT_EQ(After(time, absl::AbsDuration(each)),
                std::max(time, After(time, absl::AbsDuration(each))));
      ASSERT_LE(After(time, -absl::AbsDuration(each)), time);
    }
  }
}

TEST(TimeSource, Real_GoesForwardAndItsCoarseTimeIsClose) {
  const TimeSource& time = TimeSource::Real();
  const SteadyTime first = time.Now();
  const SteadyTime coarse = time.CoarseNow();
  EXPECT_GE(time.Now(), first);
  EXPECT_LT(Between(coarse, time.Now()), absl::Seconds(10));
  EXPECT_GT(coarse, first - std::chrono::milliseconds(100)) << "the same clock, a tick behind";
  EXPECT_GT(time.WallNow(), absl::FromUnixSeconds(1'600'000'000));
}

}  // namespace
}  // namespace mainspring::testing
