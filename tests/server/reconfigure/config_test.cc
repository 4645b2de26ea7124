#include "mainspring/server/reconfigure/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mainspring/from_text.h"
#include "tests/server/reconfigure/config_fixture.h"

namespace mainspring::testing {
namespace {

using namespace config::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(ConfigTest, Update_OfSeveral_IsInForceAndTold) {
  Launch();
  const auto response = Update({To("a", 1), To("b", 2)});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->revision(), 1u);
  ASSERT_EQ(response->changes_size(), 2);
  EXPECT_EQ(response->changes(0).path(), "value");
  EXPECT_EQ(response->changes(0).new_value(), "1");
  EXPECT_EQ(taken_, (Taken{{"a", 1}, {"b", 2}}));
  EXPECT_EQ(InForce("b"), 2);
  Restart("b");
  EXPECT_EQ(taken_["b"], 2) << "the next instance has it too";
}

TEST_F(ConfigTest, Update_WhereOneRefuses_ChangesNothing) {
  Launch();
  ASSERT_TRUE(Update({To("a", 1), To("b", 1)}).ok());
  const auto response = Update({To("a", 2), To("b", Picky::kRefused)});
  EXPECT_EQ(response.status(),
            absl::InvalidArgumentError("components[b].config: value: 13 is refused"));
  EXPECT_EQ(taken_, (Taken{{"a", 1}, {"b", 1}}));
  EXPECT_EQ(InForce("a"), 1);
  EXPECT_THAT(Revisions(), ElementsAre(1));
  Restart("a");
  EXPECT_EQ(taken_["a"], 1);
}

TEST_F(ConfigTest, Update_WhereOneFailsInApply_PutsAllBack) {
  Launch();
  ASSERT_TRUE(Update({To("a", 1), To("b", 1)}).ok());
  const auto response = Update({To("a", 2), To("b", Picky::kThrows)});
  EXPECT_EQ(
      response.status(),
      absl::AbortedError("components[b].config: the component went in Apply; the configuration "
                         "is what it was"));
  EXPECT_EQ(taken_["a"], 1);
  loops_.Advance(absl::Seconds(1));
  EXPECT_EQ(taken_["b"], 1) << "started again, with what it had";
  EXPECT_EQ(supervision_->table().state(1), LifecycleState::kRunning);
  EXPECT_THAT(Revisions(), ElementsAre(1));
}

TEST_F(ConfigTest, Update_OfWhatIsWrong_TellsAllOfIt) {
  Launch();
  Change wrong_type = To("a", 1);
  wrong_type.mutable_config()->PackFrom(sample::v1::Sample());
  Change masked = To("b", 1);
  masked.mutable_mask()->add_paths("vlaue");
  EXPECT_EQ(
      Update({wrong_type, masked}).status(),
      absl::InvalidArgumentError(
          "components[a].config: \"@type\" is \"type.googleapis.com/mainspring.sample.v1.Sample\", "
          "and not \"type.googleapis.com/mainspring.sample.v1.Item\"; components[b].config: mask: "
          "mainspring.sample.v1.Item has no field \"vlaue\"; did you mean \"value\"?"));
  EXPECT_EQ(Update({To("a", -3), To("a", 1)}).status(),
            absl::InvalidArgumentError("components[a].config.value: -3 is less than 1; "
                                       "components[a].config: is given twice"));
  Change empty;
  empty.set_name("a");
  EXPECT_THAT(std::string(Update({empty}).status().message()),
              HasSubstr("components[a].config: is missing; {\"@type\": "));
  EXPECT_EQ(Update({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Update({To("nobody", 1)}).status(),
            absl::NotFoundError("no component \"nobody\"; there are: b, a, plain"));
  EXPECT_EQ(Update({To("plain", 1)}).status(),
            absl::FailedPreconditionError("component \"plain\" takes no section"));
  EXPECT_THAT(Revisions(), IsEmpty());
}

TEST_F(ConfigTest, Update_WithAMask_LeavesTheOtherFields) {
  Launch();
  Change change = To("a", 1);
  Item item = FromText("name: 'x' value: 5");
  change.mutable_config()->PackFrom(item);
  ASSERT_TRUE(Update({change}).ok());
  Change masked = To("a", 6);
  masked.mutable_mask()->add_paths("value");
  ASSERT_TRUE(Update({masked}).ok());
  GetConfigRequest request;
  request.set_name("a");
  EXPECT_EQ(Await(config().GetConfig(request))->section().text(), "name: x\nvalue: 6\n");
}

TEST_F(ConfigTest, Update_ToWhatIsSoAlready_MakesNoRevision) {
  Launch();
  ASSERT_TRUE(Update({To("a", 1)}).ok());
  const auto again = Update({To("a", 1)});
  EXPECT_EQ(again->revision(), 1u);
  EXPECT_EQ(again->changes_size(), 0);
  EXPECT_THAT(Revisions(), ElementsAre(1));
}

TEST_F(ConfigTest, Update_WithAnotherRevisionThanTheLatest_IsAborted) {
  Launch();
  UpdateConfigRequest first = UpdateOf({To("a", 1)});
  first.set_expected_revision(0);
  UpdateConfigRequest second = UpdateOf({To("a", 2)});
  second.set_expected_revision(0);
  auto one = config().UpdateConfig(first);
  auto other = config().UpdateConfig(second);
  loops_.Settle();
  EXPECT_EQ(one.Await(kNoTime)->revision(), 1u);
  EXPECT_EQ(other.Await(kNoTime).status(),
            absl::AbortedError("expected_revision is 0, and the latest is 1"));
  EXPECT_EQ(taken_["a"], 1);
}

TEST_F(ConfigTest, Update_WithARequestIdThatIsKnown_IsMadeOnce) {
  Launch();
  UpdateConfigRequest request = UpdateOf({To("a", 1)});
  request.set_request_id("42");
  ASSERT_TRUE(Await(config().UpdateConfig(request)).ok());
  ASSERT_TRUE(Update({To("a", 2)}).ok());
  const auto again = Await(config().UpdateConfig(request));
  EXPECT_EQ(again->revision(), 1u);
  EXPECT_EQ(again->changes_size(), 1);
  EXPECT_EQ(taken_["a"], 2);
  *request.add_changes() = To("b", 1);
  EXPECT_EQ(Await(config().UpdateConfig(request)).status(),
            absl::AlreadyExistsError("request_id \"42\" is that of revision 1"));
  request.set_request_id(std::string(129, 'x'));
  EXPECT_EQ(Await(config().UpdateConfig(request)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ConfigTest, Update_OfOneThatIsStopped_IsRefusedSinceNobodyCanCheckIt) {
  host_.components[1].autostart = false;
  Launch();
  EXPECT_EQ(Update({To("a", 1), To("b", 3)}).status(),
            absl::FailedPreconditionError("components[b].config: cannot be checked: the component "
                                          "is STOPPED; start it first"));
  EXPECT_EQ(taken_["a"], 0);
  Restart("b");
  EXPECT_TRUE(Update({To("b", 3)}).ok());
}

TEST_F(ConfigTest, Update_OfOneThatHasFailed_HoldsFromItsNextStart) {
  host_.components[1].config = Of(Picky::kRefused);
  Launch();
  ASSERT_EQ(supervision_->table().state(1), LifecycleState::kBackoff);
  ASSERT_TRUE(Update({To("b", 3)}).ok());
  loops_.Advance(absl::Seconds(1));
  EXPECT_EQ(taken_["b"], 3) << "what it failed for is mended";
  EXPECT_EQ(supervision_->table().state(1), LifecycleState::kRunning);
}

TEST_F(ConfigTest, Update_OfAFieldThatRestartsTheComponent_DoesSo) {
  Launch();
  Change change = To("a", 1);
  Item item = FromText("value: 1 fixed: 'x'");
  change.mutable_config()->PackFrom(item);
  const auto response = Update({change, To("b", 1)});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->changes(1).effect(), EFFECT_RESTARTS_COMPONENT);
  loops_.Settle();
  EXPECT_EQ(taken_, (Taken{{"a", 1}, {"b", 1}}));
  EXPECT_EQ(supervision_->table().status(0).generation, 2u);
  EXPECT_EQ(supervision_->table().status(1).generation, 1u);
}

TEST_F(ConfigTest, Update_WithFieldsThatTheProgramDoesNotKnow_IsRefused) {
  Launch();
  Change change = To("a", 1);
  *change.mutable_config()->mutable_value() += "\xBA\x3E\x01x";  // field 999
  EXPECT_THAT(std::string(Update({change}).status().message()),
              HasSubstr("has fields that this program does not know"));
  change.mutable_config()->mutable_value()->assign(300 << 10, 'x');
  EXPECT_THAT(std::string(Update({change}).status().message()), HasSubstr("more than 256 KiB"));
}

TEST_F(ConfigTest, Update_WhoseCallerLeavesBeforeItsTurn_IsNotMade) {
  Launch();
  UpdateConfigRequest first = UpdateOf({To("b", Picky::kUnready)});
  *first.mutable_ready_within() = FromText("seconds: 3");
  auto slow = config().UpdateConfig(first);
  auto left = config().UpdateConfig(UpdateOf({To("a", 1)}));
  auto stays = config().UpdateConfig(UpdateOf({To("a", 2)}));
  loops_.Settle();
  { const auto gone = std::move(left); }
  loops_.Advance(absl::Seconds(4));
  EXPECT_EQ(slow.Await(kNoTime).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(stays.Await(kNoTime)->revision(), 1u);
  EXPECT_EQ(taken_["a"], 2);
}

TEST_F(ConfigTest, Update_OfOneWhoseThreadDoesNotAnswer_IsRefusedInTime) {
  Launch();
  loops_.Hold("b");
  auto answer = config().UpdateConfig(UpdateOf({To("a", 1), To("b", 1)}));
  loops_.Advance(absl::Seconds(6));
  EXPECT_EQ(answer.Await(kNoTime).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Revisions(), IsEmpty());
  loops_.LetGo("b");
  EXPECT_EQ(taken_["a"], 0);
  ASSERT_TRUE(Update({To("b", 2)}).ok()) << "the next one goes";
}

TEST_F(ConfigTest, Update_AfterWhichAComponentIsNotReady_IsPutBack) {
  Launch();
  ASSERT_TRUE(Update({To("a", 1), To("b", 1)}).ok());
  UpdateConfigRequest request = UpdateOf({To("a", 2), To("b", Picky::kUnready)});
  *request.mutable_ready_within() = FromText("seconds: 3");
  auto answer = config().UpdateConfig(request);
  loops_.Advance(absl::Seconds(2));
  EXPECT_EQ(taken_["b"], Picky::kUnready);
  loops_.Advance(absl::Seconds(2));
  EXPECT_EQ(
      answer.Await(kNoTime).status(),
      absl::AbortedError("component \"b\" was not ready in time: RUNNING: 7; the configuration "
                         "is what it was"));
  EXPECT_EQ(taken_, (Taken{{"a", 1}, {"b", 1}}));
  EXPECT_THAT(Revisions(), ElementsAre(1));
  *request.mutable_ready_within() = FromText("seconds: 301");
  EXPECT_EQ(Await(config().UpdateConfig(request)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ConfigTest, Update_WhileTheHostDrains_IsRefused) {
  Launch();
  draining_ = true;
  EXPECT_EQ(Update({To("a", 1)}).status(), absl::UnavailableError("the host drains"));
}

TEST_F(ConfigTest, Validate_SaysWhatUpdateWould_AndChangesNothing) {
  Launch();
  ValidateConfigRequest request;
  *request.add_changes() = To("a", 1);
  EXPECT_TRUE(Await(config().ValidateConfig(request)).ok());
  *request.add_changes() = To("b", Picky::kRefused);
  EXPECT_EQ(Await(config().ValidateConfig(request)).status().message(),
            "components[b].config: value: 13 is refused");
  EXPECT_EQ(taken_, (Taken{{"a", 0}, {"b", 0}}));
}

TEST_F(ConfigTest, Diff_TellsEachFieldWithBothValues) {
  Launch();
  ASSERT_TRUE(Update({To("a", 1)}).ok());
  DiffConfigRequest request;
  *request.add_changes() = To("a", 2);
  *request.add_changes() = To("b", Picky::kRefused);
  const auto response = Await(config().DiffConfig(request));
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->changes_size(), 2);
  EXPECT_EQ(response->changes(0).old_value(), "1");
  EXPECT_EQ(response->changes(0).new_value(), "2");
  EXPECT_EQ(response->changes(1).name(), "b");
  EXPECT_EQ(response->changes(1).effect(), EFFECT_LIVE);
}

TEST_F(ConfigTest, Rollback_MakesAllWhatItWas_AsANewRevision) {
  host_.components[0].config = Of(9);
  Launch();
  ASSERT_TRUE(Update({To("a", 1)}).ok());
  ASSERT_TRUE(Update({To("a", 2), To("b", 2)}).ok());
  RollbackConfigRequest request;
  request.set_revision(1);
  auto response = Await(config().RollbackConfig(request));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->revision(), 3u);
  EXPECT_EQ(taken_, (Taken{{"a", 1}, {"b", 0}}));
  request.set_revision(0);
  ASSERT_TRUE(Await(config().RollbackConfig(request)).ok());
  EXPECT_EQ(taken_, (Taken{{"a", 9}, {"b", 0}})) << "what the file says";
  EXPECT_THAT(Revisions(), ElementsAre(4, 3, 2, 1));
  request.clear_revision();
  EXPECT_EQ(Await(config().RollbackConfig(request)).status(),
            absl::InvalidArgumentError("revision: missing; 0 is what the file says"));
  request.set_revision(17);
  EXPECT_EQ(Await(config().RollbackConfig(request)).status(),
            absl::NotFoundError(
                "revision 17 is not remembered; there are: 0, what the file says, and 1 to 4"));
}

TEST_F(ConfigTest, Watch_TellsTheLatestAndWhatComes) {
  Launch();
  ASSERT_TRUE(Update({To("a", 1)}).ok());
  auto watch = config().WatchConfig(WatchConfigRequest());
  const auto next = [&] {
    loops_.Settle();
    return watch.AwaitNext(kNoTime);
  };
  EXPECT_EQ(next()->current().number(), 1u);
  ASSERT_TRUE(Update({To("a", 2)}).ok());
  EXPECT_EQ(next()->accepted().number(), 2u);
  ASSERT_FALSE(Update({To("b", Picky::kRefused)}).ok());
  const auto refused = next();
  EXPECT_EQ(refused->refused().code(), 3);
  EXPECT_EQ(refused->refused().names(0), "b");
  EXPECT_THAT(refused->refused().reason(), HasSubstr("13 is refused"));
  auto second = config().WatchConfig(WatchConfigRequest());
  auto third = config().WatchConfig(WatchConfigRequest());
  loops_.Settle();
  EXPECT_FALSE(third.AwaitNext(kNoTime).has_value());
  EXPECT_EQ(third.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(ConfigTest, Get_OfTheHost_HasWhatIsInForce) {
  Launch();
  ASSERT_TRUE(Update({To("a", 5)}).ok());
  const auto response = Await(config().GetConfig(GetConfigRequest()));
  EXPECT_THAT(response->section().text(), HasSubstr("  - name: a\n    type: picky\n    config:\n"
                                                    "      name: \"\"\n      value: 5\n"));
  EXPECT_EQ(response->latest_revision(), 1u);
}

}  // namespace
}  // namespace mainspring::testing
