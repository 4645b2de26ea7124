// The file is read again: by a signal, and because it has changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/reconfigure/config_fixture.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigReloadTest : public ConfigTest {
 protected:
  // What the file says from here on, beside or instead of what it did.
  HostConfig& file() { return *file_; }
  ComponentConfig& AddToFile(const std::string& type, const std::string& name) {
    ComponentConfig& component = file().Add(type, name);
    component.essential = false;
    return component;
  }
  void RemoveFromFile(const std::string& name) {
    std::erase_if(file().components, [&](const auto& each) { return each.name == name; });
  }
  // Time passes, so that components stop and go.
  void Reload() {
    reconfiguration_->Reload("SIGHUP", nullptr);
    loops_.Advance(absl::Seconds(2));
  }
  // "a RUNNING, b RUNNING": all that are there.
  std::string States() const {
    std::string states;
    for (const ComponentView& each : supervision_->table().Views()) {
      absl::StrAppend(&states, states.empty() ? "" : ", ", each.name, " ", Name(each.status.state));
    }
    return states;
  }
  uint64_t GenerationOf(const std::string& name) const {
    return supervision_->table().status(supervision_->table().NumberOf(name).value()).generation;
  }
};

TEST_F(ConfigReloadTest, WhenNothingDiffers_NothingHappens) {
  Launch();
  Reload();
  EXPECT_THAT(Revisions(), IsEmpty());
  EXPECT_EQ(GenerationOf("a"), 1u);
}

TEST_F(ConfigReloadTest, ReplicasThatComeOrGo_AreNotRestartedForWhatOthersAre) {
  host_.Find("a")->replicas = 2;
  Launch();
  file().Find("a")->replicas = 3;
  file().Find("a")->on_exception = OnException::kRestart;
  Reload();
  EXPECT_EQ(States(), "a-0 RUNNING, a-1 RUNNING, b RUNNING, plain RUNNING, a-2 RUNNING");
  EXPECT_EQ(GenerationOf("a-0"), 2u);
  EXPECT_EQ(GenerationOf("a-2"), 1u);
  file().Find("a")->replicas = 1;
  file().Find("a")->on_exception = OnException::kFailCall;
  Reload();
  EXPECT_EQ(GenerationOf("a-0"), 3u);
  EXPECT_EQ(supervision_->table().NumberOf("a-2"), std::nullopt);
  const size_t gone = supervision_->table().LastNumberOf("a-2").value();
  EXPECT_EQ(supervision_->table().status(gone).generation, 1u);
}

TEST_F(ConfigReloadTest, WhenOneThatHasFailedIsToBeEssential_IsRefused) {
  host_.Find("a")->restart.max_failures = 1;
  host_.Find("a")->config = Of(Picky::kThrows);
  Launch();
  loops_.Advance(absl::Seconds(1));
  ASSERT_EQ(States(), "a FAILED, b RUNNING, plain RUNNING");
  file().Find("a")->essential = true;
  Reload();
  EXPECT_THAT(Revisions(), IsEmpty());
  EXPECT_FALSE(host_.Find("a")->essential);
}

