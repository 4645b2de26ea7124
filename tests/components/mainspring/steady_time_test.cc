#include "mainspring/steady_time.h"

#include <gtest/gtest.h>

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
