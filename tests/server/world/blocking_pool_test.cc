#include "mainspring/server/world/blocking_pool.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

#include "tests/components/mainspring/fakes.h"

namespace mainspring {
namespace {

using testing::Latch;

TEST(BlockingPool, DoesWhatItIsGiven) {
  Latch done;
  BlockingPool pool(2);
  EXPECT_TRUE(pool.Run([&] { done.Open(); }).ok());
  EXPECT_TRUE(done.Wait());
}

TEST(BlockingPool, DoesAsMuchAtOnceAsItHasThreads) {
  Latch go;
  std::vector<Latch> begun(3);
  BlockingPool pool(3);
  for (Latch& each : begun) {
    EXPECT_TRUE(pool.Run([&] {
                      each.Open();
                      go.Wait();
                    })
                    .ok());
  }
  for (Latch& each : begun) EXPECT_TRUE(each.Wait());
  go.Open();
}

TEST(BlockingPool, WhenTooMuchWaits_SaysSo) {
  Latch begun;
  Latch go;
  BlockingPool pool(1);
  ASSERT_TRUE(pool.Run([&] {
                    begun.Open();
                    go.Wait();
                  })
                  .ok());
  ASSERT_TRUE(begun.Wait());
  for (size_t i = 0; i < BlockingPool::kQueuedPerThread; ++i) {
    ASSERT_TRUE(pool.Run([] {}).ok()) << i;
  }
  EXPECT_EQ(pool.Run([] {}).code(), absl::StatusCode::kResourceExhausted);
  go.Open();
}

TEST(BlockingPool, DropAndAwait_WaitsForWhatWasBegunUntilTheDeadline) {
  Latch begun;
  Latch go;
  bool dropped = true;
  BlockingPool pool(1);
  EXPECT_TRUE(pool.DropAndAwait(testing::kNoWait));
  ASSERT_TRUE(pool.Run([&] {
                    begun.Open();
                    go.Wait();
                  })
                  .ok());
  ASSERT_TRUE(begun.Wait());
  ASSERT_TRUE(pool.Run([&] { dropped = false; }).ok());
  EXPECT_FALSE(pool.DropAndAwait(testing::kNoWait));
  go.Open();
  EXPECT_TRUE(pool.DropAndAwait(testing::Patience()));
  EXPECT_TRUE(dropped);
}

TEST(BlockingPool, Destroyed_FinishesWhatWasBegunAndDropsTheRest) {
  bool finished = false;
  bool dropped = true;
  Latch begun;
  Latch go;
  {
    BlockingPool pool(1);
    ASSERT_TRUE(pool.Run([&] {
                      begun.Open();
                      finished = go.Wait();
                    })
                    .ok());
    ASSERT_TRUE(begun.Wait());
    // What was begun ends only when what waits behind it has been dropped.
    auto open_when_dropped = std::shared_ptr<void>(nullptr, [&](void*) { go.Open(); });
    ASSERT_TRUE(pool.Run([&dropped, _ = std::move(open_when_dropped)] { dropped = false; }).ok());
  }
  EXPECT_TRUE(finished);
  EXPECT_TRUE(dropped);
}

}  // namespace
}  // namespace mainspring
