#include "mainspring/server/supervisor/restart_budget.h"

#include <gtest/gtest.h>

namespace mainspring {
namespace {

using std::nullopt;

// A budget, and the clock that it is used by.
class RestartBudgetTest : public ::testing::Test {
 protected:
  static constexpr double kNoJitter = 0.5;

  std::optional<absl::Duration> Fail(absl::Duration ran = absl::ZeroDuration(),
                                     double random = kNoJitter) {
    return budget_->OnFailure(now_, ran, random);
  }
  void Pass(absl::Duration duration) { now_ = After(now_, duration); }
  void Use(const RestartPolicy& policy) { budget_.emplace(policy); }

  SteadyTime now_ = SteadyTime(std::chrono::hours(1));
  std::optional<RestartBudget> budget_{std::in_place, RestartPolicy()};
};

TEST_F(RestartBudgetTest, WhenItFailsAgainAndAgain_BackoffDoublesUntilTheFifthIsTheLast) {
  EXPECT_EQ(4, budget_->restarts_left(now_));
  EXPECT_EQ(absl::Milliseconds(200), Fail());
  EXPECT_EQ(3, budget_->restarts_left(now_));
  EXPECT_EQ(absl::Milliseconds(400), Fail());
  EXPECT_EQ(absl::Milliseconds(800), Fail());
  EXPECT_EQ(absl::Milliseconds(1600), Fail());
  EXPECT_EQ(0, budget_->restarts_left(now_));
  EXPECT_EQ(nullopt, Fail());
  EXPECT_EQ(0, budget_->restarts_left(now_));
}

TEST_F(RestartBudgetTest, WhenItFailsSeldom_BackoffGrowsToItsCap) {
  std::optional<absl::Duration> backoff;
  for (int i = 0; i < 20; ++i) {
    backoff = Fail();
    ASSERT_TRUE(backoff.has_value());
    EXPECT_LE(*backoff, absl::Seconds(30));
    Pass(absl::Seconds(61));
  }
  EXPECT_EQ(absl::Seconds(30), backoff);
}

TEST_F(RestartBudgetTest, ForAnyRandom_JitterStaysInItsBounds) {
  for (double random : {0.0, 0.25, 0.5, 0.75, 0.999999}) {
    budget_->Reset();
    const absl::Duration backoff = Fail(absl::ZeroDuration(), random).value();
    EXPECT_GE(backoff, absl::Milliseconds(160)) << random;
    EXPECT_LE(backoff, absl::Milliseconds(240)) << random;
  }
  budget_->Reset();
  EXPECT_EQ(absl::Milliseconds(160), Fail(absl::ZeroDuration(), 0.0));
}

TEST_F(RestartBudgetTest, WhenItHasRunLongEnough_BackoffBeginsAnew) {
  Fail();
  Fail();
  EXPECT_EQ(absl::Milliseconds(800), Fail(absl::Seconds(60) - absl::Nanoseconds(1)));
  EXPECT_EQ(absl::Milliseconds(200), Fail(absl::Seconds(60)));
}

TEST_F(RestartBudgetTest, WhenFailuresLeaveThePeriod_TheyNoLongerCount) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Fail().has_value());
  Pass(absl::Seconds(60));
  EXPECT_EQ(0, budget_->restarts_left(now_)) << "just within";
  Pass(absl::Nanoseconds(1));
  EXPECT_EQ(4, budget_->restarts_left(now_));
  EXPECT_TRUE(Fail().has_value());
}

TEST_F(RestartBudgetTest, WhenTheyAreSpreadEvenly_NeverRunsOut) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(Fail().has_value()) << i;
    Pass(absl::Seconds(15) + absl::Milliseconds(1));
  }
}

TEST_F(RestartBudgetTest, WhenTheyAreALittleTooDense_RunsOut) {
  int failures = 1;
  while (Fail().has_value() && failures < 100) {
    Pass(absl::Seconds(15));
    ++failures;
  }
  EXPECT_EQ(5, failures);
}

TEST_F(RestartBudgetTest, WhenTemporary_IsNeverStartedAgain) {
  RestartPolicy policy;
  policy.kind = RestartKind::kTemporary;
  Use(policy);
  EXPECT_EQ(0, budget_->restarts_left(now_));
  EXPECT_EQ(nullopt, Fail());
}

TEST_F(RestartBudgetTest, WhenTransient_IsAsPermanent) {
  RestartPolicy policy;
  policy.kind = RestartKind::kTransient;
  Use(policy);
  EXPECT_EQ(absl::Milliseconds(200), Fail());
}

TEST_F(RestartBudgetTest, WhenReset_HasItsWholeBudgetAndTheLeastBackoff) {
  for (int i = 0; i < 5; ++i) Fail();
  budget_->Reset();
  EXPECT_EQ(4, budget_->restarts_left(now_));
  EXPECT_EQ(absl::Milliseconds(200), Fail());
}

TEST_F(RestartBudgetTest, WhenOneFailureIsAllowed_TheFirstIsTheLast) {
  RestartPolicy policy;
  policy.max_failures = 1;
  Use(policy);
  EXPECT_EQ(0, budget_->restarts_left(now_));
  EXPECT_EQ(nullopt, Fail());
}

TEST_F(RestartBudgetTest, WhenOneThatWasGivenUpOnFailsLater_MayComeBackOnceThePeriodIsOver) {
  for (int i = 0; i < 5; ++i) Fail();
  Pass(absl::Seconds(61));
  EXPECT_TRUE(Fail().has_value());
}

}  // namespace
}  // namespace mainspring
