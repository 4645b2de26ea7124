#include "mainspring/server/supervisor/state.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

namespace mainspring {
namespace {

using State = LifecycleState;
using Change = LifecycleChange;

constexpr State kAllStates[] = {State::kStopped,  State::kStarting, State::kRunning,
                                State::kStopping, State::kBackoff,  State::kFailed};
constexpr Change kChanges[] = {Change::kStart, Change::kStarted,  Change::kFail,    Change::kGiveUp,
                               Change::kStop,  Change::kFinished, Change::kStopped, Change::kStuck};

TEST(NextState, ForEachStateAndChange_LeadsWhereTheDesignSays) {
  const std::map<std::pair<State, Change>, State> allowed = {
      {{State::kStopped, Change::kStart}, State::kStarting},
      {{State::kFailed, Change::kStart}, State::kStarting},
      {{State::kBackoff, Change::kStart}, State::kStarting},
      {{State::kStarting, Change::kStarted}, State::kRunning},
      {{State::kStarting, Change::kFail}, State::kBackoff},
      {{State::kStarting, Change::kGiveUp}, State::kFailed},
      {{State::kStarting, Change::kStop}, State::kStopping},
      {{State::kRunning, Change::kStop}, State::kStopping},
      {{State::kRunning, Change::kFail}, State::kBackoff},
      {{State::kRunning, Change::kGiveUp}, State::kFailed},
      {{State::kRunning, Change::kFinished}, State::kStopped},
      {{State::kBackoff, Change::kStop}, State::kStopped},
      {{State::kStopping, Change::kStopped}, State::kStopped},
      {{State::kStopping, Change::kStuck}, State::kFailed},
  };
  for (State from : kAllStates) {
    for (Change change : kChanges) {
      SCOPED_TRACE(std::string(Name(from)) + " on " + Name(change));
      const auto expected = allowed.find({from, change});
      const std::optional<State> next = NextState(from, change);
      ASSERT_EQ(expected != allowed.end(), next.has_value());
      if (next.has_value()) {
        EXPECT_EQ(expected->second, *next);
      }
    }
  }
}

TEST(LifecycleState, ForEach_HasTheNameThatOperatorsSee) {
  EXPECT_STREQ("STOPPED", Name(State::kStopped));
  EXPECT_STREQ("STARTING", Name(State::kStarting));
  EXPECT_STREQ("RUNNING", Name(State::kRunning));
  EXPECT_STREQ("STOPPING", Name(State::kStopping));
  EXPECT_STREQ("BACKOFF", Name(State::kBackoff));
  EXPECT_STREQ("FAILED", Name(State::kFailed));
  EXPECT_STREQ("UNKNOWN", Name(static_cast<State>(99)));
}

TEST(LifecycleChange, ForEach_HasAName) {
  EXPECT_STREQ("start", Name(Change::kStart));
  EXPECT_STREQ("give up", Name(Change::kGiveUp));
  EXPECT_STREQ("unknown", Name(static_cast<Change>(99)));
}

TEST(LifecycleState, ForEach_IsUpOrDownOrOnItsWay) {
  for (State state : kAllStates) {
    EXPECT_FALSE(TakesCalls(state) && IsDown(state)) << Name(state);
    EXPECT_EQ(state == State::kStopping, !TakesCalls(state) && !IsDown(state)) << Name(state);
  }
  EXPECT_TRUE(TakesCalls(State::kBackoff));
  EXPECT_TRUE(IsDown(State::kFailed));
}

}  // namespace
}  // namespace mainspring
