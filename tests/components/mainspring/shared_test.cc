#include "mainspring/shared.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace mainspring::testing {
namespace {

struct Counted : Shared<Counted> {
  explicit Counted(std::atomic<int>& alive, int holds = 1) : Shared(holds), alive(alive) {
    ++alive;
  }
  ~Counted() { --alive; }
  std::atomic<int>& alive;
};

TEST(SharedPtr, Destroyed_DeletesWithTheLastHold) {
  std::atomic<int> alive{0};
  {
    SharedPtr<Counted> first(new Counted(alive));
    SharedPtr<Counted> second = first.Another();
    EXPECT_EQ(first.get(), second.get());
    first = nullptr;
    EXPECT_TRUE(first == nullptr);
    EXPECT_EQ(alive, 1);
    EXPECT_EQ(&second->alive, &alive);
    EXPECT_EQ(&(*second).alive, &alive);
  }
  EXPECT_EQ(alive, 0);
}

TEST(SharedPtr, Moved_HandsItsHoldOver) {
  std::atomic<int> alive{0};
  SharedPtr<Counted> first(new Counted(alive));
  SharedPtr<Counted> second(std::move(first));
  EXPECT_TRUE(first == nullptr);  // NOLINT(bugprone-use-after-move): says so
  SharedPtr<Counted>& itself = second;
  second = std::move(itself);
  EXPECT_EQ(alive, 1);
  second = SharedPtr<Counted>(new Counted(alive));
  EXPECT_EQ(alive, 1) << "the one that was overwritten has gone";
  EXPECT_FALSE(std::is_copy_constructible_v<SharedPtr<Counted>>);
}

TEST(SharedPtr, HoldHandedOverAsAPointer_IsGivenBackByUnref) {
  std::atomic<int> alive{0};
  SharedPtr<Counted> held(new Counted(alive));
  Counted* plain = held.get();
  plain->Ref();
  held = nullptr;
  EXPECT_EQ(alive, 1);
  plain->Unref();
  EXPECT_EQ(alive, 0);
}

TEST(SharedPtr, MadeWithTwoHolds_NeedsBothBack) {
  std::atomic<int> alive{0};
  auto* plain = new Counted(alive, /*holds=*/2);
  { SharedPtr<Counted> held(plain); }
  EXPECT_EQ(alive, 1);
  plain->Unref();
  EXPECT_EQ(alive, 0);
}

TEST(SharedPtr, HeldByManyThreads_DeletesOnce) {
  std::atomic<int> alive{0};
  std::vector<std::thread> threads;
  {
    SharedPtr<Counted> held(new Counted(alive));
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([mine = held.Another()] {
        for (int n = 0; n < 1000; ++n) EXPECT_EQ(mine.Another()->alive, 1);
      });
    }
  }
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace mainspring::testing
