// The host's own configuration, changed by operators.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "mainspring/from_text.h"
#include "tests/server/reconfigure/config_fixture.h"

namespace mainspring::testing {
namespace {

using namespace config::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigHostTest : public ConfigTest {
 protected:
  // Another process of the same host, whose file says that.
  void AgainWith(const HostConfig& file) {
    host_ = file;
    Again();
  }
  static Change Of(const host::v1::HostConfig& host, const std::vector<std::string>& paths) {
    Change change;
    change.mutable_config()->PackFrom(host);
    for (const std::string& path : paths) change.mutable_mask()->add_paths(path);
    return change;
  }
  static Change Of(const host::v1::HostConfig& host) { return Of(host, {}); }
  // What there is, as a client has it from GetConfig.
  host::v1::HostConfig Shown() {
    const auto response = Await(config().GetConfig(GetConfigRequest()));
    host::v1::HostConfig host;
    EXPECT_TRUE(response.ok() && response->section().config().UnpackTo(&host)) << response.status();
    return host;
  }
  absl::StatusOr<UpdateConfigResponse> UpdateHost(const Change& change) {
    auto answer = config().UpdateConfig(UpdateOf({change}));
    loops_.Advance(absl::Seconds(2));
    return answer.Await(kNoTime);
  }
  std::string Names() const { return absl::StrJoin(supervision_->table().Names(), " "); }
};

TEST_F(ConfigHostTest, Update_OfOneField_ChangesThatAndNothingElse) {
  Launch();
  const auto response =
      UpdateHost(Of(FromText("drain { timeout { seconds: 7 } }"), {"drain.timeout"}));
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->changes_size(), 1);
  EXPECT_EQ(response->changes(0).path(), "drain.timeout");
  EXPECT_EQ(response->changes(0).old_value(), "35s");
  EXPECT_EQ(response->changes(0).new_value(), "7s");
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(7)) << "a drain that begins now has it";
  EXPECT_EQ(Names(), "a b plain");
  EXPECT_EQ(supervision_->table().status(0).generation, 1u);
  const auto shown = Await(config().GetConfig(GetConfigRequest()));
  EXPECT_EQ(shown->section().source(), SOURCE_REVISION);
  EXPECT_EQ(shown->section().revision(), 1u);
}

TEST_F(ConfigHostTest, Update_OfTheWhole_AddsAndRemovesComponents) {
  Launch();
  ASSERT_TRUE(Update({To("b", 3)}).ok());
  host::v1::HostConfig host = Shown();
  host.mutable_components()->DeleteSubrange(0, 1);
  host::v1::Component& added = *host.add_components();
  added.set_name("new");
  added.set_type("picky");
  Item section;
  section.set_value(5);
  added.mutable_config()->PackFrom(section);
  const auto response = UpdateHost(Of(host));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(Names(), "b plain new");
  EXPECT_EQ(InForce("new"), 5);
  EXPECT_EQ(taken_["new"], 5);
  EXPECT_EQ(InForce("b"), 3);
  EXPECT_EQ(supervision_->table().status(*supervision_->table().NumberOf("b")).generation, 1u);
}

TEST_F(ConfigHostTest, Update_OfSectionsInTheWhole_ChangesThoseToo) {
  Launch();
  host::v1::HostConfig host = Shown();
  Item section;
  section.set_value(5);
  host.mutable_components(0)->mutable_config()->PackFrom(section);
  ASSERT_TRUE(UpdateHost(Of(host)).ok());
  EXPECT_EQ(InForce("a"), 5);
  EXPECT_EQ(taken_["a"], 5);
  section.set_value(Picky::kRefused);
  host.mutable_components(0)->mutable_config()->PackFrom(section);
  host.mutable_drain()->mutable_timeout()->set_seconds(3);
  EXPECT_EQ(UpdateHost(Of(host)).status(),
            absl::InvalidArgumentError("components[a].config: value: 13 is refused"));
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(35));
  host.mutable_components(0)->clear_config();
  host.mutable_drain()->clear_timeout();
  ASSERT_TRUE(UpdateHost(Of(host)).ok());
  EXPECT_EQ(InForce("a"), 5) << "one that is left out stays";
}

