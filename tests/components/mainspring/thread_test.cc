#include "mainspring/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/components/mainspring/fakes.h"

namespace mainspring::testing {
namespace {

TEST(Thread, Start_RunsItsBodyOnAnotherThread) {
  std::thread::id ran_on;
  {
    absl::StatusOr<std::unique_ptr<Thread>> thread =
        Thread::Start("worker", [&] { ran_on = std::this_thread::get_id(); });
    ASSERT_TRUE(thread.ok()) << thread.status();
  }
  EXPECT_NE(ran_on, std::thread::id());
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

// PR_FUTEX_HASH_GET_SLOTS; below zero: this kernel does not know.
int WaitersTableSize() { return prctl(78, 2, 0, 0, 0); }

TEST(Thread, Expect_MakesTheKernelsTableOfWaitersBigEnough) {
  if (WaitersTableSize() < 0) GTEST_SKIP() << "this kernel has one table for the whole machine";
  Thread::Expect(1000);
  const int size = WaitersTableSize();
  EXPECT_GE(size, 1000);
  Thread::Expect(10);
  EXPECT_EQ(WaitersTableSize(), size);
}

TEST(Thread, Destroyed_WaitsForItsBody) {
  Latch gate;
  bool done = false;
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start("worker", [&] {
    gate.Wait();
    done = true;
  });
  ASSERT_TRUE(thread.ok()) << thread.status();
  gate.Open();
  thread->reset();
  EXPECT_TRUE(done);
}

// The name that Linux shows for a thread that was started with `name`.
std::string NameOf(const std::string& name) {
  Latch named;
  char shown[16] = {};
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start(name, [&] {
    named.Wait();
    pthread_getname_np(pthread_self(), shown, sizeof(shown));
  });
  named.Open();
  thread->reset();
  return shown;
}

TEST(Thread, Name_IsCutAtFifteenCharacters) {
  EXPECT_EQ(NameOf("clock"), "clock");
  EXPECT_EQ(NameOf("exactly-fifteen"), "exactly-fifteen");
  EXPECT_EQ(NameOf("a-name-that-is-much-too-long"), "a-name-that-is-");
}

TEST(Thread, Id_IsTheKernels) {
  Latch running, seen;
  int id = 0;
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start("worker", [&] {
    id = gettid();
    running.Open();
    seen.Wait();
  });
  ASSERT_TRUE(running.Wait());
  EXPECT_EQ((*thread)->id(), id);
  EXPECT_NE((*thread)->id(), gettid());
  seen.Open();
}

TEST(Thread, CpuTime_GrowsByWhatItWorks) {
  Latch begin, worked, seen;
  const auto used = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return absl::DurationFromTimespec(time);
  };
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start("worker", [&] {
    begin.Wait();
    const absl::Duration enough = used() + absl::Milliseconds(20);
    while (used() < enough) {
    }
    worked.Open();
    seen.Wait();
  });
  const absl::Duration before = (*thread)->cpu_time();
  begin.Open();
  ASSERT_TRUE(worked.Wait());
  EXPECT_GE((*thread)->cpu_time() - before, absl::Milliseconds(20));
  seen.Open();
}

TEST(Thread, Signals_AreBlockedButThoseOfAFault) {
  sigset_t mask, before, after;
  sigemptyset(&mask);
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    ASSERT_TRUE(
        Thread::Start("worker", [&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); }).ok());
  }
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGPIPE}) {
    EXPECT_EQ(sigismember(&mask, signal), 1) << strsignal(signal);
  }
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
    EXPECT_EQ(sigismember(&mask, signal), 0) << strsignal(signal);
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
    EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << "the starter's own";
  }
}

TEST(Thread, Stack_IsAsSmallAsItSays) {
  size_t bytes = 0;
  {
    ASSERT_TRUE(Thread::Start("worker", [&] {
                  pthread_attr_t attributes;
                  pthread_getattr_np(pthread_self(), &attributes);
                  pthread_attr_getstacksize(&attributes, &bytes);
                  pthread_attr_destroy(&attributes);
                }).ok());
  }
  EXPECT_GE(bytes, Thread::kStackBytes / 2);
  EXPECT_LE(bytes, Thread::kStackBytes * 2);
}

}  // namespace
}  // namespace mainspring::testing
