#include "mainspring/timer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "tests/components/mainspring/fakes.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SteadyTime Millisecond(int64_t number) { return SteadyTime(std::chrono::milliseconds(number)); }

class TimerQueueTest : public ::testing::Test {
 protected:
  void RunUntil(int64_t millisecond) {
    while (timers_.RunNext(Millisecond(millisecond))) {
    }
  }
  Callback Note(int number) {
    return [this, number] { ran_.push_back(number); };
  }

  TimerQueue timers_;
  std::vector<int> ran_;
};

TEST_F(TimerQueueTest, At_WhenDue_RunsOnce) {
  timers_.At(Millisecond(10), Note(1));
  EXPECT_EQ(timers_.next(), Millisecond(10));
  EXPECT_FALSE(timers_.RunNext(Millisecond(9)));
  EXPECT_TRUE(timers_.RunNext(Millisecond(10)));
  EXPECT_FALSE(timers_.RunNext(Millisecond(10)));
  EXPECT_THAT(ran_, ElementsAre(1));
  EXPECT_EQ(timers_.next(), kNever);
}

TEST_F(TimerQueueTest, RunNext_OfSeveral_RunsInTheOrderOfTheirTimes) {
  timers_.At(Millisecond(30), Note(3));
  timers_.At(Millisecond(10), Note(1));
  timers_.At(Millisecond(20), Note(2));
  RunUntil(100);
  EXPECT_THAT(ran_, ElementsAre(1, 2, 3));
}