TEST_F(ConfigReloadTest, WhatDiffers_IsCarriedOut_AndNothingElse) {
  Launch();
  AddToFile("picky", "new").config = Of(5);
  file().Find("a")->config = Of(4);
  RemoveFromFile("plain");
  Reload();
  EXPECT_EQ(States(), "a RUNNING, b RUNNING, new RUNNING");
  EXPECT_EQ(taken_, (Taken{{"a", 4}, {"b", 0}, {"new", 5}}));
  EXPECT_EQ(GenerationOf("a"), 1u) << "its section is live";
  EXPECT_EQ(GenerationOf("b"), 1u);
  EXPECT_THAT(Revisions(), ElementsAre(1));
  const auto revisions = Await(config().ListRevisions(config::v1::ListRevisionsRequest()));
  EXPECT_EQ(revisions->revisions(0).author(), "SIGHUP");
  EXPECT_THAT(revisions->revisions(0).names(), ElementsAre("a", "new", "plain"));
  EXPECT_EQ(InForce("new"), 5);
  EXPECT_TRUE(Update({To("new", 6)}).ok());
  EXPECT_EQ(taken_["new"], 6);
  EXPECT_EQ(Update({To("plain", 1)}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ConfigReloadTest, WhenTheFileIsWrong_NothingHappens_AndWatchersAreToldWhy) {
  Launch();
  auto watch = config().WatchConfig(config::v1::WatchConfigRequest());
  loops_.Settle();
  watch.AwaitNext(kNoTime);
  file_ = absl::InvalidArgumentError("c.yaml:1:1: no\nc.yaml:2:1: nor this\n");
  Reload();
  const auto event = watch.AwaitNext(kNoTime);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->refused().author(), "SIGHUP");
  EXPECT_EQ(event->refused().reason(), "c.yaml:1:1: no\nc.yaml:2:1: nor this\n");
  EXPECT_EQ(States(), "a RUNNING, b RUNNING, plain RUNNING");
}

TEST_F(ConfigReloadTest, WhereOneRefusesItsSection_NothingOfItHappens) {
  Launch();
  AddToFile("picky", "new");
  file().Find("a")->config = Of(4);
  file().Find("b")->config = Of(Picky::kRefused);
  RemoveFromFile("plain");
  Reload();
  EXPECT_EQ(States(), "a RUNNING, b RUNNING, plain RUNNING");
  EXPECT_EQ(taken_, (Taken{{"a", 0}, {"b", 0}}));
  EXPECT_THAT(Revisions(), IsEmpty());
}

TEST_F(ConfigReloadTest, WhereOneFailsInApply_AllIsPutBack) {
  Launch();
  AddToFile("picky", "new");
  file().Find("a")->config = Of(4);
  file().Find("b")->config = Of(Picky::kThrows);
  RemoveFromFile("plain");
  Reload();
  EXPECT_EQ(States(), "a RUNNING, b RUNNING, plain RUNNING");
  EXPECT_EQ(GenerationOf("plain"), 1u) << "who leaves does so last";
  EXPECT_EQ(InForce("a"), 0);
  EXPECT_EQ(taken_["a"], 0);
  EXPECT_THAT(Revisions(), IsEmpty());
}

TEST_F(ConfigReloadTest, WhereAnEssentialOneDoesNotStart_AllIsPutBack) {
  Launch();
  auto watch = config().WatchConfig(config::v1::WatchConfigRequest());
  loops_.Settle();
  watch.AwaitNext(kNoTime);
  ComponentConfig& added = file().Add("picky", "new");
  added.config = Of(Picky::kRefused);
  RemoveFromFile("plain");
  Reload();
  EXPECT_EQ(States(), "a RUNNING, b RUNNING, plain RUNNING");
  const auto event = watch.AwaitNext(kNoTime);
  ASSERT_TRUE(event.has_value());
  EXPECT_THAT(event->refused().reason(), HasSubstr("component \"new\" did not start"));
  EXPECT_THAT(event->refused().reason(), HasSubstr("value: 13 is refused"));
  EXPECT_THAT(Revisions(), IsEmpty());
}

TEST_F(ConfigReloadTest, WhereOneThatIsNotEssentialDoesNotStart_TheRestIsCarriedOut) {
  Launch();
  AddToFile("picky", "new").config = Of(Picky::kRefused);
  file().Find("a")->config = Of(4);
  Reload();
  EXPECT_EQ(taken_["a"], 4);
  EXPECT_THAT(Revisions(), ElementsAre(1));
}

TEST_F(ConfigReloadTest, OfAnotherType_OneIsReplaced) {
  Launch();
  file().Find("plain")->type = "picky";
  file().Find("plain")->config = Of(8);
  Reload();
  EXPECT_EQ(States(), "a RUNNING, b RUNNING, plain RUNNING");
  EXPECT_EQ(taken_["plain"], 8);
  EXPECT_EQ(GenerationOf("plain"), 2u);
  EXPECT_EQ(InForce("plain"), 8);
}

TEST_F(ConfigReloadTest, WhereOneThatIsReplacedDoesNotStart_TheOldOneIsPutBack) {
  Launch();
  file().Find("plain")->type = "picky";
  file().Find("plain")->essential = true;
  file().Find("plain")->config = Of(Picky::kRefused);
  Reload();
  EXPECT_EQ(States(), "a RUNNING, b RUNNING, plain RUNNING");
  EXPECT_EQ(Update({To("plain", 1)}).status(),
            absl::FailedPreconditionError("component \"plain\" takes no section"));
}

TEST_F(ConfigReloadTest, OfASettingThatNeedsIt_TheComponentIsRestarted) {
  Launch();
  file().Find("a")->on_exception = OnException::kRestart;
  file().Find("b")->stop_timeout = absl::Seconds(7);
  Reload();
  EXPECT_EQ(GenerationOf("a"), 2u);
  EXPECT_EQ(GenerationOf("b"), 1u);
}

TEST_F(ConfigReloadTest, WhatTheFileSaysAnew_HoldsOverAnOlderRevision) {
  Launch();
  ASSERT_TRUE(Update({To("a", 1), To("b", 2)}).ok());
  file().Find("a")->config = Of(9);
  Reload();
  EXPECT_EQ(taken_, (Taken{{"a", 9}, {"b", 2}})) << "of b it says what it did";
  EXPECT_EQ(InForce("b"), 2);
}

TEST_F(ConfigReloadTest, WhatHoldsOverTheFile_Stays) {
  Launch();
  config::v1::Change change = To("a", 1);
  change.set_keep_over_file(true);
  ASSERT_TRUE(Update({change}).ok());
  file().Find("a")->config = Of(9);
  Reload();
  EXPECT_EQ(InForce("a"), 1);
  EXPECT_EQ(taken_["a"], 1);
}

TEST_F(ConfigReloadTest, OfOneThatIsStopped_TheSectionIsForItsNextStart) {
  host_.Find("b")->autostart = false;
  Launch();
  file().Find("b")->config = Of(3);
  Reload();
  EXPECT_EQ(States(), "a RUNNING, b STOPPED, plain RUNNING");
  EXPECT_EQ(InForce("b"), 3);
}

TEST_F(ConfigReloadTest, WhatNeedsARestartOfTheHost_IsAcceptedAndWaits) {
  Launch();
  file().max_health_watchers = 5;
  Reload();
  EXPECT_THAT(Revisions(), ElementsAre(1));
  EXPECT_EQ(GenerationOf("a"), 1u);
  Reload();
  EXPECT_THAT(Revisions(), ElementsAre(1)) << "it is known";
}

TEST_F(ConfigReloadTest, WhenItIsOver_SaysSo) {
  Launch();
  bool over = false;
  reconfiguration_->Reload("SIGHUP", std::shared_ptr<void>(nullptr, [&](void*) { over = true; }));
  EXPECT_FALSE(over);
  loops_.Settle();
  EXPECT_TRUE(over);
}

TEST_F(ConfigReloadTest, WhenTheHostDrains_IsRefused) {
  Launch();
  draining_ = true;
  AddToFile("picky", "new");
  Reload();
  EXPECT_EQ(States(), "a RUNNING, b RUNNING, plain RUNNING");
}

TEST_F(ConfigReloadTest, OfReplicas_SomeComeAndGo_AndTheOthersGoOn) {
  host_.Find("b")->replicas = 2;
  Launch();
  EXPECT_EQ(States(), "a RUNNING, b-0 RUNNING, b-1 RUNNING, plain RUNNING");
  ASSERT_TRUE(Update({To("b", 5)}).ok());
  file().Find("b")->replicas = 3;
  Reload();
  EXPECT_EQ(States(), "a RUNNING, b-0 RUNNING, b-1 RUNNING, plain RUNNING, b-2 RUNNING");
  EXPECT_EQ(taken_, (Taken{{"a", 0}, {"b-0", 5}, {"b-1", 5}, {"b-2", 5}})) << "of one section";
  file().Find("b")->replicas = 1;
  Reload();
  EXPECT_EQ(States(), "a RUNNING, b-0 RUNNING, plain RUNNING");
  EXPECT_EQ(GenerationOf("b-0"), 1u);
  EXPECT_EQ(InForce("b"), 5);
}

TEST_F(ConfigReloadTest, WhereOneOfTheReplicasRefuses_NothingHappens) {
  host_.Find("b")->replicas = 2;
  Launch();
  EXPECT_EQ(Update({To("b", Picky::kRefused)}).status(),
            absl::InvalidArgumentError("components[b].config: value: 13 is refused"))
      << "said once";
  EXPECT_EQ(Update({To("b-0", 1)}).status().code(), absl::StatusCode::kNotFound)
      << "they have one section";
}

TEST_F(ConfigReloadTest, WhereTwoByHandBecomeReplicas_TheyAreReplaced) {
  host_.Add("picky", "w-0").essential = false;
  host_.Add("picky", "w-1").essential = false;
  Launch();
  RemoveFromFile("w-0");
  RemoveFromFile("w-1");
  ComponentConfig& replicated = AddToFile("picky", "w");
  replicated.replicas = 2;
  replicated.config = Of(5);
  AddToFile("picky", "w-2");
  Reload();
  EXPECT_EQ(taken_["w-0"], 5);
  EXPECT_EQ(taken_["w-1"], 5);
  EXPECT_EQ(GenerationOf("w-1"), 2u);
  ASSERT_TRUE(Update({To("w", 6)}).ok());
  EXPECT_EQ(taken_["w-1"], 6);
  EXPECT_EQ(taken_["w-2"], 0) << "it is no replica";
}

TEST_F(ConfigReloadTest, WhereOneDoesNotStart_NobodyElseIsRestartedForIt) {
  Launch();
  file().Add("picky", "new").config = Of(Picky::kRefused);
  file().Find("a")->on_exception = OnException::kRestart;
  Reload();
  EXPECT_EQ(GenerationOf("a"), 1u);
  EXPECT_THAT(Revisions(), IsEmpty());
}

TEST_F(ConfigReloadTest, OfReplicas_OneIsRestartedAfterTheOther) {
  host_.Find("b")->replicas = 3;
  Launch();
  // The second does not stop for a while.
  file().Find("b")->on_exception = OnException::kRestart;
  loops_.Hold("b-1");
  reconfiguration_->Reload("SIGHUP", nullptr);
  loops_.Advance(absl::Milliseconds(100));
  EXPECT_EQ(GenerationOf("b-0"), 2u);
  EXPECT_EQ(GenerationOf("b-2"), 1u);
  loops_.LetGo("b-1");
  loops_.Advance(absl::Milliseconds(100));
  EXPECT_EQ(GenerationOf("b-1"), 2u);
  EXPECT_EQ(GenerationOf("b-2"), 2u);
}

TEST_F(ConfigReloadTest, WhenTheFileIsWatched_AChangeIsCarriedOutOnceItHasSettled) {
  host_.watch_file = true;
  Launch();
  file().Find("a")->config = Of(4);
  file_state_ = "second";
  loops_.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(taken_["a"], 0) << "it may be being written";
  file_state_ = "third";
  loops_.Advance(absl::Seconds(1));
  EXPECT_EQ(taken_["a"], 0);
  loops_.Advance(absl::Seconds(1));
  EXPECT_EQ(taken_["a"], 4);
  loops_.Advance(absl::Seconds(10));
  EXPECT_THAT(Revisions(), ElementsAre(1));
}

TEST_F(ConfigReloadTest, WhenTheFileIsNotThereForAWhile_ItIsReadOnceItIs) {
  host_.watch_file = true;
  Launch();
  file().Find("a")->config = Of(4);
  file_state_ = "";
  loops_.Advance(absl::Seconds(5));
  EXPECT_EQ(taken_["a"], 0);
  file_state_ = "second";
  loops_.Advance(absl::Seconds(2));
  EXPECT_EQ(taken_["a"], 4);
}

TEST_F(ConfigReloadTest, WhetherTheFileIsWatched_CanBeChanged) {
  Launch();
  file().watch_file = true;
  file_state_ = "second";
  loops_.Advance(absl::Seconds(5));
  EXPECT_THAT(Revisions(), IsEmpty());
  Reload();
  file().watch_file = false;
  file_state_ = "third";
  loops_.Advance(absl::Seconds(3));
  EXPECT_THAT(Revisions(), ElementsAre(2, 1));
  file().Find("a")->config = Of(4);
  file_state_ = "fourth";
  loops_.Advance(absl::Seconds(3));
  EXPECT_EQ(taken_["a"], 0);
}

}  // namespace
}  // namespace mainspring::testing
