#include "mainspring/mutex.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/components/mainspring/fakes.h"

namespace mainspring::testing {
namespace {

TEST(MutexLock, OfManyThreads_LetsOneInAtATime) {
  Mutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) {
        MutexLock lock(mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 4000);
}

TEST(CondVar, Wait_ReturnsOnceNotified) {
  Mutex mutex;
  CondVar changed;
  bool ready = false;
  std::thread notifier([&] {
    MutexLock lock(mutex);
    ready = true;
    changed.NotifyOne();
  });
  {
    MutexLock lock(mutex);
    while (!ready) changed.Wait(mutex);
  }
  notifier.join();
}

TEST(CondVar, NotifyAll_WakesAll) {
  Mutex mutex;
  CondVar changed;
  bool ready = false;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] {
      MutexLock lock(mutex);
      while (!ready) changed.WaitUntil(mutex, kNever);
    });
  }
  {
    MutexLock lock(mutex);
    ready = true;
    changed.NotifyAll();
  }
  for (std::thread& waiter : waiters) waiter.join();
}

TEST(CondVar, WaitUntil_WithoutANotify_ReturnsAtTheDeadlineAndNotBefore) {
  Mutex mutex;
  CondVar never;
  const SteadyTime deadline = After(std::chrono::steady_clock::now(), absl::Milliseconds(20));
  {
    MutexLock lock(mutex);
    while (std::chrono::steady_clock::now() < deadline) never.WaitUntil(mutex, deadline);
  }
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST(CondVar, WaitUntil_AnyFarDeadline_WaitsForTheNotify) {
  for (const SteadyTime deadline :
       {kNever, kNever - std::chrono::nanoseconds(1), kNever - std::chrono::hours(1),
        SteadyTime(std::chrono::nanoseconds((int64_t{1} << 62) - 1)),
        SteadyTime(std::chrono::nanoseconds(int64_t{1} << 62))}) {
    Mutex mutex;
    CondVar changed;
    bool ready = false;
    int wakes = 0;
    std::thread notifier;
    {
      MutexLock lock(mutex);
      notifier = std::thread([&] {
        MutexLock inner(mutex);
        ready = true;
        changed.NotifyOne();
      });
      while (!ready) {
        changed.WaitUntil(mutex, deadline);
        ++wakes;
      }
    }
    notifier.join();
    EXPECT_LT(wakes, 1000) << "as if the deadline had passed";
  }
}

TEST(CondVar, WaitUntil_ADeadlineThatHasPassed_ReturnsAtOnce) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  never.WaitUntil(mutex, std::chrono::steady_clock::now());
  never.WaitUntil(mutex, SteadyTime());
}

}  // namespace
}  // namespace mainspring::testing
