#include "server/supervisor/state.h"

#include <gtest/gtest.h>

namespace mainspring {
namespace {

TEST(LifecycleState, ForEach_HasTheNameThatOperatorsSee) {
  EXPECT_STREQ("STOPPED", Name(LifecycleState::kStopped));
  EXPECT_STREQ("STARTING", Name(LifecycleState::kStarting));
  EXPECT_STREQ("RUNNING", Name(LifecycleState::kRunning));
  EXPECT_STREQ("STOPPING", Name(LifecycleState::kStopping));
  EXPECT_STREQ("FAILED", Name(LifecycleState::kFailed));
}

}  // namespace
}  // namespace mainspring
