#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mainspring/from_text.h"
#include "mainspring/server/reconfigure/config.h"
#include "tests/server/reconfigure/config_fixture.h"
#include "tests/server/trial_directory.h"

namespace mainspring::testing {
namespace {

using namespace config::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DurableConfigTest : public ConfigTest {};

TEST_F(DurableConfigTest, AfterARestart_WhatWasAcceptedHolds) {
  Launch(Open());
  ASSERT_TRUE(Update({To("a", 1)}).ok());
  ASSERT_TRUE(Update({To("b", 2)}).ok());
  Again();
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_EQ(taken_, (Taken{{"a", 1}, {"b", 2}}));
  EXPECT_THAT(Revisions(), ElementsAre(2, 1));
  EXPECT_EQ(Update({To("a", 3)})->revision(), 3u);
}

TEST_F(DurableConfigTest, WhereTheFileHasChangedSince_ItHoldsUnlessTheRevisionDoes) {
  host_.components[0].config = Of(1);
  Launch(Open());
  Change kept = To("b", 2);
  kept.set_keep_over_file(true);
  ASSERT_TRUE(Update({To("a", 2), kept}).ok());
  host_.components[0].config = Of(3);
  host_.components[1].config = Of(3);
  Again();
  EXPECT_EQ(taken_, (Taken{{"a", 3}, {"b", 2}}));
  EXPECT_THAT(
      warnings_,
      ElementsAre("component \"a\": revision 1: the file has changed since, from {value: 1} to "
                  "{value: 3}, and holds; not taken over is {value: 2}",
                  "component \"b\": revision 1: the file has changed since, from nothing to "
                  "{value: 3}, and the revision holds over it: {value: 2}"));
}

TEST_F(DurableConfigTest, WhereTheComponentHasGone_SaysSo) {
  Launch(Open());
  ASSERT_TRUE(Update({To("b", 2)}).ok());
  host_.components[1].name = "c";
  Again();
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("there is no such component any more")));
}

TEST_F(DurableConfigTest, WhereItCannotBeWritten_NothingHasChanged) {
  Launch(Open());
  ASSERT_TRUE(Update({To("a", 1)}).ok());
  const std::string state = directory_.File("state");
  ASSERT_EQ(0, rename(state.c_str(), directory_.File("gone").c_str()));
  const absl::Status refused = Update({To("a", 2), To("b", 2)}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr(state));
  EXPECT_EQ(taken_, (Taken{{"a", 1}, {"b", 0}}));
  EXPECT_EQ(InForce("a"), 1);
  ASSERT_EQ(0, rename(directory_.File("gone").c_str(), state.c_str()));
  EXPECT_EQ(Update({To("a", 2)})->revision(), 2u);
  Again();
  EXPECT_EQ(taken_["a"], 2);
}

TEST_F(DurableConfigTest, WhatWasPutBack_IsNotThereAfterARestart) {
  Launch(Open());
  ASSERT_TRUE(Update({To("a", 1)}).ok());
  ASSERT_FALSE(Update({To("a", 2), To("b", Picky::kThrows)}).ok());
  loops_.Advance(absl::Seconds(1));
  Again();
  EXPECT_EQ(taken_, (Taken{{"a", 1}, {"b", 0}}));
  EXPECT_THAT(Revisions(), ElementsAre(1));
}

TEST_F(DurableConfigTest, OnTrial_ItIsWrittenDownOnceAllAreReady) {
  Launch(Open());
  ASSERT_TRUE(Update({To("b", Picky::kUnready)}).ok());
  UpdateConfigRequest request = UpdateOf({To("a", 1), To("b", 2)});
  *request.mutable_ready_within() = FromText("seconds: 3");
  ASSERT_EQ(Await(config().UpdateConfig(request))->revision(), 2u);
  request = UpdateOf({To("a", 3), To("b", Picky::kUnready)});
  *request.mutable_ready_within() = FromText("seconds: 30");
  auto answer = config().UpdateConfig(request);
  loops_.Advance(absl::Seconds(1));
  EXPECT_EQ(taken_["a"], 3) << "it is on trial";
  EXPECT_EQ(InForce("a"), 1) << "and not accepted";
  answer.Detach();
  Again();
  EXPECT_EQ(taken_, (Taken{{"a", 1}, {"b", 2}})) << "as after a kill";
  EXPECT_THAT(Revisions(), ElementsAre(2, 1));
}

}  // namespace
}  // namespace mainspring::testing
