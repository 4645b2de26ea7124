// Components that join and leave while the host runs, without a thread, on a clock of the test's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/lifecycle/stepped.h"

namespace mainspring {
namespace {

using lifecycle::v1::LifecycleCall;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HookedConfig;

class RosterTest : public testing::SteppedTest {
 protected:
  // From here on these are there; OK once that is decided.
  absl::Status Adopt(const std::vector<ComponentConfig>& wanted) {
    auto record = std::make_shared<testing::ReplyRecord<Nothing>>();
    records_.push_back(record);
    supervision_->Adopt(wanted, Reply<Nothing>(record.get()));
    Settle();
    EXPECT_EQ(1, record->answers());
    return record->status();
  }
  void Forget(const std::string& name) {
    const size_t number = NumberOf(name);
    auto record = std::make_shared<testing::ReplyRecord<Nothing>>();
    records_.push_back(record);
    supervision_->Forget(number, Reply<Nothing>(record.get()));
    Settle();
    EXPECT_EQ(1, record->answers());
    supervision_->EndThread(number);
  }
  void Run(const std::vector<std::string>& names) {
    for (const std::string& each : names) Add(each, {}, Noting(each));
    ASSERT_TRUE(Start().ok());
    TakeNotes();
  }
};

TEST_F(RosterTest, WhenSomeJoin_TheyStartAfterWhatTheyNeed) {
  Run({"store"});
  ASSERT_TRUE(
      Adopt({HookedConfig("web", {"mail"}), HookedConfig("mail", {"store"}), HookedConfig("store")})
          .ok());
  EXPECT_THAT(TakeNotes(), ElementsAre("start mail", "start web"));
  EXPECT_EQ("store RUNNING, web RUNNING, mail RUNNING", States());
  auto echo = Echo("web");
  Settle();
  EXPECT_TRUE(echo->status().ok());
}

TEST_F(RosterTest, WhenOneIsNotToStartWithTheHost_ItJoinsStopped) {
  Run({"store"});
  ComponentConfig extra = HookedConfig("extra");
  extra.autostart = false;
  ASSERT_TRUE(Adopt({HookedConfig("store"), extra}).ok());
  EXPECT_EQ("store RUNNING, extra STOPPED", States());
  EXPECT_TRUE(StatusOf<LifecycleCall::StartComponent>("name: 'extra'").ok());
  EXPECT_EQ("RUNNING", StateName("extra"));
}

TEST_F(RosterTest, WhenOneLeaves_OthersNeverNotice) {
  Run({"a", "b"});
  const uint64_t generation = Status("a").generation;
  ASSERT_TRUE(Adopt({HookedConfig("a")}).ok());
  EXPECT_THAT(TakeNotes(), ElementsAre("stop b"));
  EXPECT_EQ("a RUNNING, b STOPPED", States()) << "here until it is forgotten";
  Forget("b");
  EXPECT_EQ("a RUNNING", States());
  EXPECT_EQ(generation, Status("a").generation);
  EXPECT_EQ(absl::StatusCode::kNotFound, StatusOf<LifecycleCall::GetComponent>("name: 'b'").code());
}

TEST_F(RosterTest, WhenItsHealthIsWatched_ItLeavesAfterItsLameDuck) {
  Run({"a", "b"});
  health_is_watched_ = true;
  ASSERT_TRUE(Adopt({HookedConfig("a")}).ok());
  EXPECT_EQ("RUNNING", StateName("b"));
  EXPECT_FALSE(supervision_->table().IsServing(NumberOf("b")));
  Advance(absl::Milliseconds(500));
  EXPECT_EQ("STOPPED", StateName("b"));
}

TEST_F(RosterTest, WhenItIsLeaving_OperatorsAreToldSo) {
  Run({"a", "b"});
  health_is_watched_ = true;
  ASSERT_TRUE(Adopt({HookedConfig("a")}).ok());
  for (const absl::Status& refused : {StatusOf<LifecycleCall::RestartComponent>("name: 'b'"),
                                      StatusOf<LifecycleCall::PauseComponent>("name: 'b'")}) {
    EXPECT_EQ(absl::FailedPreconditionError("component \"b\" is no more in the configuration"),
              refused);
  }
}

TEST_F(RosterTest, WhenItComesBack_ARefOfItIsGoodAgain) {
  Run({"a", "b"});
  const trial::v1::TrialRef ref(
      std::static_pointer_cast<Mailbox<trial::v1::TrialRequest>>(supervision_->table().Find("b")));
  const uint64_t generation = Status("b").generation;
  ASSERT_TRUE(Adopt({HookedConfig("a")}).ok());
  Forget("b");
  auto while_gone = ref.Echo(testing::EchoOf("hello"));
  Settle();
  EXPECT_EQ(absl::StatusCode::kUnavailable, while_gone.Await(SteadyTime::min()).status().code());
  ASSERT_TRUE(Adopt({HookedConfig("a"), HookedConfig("b")}).ok());
  EXPECT_EQ("RUNNING", StateName("b"));
  EXPECT_EQ(generation + 1, Status("b").generation) << "no two instances of a name are the same";
  auto again = ref.Echo(testing::EchoOf("hello"));
  Settle();
  EXPECT_TRUE(again.Await(SteadyTime::min()).ok());
}

TEST_F(RosterTest, WhenItWasGivenUpOn_ItJoinsAsIfNothingHadBeen) {
  Add("a", {}, Crashing("a"), [](ComponentConfig& config) {
    testing::NotEssential(config);
    testing::Temporary(config);
  });
  ASSERT_TRUE(Start().ok());
  Crash("a");
  ASSERT_EQ("FAILED", StateName("a"));
  ASSERT_TRUE(Adopt({}).ok());
  Forget("a");
  ASSERT_TRUE(Adopt({HookedConfig("a")}).ok());
  EXPECT_EQ("RUNNING", StateName("a"));
  EXPECT_TRUE(Status("a").failures.empty());
}

TEST_F(RosterTest, WhenItEndsItselfInItsLameDuck_AndComesBack_ItIsNotStopped) {
  const auto transient = [](ComponentConfig& config) {
    config.restart.kind = RestartKind::kTransient;
  };
  Add("a");
  Add("b", {}, {}, transient);
  ASSERT_TRUE(Start().ok());
  health_is_watched_ = true;
  ASSERT_TRUE(Adopt({HookedConfig("a")}).ok());
  contexts_["b"]->Finish();
  Echo("b");
  Settle();
  ASSERT_EQ("STOPPED", StateName("b"));
  Forget("b");
  ASSERT_TRUE(Adopt({HookedConfig("a"), HookedConfig("b")}).ok());
  Advance(absl::Seconds(1));
  EXPECT_EQ("RUNNING", StateName("b"));
}

TEST_F(RosterTest, WhenACommandIsAboutToStopIt_AndItLeavesAndComesBack_ItHasALameDuckAgain) {
  Add("a");
  Add("b", {"a"});
  ASSERT_TRUE(Start().ok());
  health_is_watched_ = true;
  auto restart = Ask<LifecycleCall::RestartComponent>("name: 'a' cascade: true");
  ASSERT_TRUE(Adopt({HookedConfig("a")}).ok());
  loops_.Hold("a");
  Advance(absl::Milliseconds(500));
  ASSERT_EQ("STOPPED", StateName("b"));
  Forget("b");
  ASSERT_TRUE(Adopt({HookedConfig("a"), HookedConfig("b")}).ok());
  loops_.LetGo("a");
  Advance(absl::Milliseconds(100));
  ASSERT_EQ(1, restart->answers());
  Ask<LifecycleCall::StopComponent>("name: 'b'");
  EXPECT_EQ("RUNNING", StateName("b"));
  Advance(absl::Milliseconds(500));
  EXPECT_EQ("STOPPED", StateName("b"));
}

TEST_F(RosterTest, WhenSettingsChange_TheyHoldWithoutARestart) {
  Run({"a", "b"});
  ComponentConfig a = HookedConfig("a", {"b"});
  a.mailbox.max_calls = 1;
  a.essential = false;
  ASSERT_TRUE(Adopt({a, HookedConfig("b")}).ok());
  EXPECT_THAT(TakeNotes(), ElementsAre());
  EXPECT_EQ(1u, View("a").mailbox_capacity);
  EXPECT_FALSE(View("a").essential);
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition,
            StatusOf<LifecycleCall::StopComponent>("name: 'b'").code())
      << "somebody depends on it now";
  loops_.Hold("a");
  auto first = Echo("a");
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, Echo("a")->status().code());
  loops_.LetGo("a");
  EXPECT_TRUE(first->status().ok());
}

