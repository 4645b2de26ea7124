#include "mainspring/server/world/last_exit.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "mainspring/mutex.h"
#include "mainspring/thread.h"

namespace mainspring {
namespace {

// A thread that blocks all signals, as ours do, and then hangs.
void HangOnAThread() {
  auto thread = Thread::Start("hangs", [] {
    ArmLastExit(absl::Milliseconds(10), 70);
    Mutex mutex;
    CondVar never;
    MutexLock lock(mutex);
    while (true) never.Wait(mutex);
  });
  thread->reset();
}

TEST(LastExitDeathTest, WhenTheThreadHangs_EndsTheProcessWithTheCode) {
  EXPECT_EXIT(HangOnAThread(), ::testing::ExitedWithCode(70), "");
}

TEST(LastExitDeathTest, WhenArmedAgain_TheLastCounts) {
  EXPECT_EXIT(
      {
        ArmLastExit(absl::Hours(1), 1);
        ArmLastExit(absl::ZeroDuration(), 71);
        while (true) pause();
      },
      ::testing::ExitedWithCode(71), "");
}

TEST(LastExitDeathTest, WhenDisarmed_DoesNot) {
  EXPECT_EXIT(
      {
        ArmLastExit(absl::Milliseconds(20), 70);
        ArmLastExit(absl::InfiniteDuration(), 70);
        // Longer than it would have taken.
        poll(nullptr, 0, 100);
        _exit(3);
      },
      ::testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace mainspring
