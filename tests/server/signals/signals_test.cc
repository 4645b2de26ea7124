#include "mainspring/server/signals/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <vector>

#include "mainspring/mutex.h"
#include "tests/server/eventually.h"
#include "tests/server/process_view.h"

namespace mainspring {
namespace {

using testing::CountDescriptors;
using testing::Eventually;
using testing::ThreadNames;

class SignalsTest : public ::testing::Test {
 protected:
  SignalsTest() { Signals::Block(); }

  std::vector<int> heard() {
    MutexLock lock(mutex_);
    return heard_;
  }

  Signals::Handler Remember() {
    return [this](int signal) {
      MutexLock lock(mutex_);
      heard_.push_back(signal);
    };
  }

  Mutex mutex_;
  std::vector<int> heard_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(SignalsTest, WhenTheProcessGetsSigusr1_HearsOfItOnItsThread) {
  Signals signals(Remember());
  ASSERT_TRUE(signals.Start().ok());
  kill(getpid(), SIGUSR1);
  EXPECT_TRUE(Eventually([&] { return heard() == std::vector<int>{SIGUSR1}; }));
}

TEST_F(SignalsTest, ForEachOfOurs_HearsItsNumber) {
  Signals signals(Remember());
  ASSERT_TRUE(signals.Start().ok());
  std::vector<int> sent;
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGTERM}) {
    kill(getpid(), signal);
    sent.push_back(signal);
    ASSERT_TRUE(Eventually([&] { return heard() == sent; }));
  }
}

TEST_F(SignalsTest, WhenASignalCameBeforeStart_HearsOfItThen) {
  Signals signals(Remember());
  kill(getpid(), SIGHUP);
  ASSERT_TRUE(signals.Start().ok());
  EXPECT_TRUE(Eventually([&] { return heard() == std::vector<int>{SIGHUP}; }));
}

TEST_F(SignalsTest, WhenDestroyed_LeavesLaterSignalsPending) {
  {
    Signals signals(Remember());
    ASSERT_TRUE(signals.Start().ok());
  }
  kill(getpid(), SIGUSR1);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(1, sigismember(&pending, SIGUSR1));
  EXPECT_TRUE(heard().empty());
  // Taken away, for the tests that follow in this process.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  const timespec now = {};
  EXPECT_EQ(SIGUSR1, sigtimedwait(&set, nullptr, &now));
}

TEST_F(SignalsTest, WhenDestroyedWithoutStart_DoesNothing) { Signals signals(Remember()); }

TEST_F(SignalsTest, WhenStartedAndDestroyedManyTimes_LeavesNoThreadAndNoDescriptor) {
  const size_t descriptors = CountDescriptors();
  const size_t threads = ThreadNames().size();
  for (int i = 0; i < 100; ++i) {
    Signals signals(Remember());
    ASSERT_TRUE(signals.Start().ok());
  }
  EXPECT_EQ(descriptors, CountDescriptors());
  EXPECT_TRUE(Eventually([&] { return ThreadNames().size() == threads; }));
}

TEST_F(SignalsTest, WhenBlocked_IgnoresSigpipe) {
  struct sigaction action;
  sigaction(SIGPIPE, nullptr, &action);
  EXPECT_EQ(SIG_IGN, action.sa_handler);
}

}  // namespace
}  // namespace mainspring