TEST_F(TimerQueueTest, RunNext_OfOneTime_RunsInTheOrderTheyWereGiven) {
  for (int i = 0; i < 5; ++i) timers_.At(Millisecond(10), Note(i));
  RunUntil(10);
  EXPECT_THAT(ran_, ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(TimerQueueTest, At_ATimeThatHasPassed_RunsAtOnce) {
  timers_.At(Millisecond(-5), Note(1));
  RunUntil(0);
  EXPECT_THAT(ran_, ElementsAre(1));
}

TEST_F(TimerQueueTest, At_Never_DoesNotRun) {
  const TimerId id = timers_.At(kNever, Note(1));
  EXPECT_EQ(timers_.next(), kNever);
  RunUntil(1'000'000);
  EXPECT_THAT(ran_, IsEmpty());
  EXPECT_TRUE(timers_.Cancel(id));
}

TEST_F(TimerQueueTest, Every_WhenLate_DoesNotDrift) {
  timers_.Every(Millisecond(10), absl::Milliseconds(10), Note(1));
  RunUntil(13);
  EXPECT_EQ(timers_.next(), Millisecond(20));
  RunUntil(29);
  EXPECT_EQ(timers_.next(), Millisecond(30));
  EXPECT_EQ(ran_.size(), 2u);
}

TEST_F(TimerQueueTest, Every_WhenRunsWereMissed_LeavesThemOut) {
  timers_.Every(Millisecond(10), absl::Milliseconds(10), Note(1));
  RunUntil(45);
  EXPECT_EQ(ran_.size(), 1u);
  EXPECT_EQ(timers_.next(), Millisecond(50));
  RunUntil(60);
  EXPECT_EQ(ran_.size(), 2u) << "run 50 was missed when 60 came";
  EXPECT_EQ(timers_.next(), Millisecond(70));
}

TEST_F(TimerQueueTest, Every_WithAnIntervalOfForEver_RunsOnce) {
  const TimerId id = timers_.Every(Millisecond(10), absl::InfiniteDuration(), Note(1));
  RunUntil(1'000'000);
  EXPECT_THAT(ran_, ElementsAre(1));
  EXPECT_EQ(timers_.next(), kNever);
  EXPECT_TRUE(timers_.Cancel(id));
}

// Nothing wraps round, and each run is due after the one before.
TEST_F(TimerQueueTest, Every_WithAnyIntervalAndAnyDelay_GoesForward) {
  const absl::Duration longest = absl::Nanoseconds(std::numeric_limits<int64_t>::max());
  for (const absl::Duration interval :
       {-absl::InfiniteDuration(), -absl::Seconds(1), absl::ZeroDuration(),
        absl::Nanoseconds(1) / 4, absl::Nanoseconds(1), absl::Milliseconds(1), longest, 4 * longest,
        absl::InfiniteDuration()}) {
    for (const SteadyTime due : {SteadyTime::min(), SteadyTime(), Millisecond(1)}) {
      for (const SteadyTime now :
           {Millisecond(1), Millisecond(int64_t{1} << 41), kNever - std::chrono::nanoseconds(1)}) {
        TimerQueue timers;
        int ran = 0;
        timers.Every(due, interval, [&ran] { ++ran; });
        ASSERT_TRUE(timers.RunNext(now));
        ASSERT_EQ(ran, 1);
        ASSERT_GT(timers.next(), now) << absl::FormatDuration(interval);
        ASSERT_FALSE(timers.RunNext(now));
      }
    }
  }
}

TEST_F(TimerQueueTest, Cancel_BeforeItRan_KeepsItFromRunning) {
  const TimerId id = timers_.At(Millisecond(10), Note(1));
  EXPECT_TRUE(timers_.Cancel(id));
  EXPECT_FALSE(timers_.Cancel(id));
  RunUntil(10);
  EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(TimerQueueTest, Cancel_AfterItRan_SaysFalse) {
  const TimerId id = timers_.At(Millisecond(10), Note(1));
  RunUntil(10);
  EXPECT_FALSE(timers_.Cancel(id));
  EXPECT_FALSE(timers_.Cancel(TimerId{4711}));
}

TEST_F(TimerQueueTest, Cancel_OfItselfWhileItRuns_EndsIt) {
  TimerId id{};
  const auto guarded = std::make_shared<int>(0);
  id = timers_.Every(Millisecond(10), absl::Milliseconds(10), [&, guarded] {
    EXPECT_TRUE(timers_.Cancel(id));
    EXPECT_FALSE(timers_.Cancel(id));
    ++*guarded;  // what it captured is still there
  });
  RunUntil(100);
  EXPECT_EQ(*guarded, 1);
  EXPECT_EQ(guarded.use_count(), 1) << "the callback was destroyed";
  EXPECT_EQ(timers_.next(), kNever);
}

TEST_F(TimerQueueTest, Cancel_OfAnotherFromACallback_KeepsItFromRunning) {
  TimerId second{};
  timers_.At(Millisecond(10), [&] { EXPECT_TRUE(timers_.Cancel(second)); });
  second = timers_.At(Millisecond(10), Note(2));
  timers_.At(Millisecond(10), Note(3));
  RunUntil(10);
  EXPECT_THAT(ran_, ElementsAre(3));
}

TEST_F(TimerQueueTest, At_FromACallback_RunsToo) {
  timers_.At(Millisecond(10), [this] {
    for (int i = 0; i < 100; ++i) timers_.At(Millisecond(10), Note(i));
  });
  RunUntil(10);
  EXPECT_EQ(ran_.size(), 100u);
}

TEST_F(TimerQueueTest, RunNext_WhenTheCallbackThrows_LeavesTheOthers) {
  timers_.At(Millisecond(10), [] { throw 1; });
  timers_.At(Millisecond(10), Note(2));
  EXPECT_THROW(timers_.RunNext(Millisecond(10)), int);
  RunUntil(10);
  EXPECT_THAT(ran_, ElementsAre(2));
}

// What the queue should do, as simply as it can be said.
struct Model {
  struct Timer {
    int64_t due;
    int64_t interval;
  };
  // The one that runs next at `now`; id 0: none.
  uint64_t Next(int64_t now) const {
    uint64_t first = 0;
    for (const auto& [id, timer] : timers) {
      if (timer.due <= now && (first == 0 || timer.due < timers.at(first).due)) first = id;
    }
    return first;
  }
  void Ran(uint64_t id, int64_t now) {
    Timer& timer = timers.at(id);
    if (timer.interval == 0) {
      timers.erase(id);
      return;
    }
    while (timer.due <= now) timer.due += timer.interval;
  }
  std::map<uint64_t, Timer> timers;
};

TEST_F(TimerQueueTest, RandomOperations_DoAsTheModel) {
  std::mt19937 random(20221107);
  Model model;
  std::vector<TimerId> ids;
  int64_t now = 0;
  uint64_t last_run = 0;
  size_t runs = 0;
  for (int i = 0; i < 100'000; ++i) {
    const uint32_t what = random() % 100;
    if (what < 40 && model.timers.size() < 50) {
      const int64_t due = now + static_cast<int64_t>(random() % 60) - 10;
      const int64_t interval = random() % 3 == 0 ? 1 + static_cast<int64_t>(random() % 40) : 0;
      const uint64_t number = ids.size() + 1;
      Callback callback = [&last_run, number] { last_run = number; };
      ids.push_back(interval == 0 ? timers_.At(Millisecond(due), std::move(callback))
                                  : timers_.Every(Millisecond(due), absl::Milliseconds(interval),
                                                  std::move(callback)));
      model.timers[number] = {due, interval};
    } else if (what < 60 && !ids.empty()) {
      // Of the younger ones, so that some are still there.
      const uint64_t number = ids.size() - random() % std::min<size_t>(ids.size(), 100);
      ASSERT_EQ(timers_.Cancel(ids[number - 1]), model.timers.erase(number) == 1);
    } else {
      now += random() % 8;
      const uint64_t expected = model.Next(now);
      last_run = 0;
      ASSERT_EQ(timers_.RunNext(Millisecond(now)), expected != 0);
      ASSERT_EQ(last_run, expected);
      if (expected != 0) model.Ran(expected, now);
      runs += expected != 0;
    }
  }
  EXPECT_GT(runs, 10'000u);
}

}  // namespace
}  // namespace mainspring::testing
