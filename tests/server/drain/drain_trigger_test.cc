#include "mainspring/server/drain/drain_trigger.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/server/eventually.h"

namespace mainspring {
namespace {

TEST(DrainTrigger, WhenASignalComesAfterAnOperatorsDrain_ItIsStillTheSameDrain) {
  DrainTrigger trigger;
  trigger.PullTo(DrainTrigger::kDrain, "Lifecycle.Drain");
  trigger.Pull("SIGTERM");
  EXPECT_EQ(DrainTrigger::kDrain, trigger.pulls());
  EXPECT_EQ("Lifecycle.Drain", trigger.reason());
  trigger.Pull("SIGTERM");
  EXPECT_EQ(DrainTrigger::kStopNow, trigger.pulls());
}

using testing::Soon;

TEST(DrainTrigger, WhenPulled_LetsItsWaiterGo) {
  DrainTrigger trigger;
  auto waiter = std::async([&] { return trigger.Await(DrainTrigger::kDrain, Soon()); });
  trigger.Pull("SIGTERM");
  EXPECT_TRUE(waiter.get());
  EXPECT_EQ(1, trigger.pulls());
  EXPECT_EQ("SIGTERM", trigger.reason());
}

TEST(DrainTrigger, WhenPulledAgain_KeepsTheFirstReason) {
  DrainTrigger trigger;
  trigger.Pull("SIGTERM");
  trigger.Pull("SIGINT");
  EXPECT_EQ(2, trigger.pulls());
  EXPECT_EQ("SIGTERM", trigger.reason());
}

TEST(DrainTrigger, WhenPulledMoreOften_CountsAsLess) {
  DrainTrigger trigger;
  trigger.Pull("a");
  trigger.Pull("b");
  EXPECT_TRUE(trigger.Await(DrainTrigger::kDrain));
  EXPECT_TRUE(trigger.Await(DrainTrigger::kStopNow));
  EXPECT_FALSE(trigger.Await(DrainTrigger::kExitNow, Soon(absl::Milliseconds(5))));
}

TEST(DrainTrigger, WhenPulledToANotch_IsPulledSoFarAndNoFurther) {
  DrainTrigger trigger;
  trigger.PullTo(DrainTrigger::kDrain, "first");
  trigger.PullTo(DrainTrigger::kDrain, "again");
  EXPECT_EQ(1, trigger.pulls());
  EXPECT_EQ("first", trigger.reason());
  trigger.PullTo(DrainTrigger::kStopNow, "now");
  EXPECT_EQ(2, trigger.pulls());
  EXPECT_EQ("first", trigger.reason());
  trigger.PullTo(DrainTrigger::kDrain, "late");
  EXPECT_EQ(2, trigger.pulls()) << "never back";
  for (int i = 0; i < 3; ++i) trigger.Pull("signal");
  EXPECT_TRUE(trigger.Await(DrainTrigger::kExitNow));
}

TEST(DrainTrigger, WhenPulledToTheSecondNotchAtOnce_HasThatReason) {
  DrainTrigger trigger;
  auto waiter = std::async([&] { return trigger.Await(DrainTrigger::kStopNow); });
  trigger.PullTo(DrainTrigger::kStopNow, "now");
  EXPECT_TRUE(waiter.get());
  EXPECT_EQ("now", trigger.reason());
}

TEST(DrainTrigger, WhenTheDeadlineHasPassed_ReturnsAtOnce) {
  DrainTrigger trigger;
  EXPECT_FALSE(trigger.Await(DrainTrigger::kDrain, SteadyTime::min()));
}

TEST(DrainTrigger, WhenCalledOff_LetsItsWaiterGoUnpulled) {
  DrainTrigger trigger;
  std::atomic<bool> called_off{false};
  auto waiter =
      std::async([&] { return trigger.Await(DrainTrigger::kExitNow, kNever, &called_off); });
  trigger.Pull("a");
  trigger.LookAgain();
  called_off = true;
  trigger.LookAgain();
  EXPECT_FALSE(waiter.get());
}

TEST(DrainTrigger, WhenPulledBeforeAnybodyWaits_IsNotForgotten) {
  DrainTrigger trigger;
  trigger.Pull("early");
  EXPECT_TRUE(trigger.Await(DrainTrigger::kDrain, SteadyTime::min()));
}

}  // namespace
}  // namespace mainspring