TEST_F(RosterTest, WhenItNeedsOneThatIsDown_ItGoesDownToo) {
  Run({"a", "b"});
  ASSERT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'b'").ok());
  ASSERT_TRUE(Adopt({HookedConfig("a", {"b"}), HookedConfig("b")}).ok());
  EXPECT_EQ("a STOPPED, b STOPPED", States());
  ASSERT_TRUE(Adopt({HookedConfig("a"), HookedConfig("b")}).ok());
  EXPECT_EQ("a RUNNING, b STOPPED", States());
}

TEST_F(RosterTest, WhenAnEssentialOneComesToNeedIt_ItIsEssential) {
  Add("b", {}, {}, testing::NotEssential);
  ASSERT_TRUE(Start().ok());
  EXPECT_FALSE(View("b").essential);
  ComponentConfig b = HookedConfig("b");
  b.essential = false;
  ASSERT_TRUE(Adopt({b, HookedConfig("a", {"b"})}).ok());
  EXPECT_TRUE(View("b").essential);
  ASSERT_TRUE(Adopt({b}).ok());
  Forget("a");
  EXPECT_FALSE(View("b").essential);
}

TEST_F(RosterTest, WhenTheyWouldDependInACircle_NothingChanges) {
  Run({"a"});
  const absl::Status refused = Adopt({HookedConfig("a", {"b"}), HookedConfig("b", {"a"})});
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, refused.code());
  EXPECT_EQ("a RUNNING", States());
  EXPECT_EQ(2u, loops_.size()) << "of a and the supervisor";
  ASSERT_TRUE(Adopt({HookedConfig("a"), HookedConfig("b")}).ok());
  EXPECT_EQ("a RUNNING, b RUNNING", States());
}

