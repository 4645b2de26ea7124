#include "mainspring/server/drain/exit_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "mainspring/mutex.h"
#include "tests/server/eventually.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using testing::Eventually;
using ::testing::IsEmpty;
using testing::Soon;

class ExitGuardTest : public ::testing::Test {
 protected:
  void Guard(SteadyTime deadline) {
    guard_ = *ExitGuard::Start(trigger_, deadline, [this](const char* why) {
      MutexLock lock(mutex_);
      acts_.push_back(why);
    });
  }

  std::vector<std::string> acts() {
    MutexLock lock(mutex_);
    return acts_;
  }

  DrainTrigger trigger_;
  Mutex mutex_;
  std::vector<std::string> acts_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<ExitGuard> guard_;
};

TEST_F(ExitGuardTest, WhenTheDeadlinePasses_ActsOnce) {
  Guard(Soon(absl::Milliseconds(1)));
  EXPECT_TRUE(Eventually([&] { return !acts().empty(); }));
  guard_.reset();
  EXPECT_THAT(acts(), ElementsAre("it did not end in time"));
}

TEST_F(ExitGuardTest, WhenPulledAThirdTime_ActsAtOnce) {
  Guard(Soon());
  trigger_.Pull("a");
  trigger_.Pull("b");
  EXPECT_THAT(acts(), IsEmpty());
  trigger_.Pull("c");
  EXPECT_TRUE(Eventually([&] { return !acts().empty(); }));
  guard_.reset();
  EXPECT_THAT(acts(), ElementsAre("asked to exit at once"));
}

TEST_F(ExitGuardTest, WhenDestroyed_DoesNotAct) {
  Guard(Soon());
  guard_.reset();
  EXPECT_THAT(acts(), IsEmpty());
}

TEST_F(ExitGuardTest, WhenOneFollowsAnother_GuardsOnTheSameTrigger) {
  Guard(Soon());
  trigger_.Pull("a");
  Guard(Soon());
  trigger_.Pull("b");
  trigger_.Pull("c");
  EXPECT_TRUE(Eventually([&] { return !acts().empty(); }));
  guard_.reset();
  EXPECT_THAT(acts(), ElementsAre("asked to exit at once"));
}

TEST_F(ExitGuardTest, WhenPulledAfterDestruction_DoesNotAct) {
  Guard(Soon());
  guard_.reset();
  for (int i = 0; i < DrainTrigger::kExitNow; ++i) trigger_.Pull("late");
  EXPECT_THAT(acts(), IsEmpty());
}

}  // namespace
}  // namespace mainspring
