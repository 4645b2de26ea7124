// What is late, and who does not come back.
#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "mainspring/server/supervisor/supervisor.h"
#include "tests/server/lifecycle/stepped.h"

namespace mainspring {
namespace {

using lifecycle::v1::LifecycleCall;
using testing::AnswerEcho;
using ::testing::ElementsAre;
using testing::Hooks;
using ::testing::IsEmpty;
using testing::NotEssential;
using ::testing::SizeIs;
using ::testing::StartsWith;
using trial::v1::TrialRequest;

using SupervisorTimeTest = testing::SteppedTest;

TEST_F(SupervisorTimeTest, WhenItDoesNotStartInTime_IsTriedAgainAndTheLateInstanceIsDiscarded) {
  Add("slow", {}, Noting("slow"), NotEssential);
  loops_.Hold("slow");
  BeginStart();
  Advance(absl::Seconds(30) - absl::Nanoseconds(1));
  EXPECT_EQ("slow STARTING", States());
  EXPECT_FALSE(start_.has_value());
  Advance(absl::Nanoseconds(1));
  EXPECT_EQ("slow BACKOFF", States());
  EXPECT_EQ("did not start within 30s; started again in 200ms", Reason("slow"));
  EXPECT_TRUE(start_->ok());
  loops_.LetGo("slow");
  EXPECT_THAT(TakeNotes(), ElementsAre("start slow", "stop slow")) << "the late one";
  EXPECT_EQ("slow BACKOFF", States());
  Advance(absl::Milliseconds(200));
  EXPECT_EQ("slow RUNNING", States());
  EXPECT_EQ(2u, Status("slow").generation);
}

TEST_F(SupervisorTimeTest, WhenTheThreadComesBackAfterTheNextTry_ThatOneRuns) {
  Add("slow", {}, Noting("slow"), NotEssential);
  loops_.Hold("slow");
  BeginStart();
  Advance(absl::Seconds(31));
  EXPECT_EQ("slow STARTING", States());
  EchoRecord call = Echo("slow");
  loops_.LetGo("slow");
  EXPECT_EQ("slow RUNNING", States());
  EXPECT_EQ(2u, Status("slow").generation);
  EXPECT_THAT(TakeNotes(), ElementsAre("start slow", "stop slow", "start slow"));
  EXPECT_TRUE(call->status().ok());
}

TEST_F(SupervisorTimeTest, WhenAnEssentialOneDoesNotStartInTime_TheHostDoesNot) {
  Add("slow");
  loops_.Hold("slow");
  BeginStart();
  Advance(absl::Seconds(30));
  ASSERT_TRUE(start_.has_value());
  EXPECT_THAT(std::string(start_->message()),
              StartsWith("component \"slow\": did not start: took longer than 30s"));
  EXPECT_THAT(Stop().stuck, SizeIs(1)) << "its thread has not come back";
}

TEST_F(SupervisorTimeTest, WhenAMethodDoesNotReturn_IsStuckAndNamed) {
  Hooks hooks;
  hooks.handle = [this](TrialRequest request) {
    BeginStop();
    Advance(absl::Minutes(1));
    notes_.push_back(States() + ": " + Reason("stuck"));
    AnswerEcho(std::move(request));
  };
  Add("stuck", {}, hooks);
  Add("good", {"stuck"}, Noting("good"));
  ASSERT_TRUE(Start().ok());
  TakeNotes();
  EchoRecord call = Echo("stuck");
  Settle();
  EXPECT_THAT(
      TakeNotes(),
      ElementsAre("stop good",
                  "stuck FAILED, good STOPPED: stuck in /mainspring.trial.v1.Trial/Echo for "
                  "5.2s; its thread does not come back"));
  ASSERT_THAT(stop_->stuck, SizeIs(1));
  EXPECT_EQ("stuck", stop_->stuck[0].component);
  EXPECT_EQ("/mainspring.trial.v1.Trial/Echo", stop_->stuck[0].method);
  EXPECT_EQ(absl::Milliseconds(5200), stop_->stuck[0].age);
  EXPECT_TRUE(call->status().ok()) << "it came back in the end";
  EXPECT_EQ("stuck FAILED, good STOPPED", States());
  EXPECT_THAT(Stop().stuck, IsEmpty()) << "and nobody has to be forced any more";
}

TEST_F(SupervisorTimeTest, WhenStopItselfDoesNotReturn_IsStuckWithoutAMethod) {
  Add("stuck");
  ASSERT_TRUE(Start().ok());
  loops_.Hold("stuck");
  BeginStop();
  Advance(absl::Milliseconds(5199));
  EXPECT_FALSE(stop_.has_value());
  Advance(absl::Milliseconds(1));
  ASSERT_TRUE(stop_.has_value());
  ASSERT_THAT(stop_->stuck, SizeIs(1));
  EXPECT_EQ("its mailbox", stop_->stuck[0].method);
  EXPECT_EQ(absl::Seconds(5), stop_->stuck[0].age);
  EXPECT_EQ("stuck in its mailbox for 5s; its thread does not come back", Reason("stuck"));
}

TEST_F(SupervisorTimeTest, WhenAStuckOneIsStartedAndItsThreadComesBack_Runs) {
  Add("stuck", {}, Noting("stuck"));
  ASSERT_TRUE(Start().ok());
  loops_.Hold("stuck");
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'stuck'");
  Advance(absl::Seconds(6));
  EXPECT_EQ(absl::StatusCode::kDeadlineExceeded, stopped->status().code());
  EXPECT_EQ("stuck FAILED", States());
  auto started = Ask<LifecycleCall::StartComponent>("name: 'stuck'");
  EXPECT_EQ("stuck STARTING", States());
  loops_.LetGo("stuck");
  EXPECT_TRUE(started->status().ok()) << started->status();
  EXPECT_EQ("stuck RUNNING", States());
  EXPECT_THAT(TakeNotes(), ElementsAre("start stuck", "stop stuck", "start stuck"));
  EXPECT_THAT(Stop().stuck, IsEmpty());
}

TEST_F(SupervisorTimeTest,
       WhenItIsLongInACall_HealthIsToldOnceWhenItIsPastItsLimitAndWhenItIsBack) {
  Hooks hooks;
  hooks.handle = [this](TrialRequest request) {
    Advance(absl::Seconds(59));
    EXPECT_THAT(stalls_, IsEmpty());
    EXPECT_TRUE(View("busy").stalled);
    Advance(absl::Seconds(30));
    EXPECT_THAT(stalls_, ElementsAre("busy past its limit"));
    AnswerEcho(std::move(request));
  };
  Add("busy", {}, hooks);
  ASSERT_TRUE(Start().ok());
  Echo("busy");
  Settle();
  Advance(absl::Seconds(2));
  EXPECT_THAT(stalls_, ElementsAre("busy past its limit", "busy back"));
  EXPECT_EQ("busy RUNNING", States());
}

TEST_F(SupervisorTimeTest, WhenItsLimitIsLessThanItsWarning_HealthIsToldAsWell) {
  Hooks hooks;
  hooks.handle = [this](TrialRequest request) {
    Advance(absl::Seconds(3));
    AnswerEcho(std::move(request));
  };
  Add("busy", {}, hooks, [](ComponentConfig& config) { config.stall_limit = absl::Seconds(1); });
  ASSERT_TRUE(Start().ok());
  Echo("busy");
  Settle();
  Advance(absl::Seconds(2));
  EXPECT_THAT(stalls_, ElementsAre("busy past its limit", "busy back"));
}

}  // namespace
}  // namespace mainspring
