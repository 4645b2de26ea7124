#include "server/health/health_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/components/mainspring/fakes.h"
#include "tests/server/hooked_component.h"

namespace mainspring {
namespace {

using testing::ManualTime;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using TrialMailbox = Mailbox<trial::v1::TrialRequest>;

// The table as a supervisor would have written it.
class HealthTableTest : public ::testing::Test {
 protected:
  ComponentConfig Named(const std::string& name) {
    ComponentConfig config;
    config.name = name;
    return config;
  }
  // Has been RUNNING.
  size_t Add(const ComponentConfig& config, LifecycleState state, bool essential = true) {
    return AddTo(table_, config, state, essential);
  }
  size_t AddTo(ComponentTable& table, const ComponentConfig& config, LifecycleState state,
               bool essential) {
    table.Add(config, "x.v1.X", essential,
              std::make_shared<TrialMailbox>(config.name, config.mailbox, time_));
    table.Update(table.size() - 1, [&](ComponentStatus& status) {
      status.state = state;
      status.has_been_running = true;
    });
    return table.size() - 1;
  }
  HealthSnapshot Snapshot(bool draining = false) { return SnapshotOf(table_, true, draining); }

  ManualTime time_;
  ComponentTable table_{time_};
};

TEST_F(HealthTableTest, WhenAllAreRunning_EverythingServes) {
  Add(Named("one"), LifecycleState::kRunning);
  EXPECT_THAT(Snapshot(),
              UnorderedElementsAre(Pair("", true), Pair("readiness", true), Pair("liveness", true),
                                   Pair("startup", true), Pair("one", true), Pair("x.v1.X", true)));
}

TEST_F(HealthTableTest, ForEachStateEssentialAndDraining_FollowsTheTable) {
  for (LifecycleState state :
       {LifecycleState::kStopped, LifecycleState::kStarting, LifecycleState::kRunning,
        LifecycleState::kStopping, LifecycleState::kBackoff, LifecycleState::kFailed}) {
    for (bool draining : {false, true}) {
      for (bool essential : {false, true}) {
        SCOPED_TRACE(std::string(Name(state)) + (draining ? ", draining" : "") +
                     (essential ? ", essential" : ""));
        const bool serves = state == LifecycleState::kRunning && !draining;
        const bool ready = !draining && (serves || !essential);
        ComponentTable table(time_);
        AddTo(table, Named("one"), state, essential);
        EXPECT_THAT(SnapshotOf(table, true, draining),
                    UnorderedElementsAre(Pair("", ready), Pair("readiness", ready),
                                         Pair("liveness", true), Pair("startup", true),
                                         Pair("one", serves), Pair("x.v1.X", serves)));
      }
    }
  }
}

TEST_F(HealthTableTest, WhenThereIsNoComponent_IsReadyUnlessDraining) {
  EXPECT_THAT(Snapshot(), UnorderedElementsAre(Pair("", true), Pair("readiness", true),
                                               Pair("liveness", true), Pair("startup", true)));
  EXPECT_FALSE(Snapshot(/*draining=*/true)[""]);
}

TEST_F(HealthTableTest, WhenOneOfSeveralRuns_TheServiceServes) {
  Add(Named("one"), LifecycleState::kFailed);
  Add(Named("two"), LifecycleState::kRunning);
  const HealthSnapshot snapshot = Snapshot();
  EXPECT_TRUE(snapshot.at("x.v1.X"));
  EXPECT_FALSE(snapshot.at("one"));
  EXPECT_TRUE(snapshot.at("two"));
  EXPECT_FALSE(snapshot.at("readiness"));
}

TEST_F(HealthTableTest, WhenOneIsDrained_DoesNotServe) {
  Add(Named("one"), LifecycleState::kRunning);
  table_.Update(0, [](ComponentStatus& status) { status.draining = true; });
  const HealthSnapshot snapshot = Snapshot();
  EXPECT_FALSE(snapshot.at("one"));
  EXPECT_FALSE(snapshot.at("x.v1.X"));
  EXPECT_FALSE(snapshot.at("readiness"));
  EXPECT_TRUE(snapshot.at("liveness"));
}

TEST_F(HealthTableTest, WhenOneIsPaused_ServesStill) {
  Add(Named("one"), LifecycleState::kRunning);
  table_.Update(0, [](ComponentStatus& status) { status.paused = true; });
  EXPECT_TRUE(Snapshot().at("one"));
}

TEST_F(HealthTableTest, WhenOneIsPastItsStallLimit_FailsLivenessAlone) {
  ComponentConfig config = Named("one");
  config.stall_warning = absl::Seconds(10);
  config.stall_limit = absl::Seconds(60);
  Add(config, LifecycleState::kRunning);
  auto& mailbox = static_cast<TrialMailbox&>(table_.mailbox(0));
  // Looks at health from within the call, as it gets old.
  HealthSnapshot early, late;
  testing::Hooks hooks;
  hooks.handle = [&](trial::v1::TrialRequest request) {
    time_.Advance(absl::Seconds(60));
    early = Snapshot();
    time_.Advance(absl::Milliseconds(1));
    late = Snapshot();
    testing::AnswerEcho(std::move(request));
  };
  testing::Neighbours nobody;
  Context context("one", 1, time_, nobody);
  testing::HookedComponent component(context, hooks);
  ASSERT_TRUE(mailbox.Attach(&component));
  mailbox.Open();
  auto answer = trial::v1::TrialRef(std::static_pointer_cast<TrialMailbox>(table_.Find("one")))
                    .Echo(testing::EchoOf("hello"));
  ASSERT_TRUE(mailbox.Dispatch());
  EXPECT_TRUE(early.at("liveness"));
  EXPECT_FALSE(late.at("liveness"));
  EXPECT_TRUE(late.at("readiness"));
  EXPECT_TRUE(late.at("one"));
  EXPECT_TRUE(Snapshot().at("liveness")) << "it is back";
}

TEST_F(HealthTableTest, WhenTheHostIsStuck_FailsLivenessAlone) {
  Add(Named("one"), LifecycleState::kRunning);
  const HealthSnapshot snapshot = SnapshotOf(table_, /*host_alive=*/false, false);
  EXPECT_FALSE(snapshot.at("liveness"));
  EXPECT_TRUE(snapshot.at("readiness"));
}

TEST_F(HealthTableTest, WhenDraining_StaysAlive) {
  Add(Named("one"), LifecycleState::kStopped);
  EXPECT_TRUE(Snapshot(/*draining=*/true).at("liveness"));
}

TEST_F(HealthTableTest, WhenOneHasNeverRun_HasNotStarted) {
  Add(Named("one"), LifecycleState::kRunning);
  Add(Named("two"), LifecycleState::kStarting);
  table_.Update(1, [](ComponentStatus& status) { status.has_been_running = false; });
  EXPECT_FALSE(Snapshot().at("startup"));
}

TEST_F(HealthTableTest, WhenOneThatHasNeverRunDoesNotStartWithTheHost_HasStarted) {
  ComponentConfig config = Named("one");
  config.autostart = false;
  Add(config, LifecycleState::kStopped, /*essential=*/false);
  table_.Update(0, [](ComponentStatus& status) { status.has_been_running = false; });
  EXPECT_TRUE(Snapshot().at("startup"));
}

TEST_F(HealthTableTest, WhenOneHasRunAndFailed_StaysStarted) {
  Add(Named("one"), LifecycleState::kFailed);
  EXPECT_TRUE(Snapshot().at("startup"));
}

TEST_F(HealthTableTest, WhenAComponentIsCalledAsAnotherName_ServesWhenBothDo) {
  Add(Named("liveness"), LifecycleState::kRunning, /*essential=*/false);
  Add(Named("x.v1.X"), LifecycleState::kRunning);
  EXPECT_TRUE(Snapshot().at("liveness"));
  table_.Update(0, [](ComponentStatus& status) { status.state = LifecycleState::kStopped; });
  EXPECT_FALSE(Snapshot().at("liveness"));
  EXPECT_TRUE(Snapshot().at("x.v1.X"));
}

}  // namespace
}  // namespace mainspring
