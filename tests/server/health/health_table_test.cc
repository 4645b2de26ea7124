#include "server/health/health_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mainspring {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

ComponentView View(const std::string& name, LifecycleState state, bool essential = true) {
  ComponentView view = {};
  view.name = name;
  view.service = "x.v1.X";
  view.state = state;
  view.essential = essential;
  view.has_been_running = true;
  return view;
}

TEST(SnapshotOf, WhenAllAreRunning_EverythingServes) {
  EXPECT_THAT(SnapshotOf({View("one", LifecycleState::kRunning)}, /*draining=*/false),
              UnorderedElementsAre(Pair("", true), Pair("readiness", true), Pair("liveness", true),
                                   Pair("startup", true), Pair("one", true), Pair("x.v1.X", true)));
}

TEST(SnapshotOf, ForEachStateEssentialAndDraining_FollowsTheTable) {
  for (LifecycleState state :
       {LifecycleState::kStopped, LifecycleState::kStarting, LifecycleState::kRunning,
        LifecycleState::kStopping, LifecycleState::kFailed}) {
    for (bool draining : {false, true}) {
      for (bool essential : {false, true}) {
        SCOPED_TRACE(std::string(Name(state)) + (draining ? ", draining" : "") +
                     (essential ? ", essential" : ""));
        const bool serves = state == LifecycleState::kRunning && !draining;
        const bool ready = !draining && (serves || !essential);
        EXPECT_THAT(SnapshotOf({View("one", state, essential)}, draining),
                    UnorderedElementsAre(Pair("", ready), Pair("readiness", ready),
                                         Pair("liveness", true), Pair("startup", true),
                                         Pair("one", serves), Pair("x.v1.X", serves)));
      }
    }
  }
}

TEST(SnapshotOf, WhenThereIsNoComponent_IsReadyUnlessDraining) {
  EXPECT_THAT(SnapshotOf({}, false),
              UnorderedElementsAre(Pair("", true), Pair("readiness", true), Pair("liveness", true),
                                   Pair("startup", true)));
  EXPECT_FALSE(SnapshotOf({}, true)[""]);
}

TEST(SnapshotOf, WhenOneOfSeveralRuns_TheServiceServes) {
  const HealthSnapshot snapshot = SnapshotOf(
      {View("one", LifecycleState::kFailed), View("two", LifecycleState::kRunning)}, false);
  EXPECT_TRUE(snapshot.at("x.v1.X"));
  EXPECT_FALSE(snapshot.at("one"));
  EXPECT_TRUE(snapshot.at("two"));
  EXPECT_FALSE(snapshot.at("readiness"));
}

TEST(SnapshotOf, WhenOneIsStalled_FailsLivenessAlone) {
  ComponentView stalled = View("one", LifecycleState::kRunning);
  stalled.stalled = true;
  const HealthSnapshot snapshot = SnapshotOf({stalled}, false);
  EXPECT_FALSE(snapshot.at("liveness"));
  EXPECT_TRUE(snapshot.at("readiness"));
  EXPECT_TRUE(snapshot.at("one"));
}

TEST(SnapshotOf, WhenDraining_StaysAlive) {
  EXPECT_TRUE(SnapshotOf({View("one", LifecycleState::kStopped)}, true).at("liveness"));
}

TEST(SnapshotOf, WhenOneHasNeverRun_HasNotStarted) {
  ComponentView fresh = View("two", LifecycleState::kStarting);
  fresh.has_been_running = false;
  EXPECT_FALSE(SnapshotOf({View("one", LifecycleState::kRunning), fresh}, false).at("startup"));
}

TEST(SnapshotOf, WhenOneHasRunAndFailed_StaysStarted) {
  EXPECT_TRUE(SnapshotOf({View("one", LifecycleState::kFailed)}, false).at("startup"));
}

TEST(SnapshotOf, WhenAComponentIsCalledAsAnotherName_ServesWhenBothDo) {
  const auto with = [](LifecycleState state) {
    return std::vector<ComponentView>{View("liveness", state, /*essential=*/false),
                                      View("x.v1.X", LifecycleState::kRunning)};
  };
  EXPECT_TRUE(SnapshotOf(with(LifecycleState::kRunning), false).at("liveness"));
  EXPECT_FALSE(SnapshotOf(with(LifecycleState::kStopped), false).at("liveness"));
  EXPECT_TRUE(SnapshotOf(with(LifecycleState::kStopped), false).at("x.v1.X"));
}

}  // namespace
}  // namespace mainspring
