// What components say of their own health, and what they are told of drains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "mainspring/status_details.h"
#include "tests/server/lifecycle/stepped.h"

namespace mainspring {
namespace {

using lifecycle::v1::LifecycleCall;
using ::testing::ElementsAre;
using testing::Hooks;

class ServingTest : public testing::SteppedTest {
 protected:
  // Has the component say so.
  void Say(const std::string& name, bool serving, const std::string& why = "") {
    contexts_.at(name)->SetServing(serving, why);
    Echo(name);  // what it says is heard when it returns
    loops_.Settle();
  }
  Hooks NotingDrains(const std::string& name) {
    Hooks hooks;
    hooks.draining = [this, name] { drained_.push_back(name); };
    return hooks;
  }

  std::vector<std::string> drained_;
};

TEST_F(ServingTest, WhenAComponentSaysSo_IsNotHealthyAndTellsWhy) {
  Add("cache");
  ASSERT_TRUE(Start().ok());
  Say("cache", false, "cache is cold");
  EXPECT_FALSE(supervision_->table().IsServing(0));
  EXPECT_FALSE(Status("cache").serving);
  EXPECT_EQ(Status("cache").why_not_serving, "cache is cold");
  EXPECT_EQ("cache RUNNING", States()) << "calls still reach it";
  Say("cache", true);
  EXPECT_TRUE(supervision_->table().IsServing(0));
  EXPECT_EQ(Status("cache").why_not_serving, "");
}

TEST_F(ServingTest, WhenItSaysSoInStart_IsNeverHealthyBefore) {
  Hooks hooks;
  hooks.start = [this] {
    contexts_.at("cache")->SetServing(false, "cache is cold");
    return absl::OkStatus();
  };
  Add("cache", {}, hooks);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ("cache RUNNING", States());
  EXPECT_FALSE(served_[0]);
  EXPECT_EQ(Status("cache").why_not_serving, "cache is cold");
}

TEST_F(ServingTest, WhenTheInstanceGoes_TheNextServesUntilItSaysOtherwise) {
  Add("cache");
  ASSERT_TRUE(Start().ok());
  Say("cache", false, "cache is cold");
  Ask<LifecycleCall::RestartComponent>("name: 'cache'");
  loops_.Advance(absl::Seconds(1));
  EXPECT_TRUE(supervision_->table().IsServing(0));
}

TEST_F(ServingTest, WhenTheHostDrains_EachIsToldOnce) {
  Add("one", {}, NotingDrains("one"));
  Add("two", {}, NotingDrains("two"));
  ASSERT_TRUE(Start().ok());
  supervision_->BeginDrain();
  loops_.Settle();
  EXPECT_THAT(drained_, ::testing::UnorderedElementsAre("one", "two"));
  EXPECT_TRUE(contexts_.at("one")->draining());
}

TEST_F(ServingTest, WhenOneIsDrained_ItAloneIsTold) {
  Add("one", {}, NotingDrains("one"));
  Add("two", {}, NotingDrains("two"));
  ASSERT_TRUE(Start().ok());
  Ask<LifecycleCall::DrainComponent>("name: 'one'");
  loops_.Settle();
  EXPECT_THAT(drained_, ElementsAre("one"));
  Ask<LifecycleCall::UndrainComponent>("name: 'one'");
  loops_.Settle();
  EXPECT_FALSE(contexts_.at("one")->draining());
}

TEST_F(ServingTest, WhenAnInstanceComesBackInADrain_ItIsToldToo) {
  Hooks hooks = NotingDrains("one");
  Add("one", {}, hooks);
  ASSERT_TRUE(Start().ok());
  Ask<LifecycleCall::DrainComponent>("name: 'one'");
  contexts_.at("one")->Fail(absl::InternalError("gone"));
  contexts_.at("one")->After(absl::ZeroDuration(), [] {});
  loops_.Advance(absl::Seconds(1));
  EXPECT_EQ("one RUNNING", States());
  EXPECT_THAT(drained_, ElementsAre("one", "one"));
}

TEST_F(ServingTest, WhenAComponentIsDown_CallersAreToldWhyForPrograms) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  Ask<LifecycleCall::StopComponent>("name: 'one'");
  loops_.Advance(absl::Seconds(1));
  const EchoRecord echo = Echo("one");
  loops_.Settle();
  const absl::Status refused = echo->status();
  EXPECT_EQ(absl::StatusCode::kUnavailable, refused.code());
  const std::optional<ErrorInfo> info = ErrorInfoOf(refused);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ("COMPONENT_DOWN", info->reason);
  EXPECT_EQ("one", info->metadata.at("component"));
  EXPECT_EQ("STOPPED", info->metadata.at("state"));
  EXPECT_EQ(absl::Seconds(1), RetryDelayOf(refused));
}

TEST_F(ServingTest, WhenAClientMakesItThrow_TheInstanceGoesOn) {
  Hooks hooks;
  hooks.handle = [](trial::v1::TrialRequest request) {
    if (std::get<trial::v1::TrialCall::Echo>(request).request.text() == "bad") {
      throw std::runtime_error("bad");
    }
    testing::AnswerEcho(std::move(request));
  };
  Add("one", {}, hooks,
      [](ComponentConfig& config) { config.on_exception = OnException::kFailCall; });
  ASSERT_TRUE(Start().ok());
  const trial::v1::TrialRef ref(std::dynamic_pointer_cast<Mailbox<trial::v1::TrialRequest>>(
      supervision_->table().Find("one")));
  for (int i = 0; i < 1000; ++i) {
    Answer<trial::v1::EchoResponse> answer = ref.Echo(testing::EchoOf("bad"));
    loops_.Settle();
    ASSERT_EQ(absl::StatusCode::kInternal, answer.Await(testing::kNoWait).status().code());
  }
  EXPECT_EQ("one RUNNING", States());
  EXPECT_EQ(1u, Status("one").generation);
  EXPECT_EQ(1000u, supervision_->table().View(0).mailbox.failed);
  const EchoRecord echo = Echo("one");
  loops_.Settle();
  EXPECT_TRUE(echo->status().ok());
}

}  // namespace
}  // namespace mainspring