TEST_F(ConfigHostTest, Update_OfATypeWithItsSection_BeginsWithThat) {
  Launch();
  host::v1::HostConfig host = Shown();
  ASSERT_EQ(host.components(2).name(), "plain");
  host.mutable_components(2)->set_type("picky");
  Item section;
  section.set_value(5);
  host.mutable_components(2)->mutable_config()->PackFrom(section);
  const auto response = UpdateHost(Of(host));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(taken_["plain"], 5);
  EXPECT_EQ(InForce("plain"), 5);
  RollbackConfigRequest back;
  back.set_revision(0);
  auto answer = config().RollbackConfig(back);
  loops_.Advance(absl::Seconds(2));
  ASSERT_TRUE(answer.Await(kNoTime).ok());
  EXPECT_EQ(Shown().components(2).type(), "plain");
}

TEST_F(ConfigHostTest, Update_WhereTheFileSaysWhereRevisionsAreKept_LeavesThat) {
  host_.state_dir = "/kept";
  Launch();
  EXPECT_EQ(UpdateHost(Of(FromText("state_dir: '/other'"), {"state_dir"})).status().code(),
            absl::StatusCode::kInvalidArgument);
  for (const int seconds : {7, 8}) {
    host::v1::HostConfig host;
    host.mutable_drain()->mutable_timeout()->set_seconds(seconds);
    const auto response = UpdateHost(Of(host, {"drain.timeout"}));
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->changes_size(), 1);
    EXPECT_EQ(host_.state_dir, "/kept");
  }
}

TEST_F(ConfigHostTest, Update_OfWhatIsWrong_SaysWhat) {
  Launch();
  const auto refusal = [&](const Change& change) {
    const absl::Status status = UpdateHost(change).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(Of(FromText("components { name: 'x' type: 'pikcy' }"))),
              HasSubstr("components[x].type: no component type \"pikcy\""));
  EXPECT_THAT(refusal(Of(FromText("state_dir: '/x'"), {"state_dir"})),
              HasSubstr("state_dir: is what the file or --state-dir says"));
  EXPECT_THAT(refusal(Of(FromText(""), {"drain.tiemout"})),
              HasSubstr("has no field \"drain.tiemout\""));
  Change of_another = Of(FromText(""));
  of_another.mutable_config()->PackFrom(Item());
  EXPECT_THAT(refusal(of_another), HasSubstr("config: \"@type\" is"));
  EXPECT_EQ(Update({Of(FromText("")), To("a", 1)}).status(),
            absl::InvalidArgumentError(
                "changes: the host's comes alone, with the sections of its components in it"));
  host::v1::HostConfig host = FromText("components { name: 'plain' }");
  host.mutable_components(0)->mutable_config()->PackFrom(Item());
  EXPECT_THAT(refusal(Of(host)), HasSubstr("components[plain].config: its type takes none"));
  EXPECT_THAT(Revisions(), IsEmpty());
  EXPECT_EQ(Names(), "a b plain");
}

TEST_F(ConfigHostTest, Update_OfWhatAFlagHolds_IsRefused) {
  Launch();
  flags_["drain.timeout"] = "--drain-timeout";
  EXPECT_EQ(
      UpdateHost(Of(FromText("drain { timeout { seconds: 7 } }"), {"drain.timeout"})).status(),
      absl::InvalidArgumentError("drain.timeout: --drain-timeout holds over it"));
  const absl::Status beside =
      UpdateHost(Of(FromText("drain { lame_duck { seconds: 3 } }"), {"drain.lame_duck"})).status();
  EXPECT_TRUE(beside.ok()) << beside;
  EXPECT_TRUE(UpdateHost(Of(Shown())).ok()) << "what holds is no change";
}

TEST_F(ConfigHostTest, Update_OfNothing_IsAcceptedAndNoRevision) {
  Launch();
  file_->Find("a")->config = ConfigTest::Of(4);
  ASSERT_TRUE(Update({To("b", 3)}).ok());
  const auto response = UpdateHost(Of(Shown()));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(UpdateHost(Of(host::v1::HostConfig(), {"drain.timeout"}))->changes_size(), 0)
      << "it is the default already";
  EXPECT_THAT(Revisions(), ElementsAre(1));
}