TEST_F(RosterTest, WhenThereIsNoThreadForOne_NothingChanges) {
  Run({"a"});
  loops_.RunOutOfThreadsAt("c");
  const absl::Status refused = Adopt({HookedConfig("a"), HookedConfig("b"), HookedConfig("c")});
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, refused.code());
  EXPECT_EQ("a RUNNING", States());
  EXPECT_EQ(2u, loops_.size());
}

TEST_F(RosterTest, WhenTheHostDrains_IsRefused) {
  Run({"a"});
  supervision_->BeginDrain();
  EXPECT_EQ(absl::UnavailableError("the host drains"), Adopt({HookedConfig("b")}));
  EXPECT_EQ("a RUNNING", States());
}

TEST_F(RosterTest, WhenTheHostStops_ThoseThatJoinedStopToo) {
  Run({"a"});
  ASSERT_TRUE(Adopt({HookedConfig("a"), HookedConfig("b")}).ok());
  EXPECT_TRUE(Stop().stuck.empty());
  EXPECT_EQ("a STOPPED, b STOPPED", States());
}

TEST_F(RosterTest, WhoWatches_HearsOfThoseWhoComeAndGo) {
  Run({"a"});
  auto watch = Follow<LifecycleCall::WatchComponents>();
  ASSERT_TRUE(Adopt({HookedConfig("a"), HookedConfig("b")}).ok());
  ASSERT_TRUE(Adopt({HookedConfig("a")}).ok());
  Forget("b");
  std::vector<std::string> kinds;
  for (const auto& each : watch->messages) {
    if (each.event().component() != "b") continue;
    kinds.push_back(lifecycle::v1::Event::Kind_Name(each.event().kind()));
  }
  EXPECT_THAT(kinds, ElementsAre("ADDED", "STATE", "STATE", "STATE", "STATE", "REMOVED"));
}

TEST_F(RosterTest, WhenManyComeAndGo_WhatIsKeptIsOfTheirNames) {
  Run({"a"});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Adopt({HookedConfig("a"), HookedConfig("b")}).ok());
    ASSERT_TRUE(Adopt({HookedConfig("a")}).ok());
    Forget("b");
  }
  EXPECT_EQ(2u, supervision_->table().size());
  EXPECT_EQ(2u, loops_.size());
}

}  // namespace
}  // namespace mainspring
