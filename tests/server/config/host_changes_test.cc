#include "mainspring/server/config/host_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

HostConfig Of(const std::vector<std::string>& names) {
  HostConfig config;
  for (const std::string& each : names) config.Add("clock", each);
  return config;
}

// "components[a].essential: true -> false".
std::vector<std::string> Lines(const HostChanges& changes) {
  std::vector<std::string> lines;
  for (const auto& each : changes.fields) {
    lines.push_back(absl::StrCat(each.path(), ": ", each.old_value(), " -> ", each.new_value()));
  }
  return lines;
}

TEST(HostChanges, OfTheSame_AreNone) {
  const HostChanges changes = Compare(Of({"a"}), Of({"a"}));
  EXPECT_THAT(Lines(changes), IsEmpty());
  EXPECT_FALSE(changes.changes_components());
}

TEST(HostChanges, TellWhoComesAndGoes) {
  const HostChanges changes = Compare(Of({"a", "b"}), Of({"b", "c"}));
  EXPECT_THAT(Lines(changes),
              ElementsAre("components[c].type:  -> clock", "components[a].type: clock -> "));
  EXPECT_THAT(changes.names, ElementsAre("a", "c"));
  EXPECT_TRUE(changes.changes_components());
}

TEST(HostChanges, TellWhoIsRestarted) {
  HostConfig after = Of({"a", "b"});
  after.components[0].on_exception = OnException::kRestart;
  after.components[1].mailbox.max_calls = 7;
  const HostChanges changes = Compare(Of({"a", "b"}), after);
  EXPECT_THAT(Lines(changes), ElementsAre("components[a].on_exception: fail_call -> restart",
                                          "components[b].mailbox.max_calls: 1024 -> 7"));
  EXPECT_THAT(changes.restarting, ElementsAre("a"));
  EXPECT_THAT(changes.names, ElementsAre("a", "b"));
}

TEST(HostChanges, OfAnotherType_RestartNobody) {
  HostConfig after = Of({"a"});
  after.components[0].type = "other";
  const HostChanges changes = Compare(Of({"a"}), after);
  EXPECT_THAT(changes.names, ElementsAre("a"));
  EXPECT_THAT(changes.restarting, IsEmpty());
}

TEST(HostChanges, TellWhatHoldsAfterARestartOfTheHost) {
  HostConfig after = Of({"a"});
  after.data.addresses = {"127.0.0.1:1"};
  after.lame_duck = absl::Seconds(1);
  const HostChanges changes = Compare(Of({"a"}), after);
  ASSERT_EQ(changes.fields.size(), 2u);
  EXPECT_EQ(changes.fields[0].path(), "planes.data.addresses");
  EXPECT_EQ(changes.fields[0].effect(), config::v1::EFFECT_RESTARTS_HOST);
  EXPECT_EQ(changes.fields[1].effect(), config::v1::EFFECT_LIVE);
  EXPECT_FALSE(changes.changes_components());
}

}  // namespace
}  // namespace mainspring