TEST_F(ConfigHostTest, Update_WithAComponentThatDoesNotBecomeReady_PutsAllBack) {
  Launch();
  host::v1::HostConfig host = Shown();
  host::v1::Component& added = *host.add_components();
  added.set_name("new");
  added.set_type("picky");
  added.set_essential(false);
  Item section;
  section.set_value(Picky::kUnready);
  added.mutable_config()->PackFrom(section);
  UpdateConfigRequest request = UpdateOf({Of(host)});
  request.mutable_ready_within()->set_seconds(5);
  auto answer = config().UpdateConfig(request);
  loops_.Advance(absl::Seconds(10));
  const absl::Status refused = answer.Await(kNoTime).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAborted) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("\"new\" was not ready in time"));
  EXPECT_EQ(Names(), "a b plain");
}

TEST_F(ConfigHostTest, AfterARestart_WhatWasAcceptedHolds) {
  const HostConfig file = host_;
  Launch(Open());
  ASSERT_TRUE(UpdateHost(Of(FromText("drain { timeout { seconds: 7 } }"), {"drain.timeout"})).ok());
  ASSERT_TRUE(Update({To("a", 3)}).ok());
  AgainWith(file);
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(7));
  EXPECT_EQ(InForce("a"), 3);
  EXPECT_EQ(Shown().drain().timeout().seconds(), 7);
}

TEST_F(ConfigHostTest, WhereTheFileHasChangedSince_ItHoldsUnlessTheRevisionDoes) {
  HostConfig file = host_;
  Launch(Open());
  Change change = Of(FromText("drain { timeout { seconds: 7 } }"), {"drain.timeout"});
  ASSERT_TRUE(UpdateHost(change).ok());
  file.lame_duck = absl::Seconds(1);
  AgainWith(file);
  EXPECT_THAT(warnings_,
              ElementsAre("revision 1: the file says something else of the host than it did, and "
                          "holds; not taken over: drain.lame_duck: 5s instead of 1s, "
                          "drain.timeout: 7s instead of 35s"));
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(35));
  change.set_keep_over_file(true);
  ASSERT_TRUE(UpdateHost(change).ok());
  file.lame_duck = absl::Seconds(2);
  AgainWith(file);
  EXPECT_THAT(warnings_,
              ElementsAre("revision 2: the file says something else of the host than it did; the "
                          "revision holds; over the file: drain.lame_duck: 1s instead of 2s, "
                          "drain.timeout: 7s instead of 35s"));
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(7));
}

TEST_F(ConfigHostTest, WhereTheFileNoLongerHasAComponent_ItsSectionIsAsItWillBeAtTheNextStart) {
  host_.Find("a")->config = ConfigTest::Of(4);
  Launch(Open());
  host::v1::HostConfig whole = Shown();
  whole.mutable_drain()->mutable_timeout()->set_seconds(7);
  Change change = Of(whole);
  change.set_keep_over_file(true);
  ASSERT_TRUE(UpdateHost(change).ok());
  std::erase_if(file_->components, [](const ComponentConfig& each) { return each.name == "a"; });
  reconfiguration_->Reload("SIGHUP", nullptr);
  loops_.Advance(absl::Seconds(2));
  EXPECT_EQ(Names(), "a b plain") << "the revision holds";
  EXPECT_EQ(InForce("a"), 0);
  ASSERT_TRUE(Update({To("a", 6)}).ok());
  AgainWith(*file_);
  EXPECT_EQ(Names(), "a b plain");
  EXPECT_EQ(InForce("a"), 6);
}

TEST_F(ConfigHostTest, Update_ThatIsRefusedLate_WasNeverThere) {
  Launch();
  host::v1::HostConfig host = Shown();
  host::v1::Component& added = *host.add_components();
  added.set_name("new");
  added.set_type("picky");
  Item section;
  section.set_value(Picky::kThrows);
  added.mutable_config()->PackFrom(section);
  auto answer = config().UpdateConfig(UpdateOf({Of(host)}));
  EXPECT_EQ(LatestRevision(), 0u) << "while it is not accepted";
  loops_.Advance(absl::Seconds(10));
  EXPECT_EQ(answer.Await(kNoTime).status().code(), absl::StatusCode::kAborted);
  ASSERT_TRUE(Update({To("a", 1)}).ok());
  EXPECT_THAT(Revisions(), ElementsAre(1)) << "and has used no number";
}

