#include "mainspring/server/world/blocking_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "tests/components/mainspring/fakes.h"

namespace mainspring {
namespace {

using testing::Latch;

TEST(BlockingPool, DoesWhatItIsGiven) {
  BlockingPool pool(2);
  Latch done;
  EXPECT_TRUE(pool.Run([&] { done.Open(); }).ok());
  EXPECT_TRUE(done.Wait());
}

TEST(BlockingPool, DoesAsMuchAtOnceAsItHasThreads) {
  BlockingPool pool(3);
  Latch go;
  std::vector<Latch> begun(3);
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
  BlockingPool pool(1);
  Latch begun;
  Latch go;
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

TEST(BlockingPool, Destroyed_FinishesWhatWasBegunAndDropsTheRest) {
  std::atomic<bool> finished{false};
  auto dropped = std::make_shared<int>(0);
  Latch begun;
  Latch go;
  std::thread opener;
  {
    BlockingPool pool(1);
    ASSERT_TRUE(pool.Run([&] {
                      begun.Open();
                      go.Wait();
                      finished = true;
                    })
                    .ok());
    ASSERT_TRUE(begun.Wait());
    ASSERT_TRUE(pool.Run([dropped] { ++*dropped; }).ok());
    opener = std::thread([&] { go.Open(); });
  }
  opener.join();
  EXPECT_TRUE(finished);
  EXPECT_EQ(*dropped, 0);
  EXPECT_EQ(dropped.use_count(), 1);
}

}  // namespace
}  // namespace mainspring
