#include "mainspring/server/lifecycle/event_history.h"

#include <gtest/gtest.h>

#include <string>

namespace mainspring {
namespace {

LifecycleEvent EventOf(const std::string& component) {
  return {0,     absl::UnixEpoch(),        component,
          1,     LifecycleState::kStopped, LifecycleState::kStarting,
          "test"};
}

TEST(EventHistory, WhenEventsAreAdded_NumbersThemFromOne) {
  EventHistory history(10);
  EXPECT_EQ(1u, history.Add(EventOf("a")).sequence);
  EXPECT_EQ(2u, history.Add(EventOf("b")).sequence);
  EXPECT_EQ(2u, history.last());
  EXPECT_EQ(1u, history.oldest());
  EXPECT_EQ("a", history.at(1).component);
  EXPECT_EQ("b", history.at(2).component);
}

TEST(EventHistory, WhenEmpty_HasAllSinceNothing) {
  EventHistory history(10);
  EXPECT_EQ(0u, history.last());
  EXPECT_EQ(0u, history.oldest());
  EXPECT_TRUE(history.HasAllSince(0));
  EXPECT_FALSE(history.HasAllSince(1)) << "from the future";
  EXPECT_FALSE(history.HasAllSince(~uint64_t{0}));
}

TEST(EventHistory, WhenItMayKeepNone_KeepsTheLast) {
  EventHistory history(0);
  EXPECT_EQ("a", history.Add(EventOf("a")).component);
  EXPECT_EQ("b", history.Add(EventOf("b")).component);
  EXPECT_EQ(2u, history.oldest());
  EXPECT_TRUE(history.HasAllSince(1));
  EXPECT_FALSE(history.HasAllSince(0));
}

TEST(EventHistory, WhenFull_ForgetsTheOldest) {
  EventHistory history(3);
  for (int i = 1; i <= 5; ++i) history.Add(EventOf(std::to_string(i)));
  EXPECT_EQ(5u, history.last());
  EXPECT_EQ(3u, history.oldest());
  EXPECT_EQ("3", history.at(3).component);
  EXPECT_EQ("5", history.at(5).component);
  EXPECT_FALSE(history.HasAllSince(0));
  EXPECT_FALSE(history.HasAllSince(1));
  EXPECT_TRUE(history.HasAllSince(2)) << "3 and on are here";
  EXPECT_TRUE(history.HasAllSince(5)) << "nothing came since";
  EXPECT_FALSE(history.HasAllSince(6));
  EXPECT_FALSE(history.HasAllSince(~uint64_t{0})) << "one more than it is zero";
}

}  // namespace
}  // namespace mainspring