TEST_F(ConfigHostTest, Reload_OfAFileThatSaysWhatItDid_LeavesTheRevision) {
  Launch();
  ASSERT_TRUE(UpdateHost(Of(FromText("drain { timeout { seconds: 7 } }"), {"drain.timeout"})).ok());
  const auto reload = [&] {
    reconfiguration_->Reload("SIGHUP", nullptr);
    loops_.Advance(absl::Seconds(2));
  };
  reload();
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(7));
  // Its sections have a life of their own.
  file_->Find("a")->config = ConfigTest::Of(4);
  reload();
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(7));
  EXPECT_EQ(InForce("a"), 4);
  file_->Find("b")->mailbox.max_calls = 9;
  reload();
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(35)) << "the file holds from here on";
  EXPECT_EQ(host_.Find("b")->mailbox.max_calls, 9u);
}

TEST_F(ConfigHostTest, Rollback_PutsTheHostBackToo) {
  Launch();
  host::v1::HostConfig host = Shown();
  host.mutable_components()->RemoveLast();
  ASSERT_TRUE(UpdateHost(Of(host)).ok());
  ASSERT_TRUE(UpdateHost(Of(FromText("drain { timeout { seconds: 7 } }"), {"drain.timeout"})).ok());
  const auto back_to = [&](uint64_t revision) {
    RollbackConfigRequest request;
    request.set_revision(revision);
    auto answer = config().RollbackConfig(request);
    loops_.Advance(absl::Seconds(2));
    const auto response = answer.Await(kNoTime);
    EXPECT_TRUE(response.ok()) << response.status();
  };
  back_to(1);
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(35));
  EXPECT_EQ(Names(), "a b");
  back_to(0);
  EXPECT_EQ(Names(), "a b plain");
  const auto shown = Await(config().GetConfig(GetConfigRequest()));
  EXPECT_EQ(shown->section().source(), SOURCE_FILE);
  EXPECT_THAT(Revisions(), ElementsAre(4, 3, 2, 1));
}

TEST_F(ConfigHostTest, Diff_OfTheFile_TellsWhatAReloadWouldDo) {
  Launch();
  DiffConfigRequest request;
  request.set_of_file(true);
  EXPECT_EQ(Await(config().DiffConfig(request))->changes_size(), 0);
  file_->drain_timeout = absl::Seconds(9);
  file_->Find("a")->config = ConfigTest::Of(4);
  const auto diff = Await(config().DiffConfig(request));
  ASSERT_TRUE(diff.ok()) << diff.status();
  ASSERT_EQ(diff->changes_size(), 2);
  EXPECT_EQ(diff->changes(0).path(), "drain.timeout");
  EXPECT_EQ(diff->changes(1).name(), "a");
  EXPECT_EQ(diff->changes(1).new_value(), "4");
  ValidateConfigRequest validate;
  validate.set_of_file(true);
  EXPECT_TRUE(Await(config().ValidateConfig(validate)).ok());
  file_->Find("a")->config = ConfigTest::Of(Picky::kRefused);
  EXPECT_EQ(Await(config().ValidateConfig(validate)).status(),
            absl::InvalidArgumentError("components[a].config: value: 13 is refused"));
  file_ = absl::InvalidArgumentError("f:1:1: wrong\n");
  EXPECT_EQ(Await(config().DiffConfig(request)).status(), file_.status());
  EXPECT_THAT(Revisions(), IsEmpty());
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(35));
}

TEST_F(ConfigHostTest, Diff_OfAChange_TellsItAndMakesNone) {
  Launch();
  DiffConfigRequest request;
  *request.add_changes() = Of(FromText("drain { timeout { seconds: 7 } }"), {"drain.timeout"});
  const auto diff = Await(config().DiffConfig(request));
  ASSERT_TRUE(diff.ok()) << diff.status();
  ASSERT_EQ(diff->changes_size(), 1);
  EXPECT_EQ(diff->changes(0).effect(), EFFECT_LIVE);
  EXPECT_EQ(host_.drain_timeout, absl::Seconds(35));
}

TEST_F(ConfigHostTest, Reloads_ThatWaitTogether_ReadTheFileOnce) {
  Launch();
  int over = 0;
  const auto reload = [&] {
    reconfiguration_->Reload("SIGHUP", std::shared_ptr<void>(nullptr, [&](void*) { ++over; }));
  };
  file_->drain_timeout = absl::Seconds(9);
  for (int i = 0; i < 200; ++i) reload();
  loops_.Advance(absl::Seconds(2));
  EXPECT_EQ(over, 200) << "all are answered";
  EXPECT_LE(loads_, 2);
  EXPECT_THAT(Revisions(), ElementsAre(1));
}

}  // namespace
}  // namespace mainspring::testing
