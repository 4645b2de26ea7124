// How failed components come back, step by step on a clock of the test's.
#include <gmock/gmock.h>

#include <stdexcept>
#include <string>

#include "mainspring/server/supervisor/supervisor.h"
#include "tests/server/lifecycle/stepped.h"

namespace mainspring {
namespace {

using lifecycle::v1::LifecycleCall;
using testing::AnswerEcho;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Hooks;
using ::testing::IsEmpty;
using testing::NotEssential;
using ::testing::SizeIs;
using testing::Temporary;
using trial::v1::TrialRequest;

void Transient(ComponentConfig& config) { config.restart.kind = RestartKind::kTransient; }

using RestartTest = testing::SteppedTest;

TEST_F(RestartTest, WhenAMethodThrows_LosesThatCallAndTheQueueWaitsForTheNextInstance) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  crash_.insert("one");
  EchoRecord lost = Echo("one");
  EchoRecord queued = Echo("one");
  loops_.LetGo("one");
  EXPECT_EQ(absl::StatusCode::kInternal, lost->status().code());
  EXPECT_EQ("one BACKOFF", States());
  EXPECT_EQ("failed in /mainspring.trial.v1.Trial/Echo; started again in 200ms", Reason("one"));
  EchoRecord late = Echo("one");
  Settle();
  EXPECT_EQ(0, queued->answers());
  EXPECT_EQ(0, late->answers());
  Advance(absl::Milliseconds(199));
  EXPECT_EQ("one BACKOFF", States());
  Advance(absl::Milliseconds(1));
  EXPECT_EQ("one RUNNING", States());
  EXPECT_TRUE(queued->status().ok());
  EXPECT_TRUE(late->status().ok());
  EXPECT_EQ(2u, Status("one").generation);
}

TEST_F(RestartTest, WhenACallsDeadlinePassesInABackoff_IsNotDispatched) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  Crash("one");
  EchoRecord call = Echo("one", After(time_.Now(), absl::Milliseconds(100)));
  Advance(absl::Milliseconds(200));
  EXPECT_EQ(absl::StatusCode::kDeadlineExceeded, call->status().code());
}

TEST_F(RestartTest, WhenItFails_TellsHowAndWhenInItsStatus) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  EchoRecord lost = Crash("one");
  const ComponentStatus status = Status("one");
  EXPECT_EQ("INTERNAL: crashed (in /mainspring.trial.v1.Trial/Echo)", status.last_error);
  ASSERT_THAT(status.failures, SizeIs(1));
  EXPECT_EQ("/mainspring.trial.v1.Trial/Echo", status.failures[0].during);
  EXPECT_EQ("INTERNAL: crashed", status.failures[0].error);
  EXPECT_THAT(std::string(lost->status().message()), HasSubstr(status.failures[0].request_id));
  EXPECT_EQ(time_.WallNow(), status.failures[0].time);
  EXPECT_EQ(time_.WallNow() + absl::Milliseconds(200), status.next_restart);
  Advance(absl::Seconds(1));
  EXPECT_EQ(absl::InfiniteFuture(), Status("one").next_restart);
}

TEST_F(RestartTest, WhenItFailsAgainAndAgain_WaitsLongerEachTimeAndIsGivenUpOnce) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  for (int milliseconds : {200, 400, 800, 1600}) {
    Crash("one");
    Advance(absl::Milliseconds(milliseconds - 1));
    EXPECT_EQ("one BACKOFF", States()) << milliseconds;
    EchoRecord waits = Echo("one");
    Advance(absl::Milliseconds(1));
    EXPECT_EQ("one RUNNING", States()) << milliseconds;
    EXPECT_TRUE(waits->status().ok());
  }
  EXPECT_THAT(essential_failures_, IsEmpty());
  loops_.Hold("one");
  crash_.insert("one");
  Echo("one");
  EchoRecord queued = Echo("one");
  loops_.LetGo("one");
  EXPECT_EQ("one FAILED", States());
  EXPECT_EQ("failed in /mainspring.trial.v1.Trial/Echo; the 5th failure within 1m", Reason("one"));
  EXPECT_EQ("component \"one\": FAILED: " + Reason("one"), queued->status().message());
  EXPECT_EQ(absl::StatusCode::kUnavailable, Echo("one")->status().code());
  EXPECT_THAT(essential_failures_, ElementsAre("component \"one\" FAILED"));
  Advance(absl::Hours(1));
  EXPECT_EQ("one FAILED", States());
  EXPECT_THAT(essential_failures_, SizeIs(1));
}

TEST_F(RestartTest, WhenOneThatIsNotEssentialIsGivenUpOn_TheHostIsNotTold) {
  Add("one", {}, Crashing("one"), NotEssential);
  ASSERT_TRUE(Start().ok());
  for (int i = 0; i < 5; ++i) {
    Crash("one");
    Advance(absl::Seconds(2));
  }
  EXPECT_EQ("one FAILED", States());
  EXPECT_THAT(essential_failures_, IsEmpty());
}

TEST_F(RestartTest, WhenItFailsEveryMinuteForADay_IsRestartedEachTime) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  for (int i = 0; i < 24 * 60; ++i) {
    Crash("one");
    ASSERT_EQ("one BACKOFF", States()) << i;
    Advance(absl::Minutes(1));
    ASSERT_EQ("one RUNNING", States()) << i;
  }
  EXPECT_THAT(Status("one").failures, SizeIs(10));
}

TEST_F(RestartTest, WhenItHasRunLongEnough_BackoffIsTheLeastAgain) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  for (int i = 0; i < 3; ++i) {
    Crash("one");
    Advance(absl::Seconds(2));
  }
  Advance(absl::Minutes(1));
  Crash("one");
  Advance(absl::Milliseconds(200));
  EXPECT_EQ("one RUNNING", States());
}

TEST_F(RestartTest, WhenRandomIsLow_ComesBackSooner) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  random_ = 0;
  Crash("one");
  EXPECT_THAT(Reason("one"), HasSubstr("started again in 160ms"));
  Advance(absl::Milliseconds(160));
  EXPECT_EQ("one RUNNING", States());
}

TEST_F(RestartTest, WhenTemporaryFails_IsFailedAtOnce) {
  Add("one", {}, Crashing("one"), Temporary);
  ASSERT_TRUE(Start().ok());
  Crash("one");
  EXPECT_EQ("one FAILED", States());
  EXPECT_EQ("failed in /mainspring.trial.v1.Trial/Echo; is temporary, so not started again",
            Reason("one"));
  EXPECT_THAT(essential_failures_, SizeIs(1));
}

TEST_F(RestartTest, WhenAPermanentOneEndsItself_IsStartedAgain) {
  Hooks hooks;
  hooks.handle = [this](TrialRequest request) {
    AnswerEcho(std::move(request));
    contexts_["one"]->Finish();
  };
  hooks.stop = [this] { notes_.push_back("stop"); };
  Add("one", {}, hooks);
  ASSERT_TRUE(Start().ok());
  EchoRecord call = Echo("one");
  Settle();
  EXPECT_TRUE(call->status().ok());
  EXPECT_EQ("one BACKOFF", States());
  EXPECT_EQ("ended itself, and is permanent; started again in 200ms", Reason("one"));
  EXPECT_THAT(TakeNotes(), ElementsAre("stop"));
  Advance(absl::Milliseconds(200));
  EXPECT_EQ("one RUNNING", States());
}

TEST_F(RestartTest, WhenATransientOrTemporaryOneEndsItself_StaysStopped) {
  for (const char* name : {"transient", "temporary"}) {
    Hooks hooks;
    hooks.handle = [this, name](TrialRequest request) {
      AnswerEcho(std::move(request));
      contexts_[name]->Finish();
    };
    Add(name, {}, hooks, name == std::string("transient") ? Transient : Temporary);
  }
  Add("dependent", {"transient"}, Noting("dependent"));
  ASSERT_TRUE(Start().ok());
  Echo("transient");
  Echo("temporary");
  Settle();
  Advance(absl::Hours(1));
  EXPECT_EQ("transient STOPPED, temporary STOPPED, dependent STOPPED", States());
  EXPECT_EQ("finished", Reason("transient"));
  EXPECT_FALSE(Status("transient").wanted);
  EXPECT_EQ("its dependency \"transient\" is STOPPED", Reason("dependent"));
  EXPECT_EQ("component \"transient\": STOPPED: finished", Echo("transient")->status().message());
  EXPECT_TRUE(Ask<LifecycleCall::StartComponent>("name: 'transient'")->status().ok());
  EXPECT_EQ("transient RUNNING, temporary STOPPED, dependent RUNNING", States());
}

TEST_F(RestartTest, WhenATransientOneFails_IsStartedAgain) {
  Add("one", {}, Crashing("one"), Transient);
  ASSERT_TRUE(Start().ok());
  Crash("one");
  Advance(absl::Milliseconds(200));
  EXPECT_EQ("one RUNNING", States());
}

TEST_F(RestartTest, WhenItSaysThatItFailed_KeepsItsAnswersAndIsStartedAgain) {
  Hooks hooks;
  hooks.handle = [this](TrialRequest request) {
    AnswerEcho(std::move(request));
    contexts_["one"]->Fail(absl::DataLossError("the disk has gone"));
  };
  Add("one", {}, hooks);
  ASSERT_TRUE(Start().ok());
  EchoRecord call = Echo("one");
  Settle();
  EXPECT_TRUE(call->status().ok());
  EXPECT_EQ("one BACKOFF", States());
  EXPECT_EQ("DATA_LOSS: the disk has gone (in /mainspring.trial.v1.Trial/Echo)",
            Status("one").last_error);
}

TEST_F(RestartTest, WhenATimerThrows_IsStartedAgain) {
  Hooks hooks;
  hooks.construct = [](Context& context) {
    if (context.generation() > 1) return;
    context.After(absl::Seconds(5), [] { throw std::runtime_error("late"); });
  };
  Add("one", {}, hooks);
  ASSERT_TRUE(Start().ok());
  Advance(absl::Seconds(5));
  EXPECT_EQ("failed in a timer; started again in 200ms", Reason("one"));
  Advance(absl::Milliseconds(200));
  EXPECT_EQ("one RUNNING", States());
}

TEST_F(RestartTest, WhenItThrowsInStop_IsStoppedAllTheSame) {
  Hooks hooks;
  hooks.stop = [] { throw std::runtime_error("cannot let go"); };
  Add("one", {}, hooks);
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(Stop().stuck, IsEmpty());
  EXPECT_EQ("one STOPPED", States());
}

TEST_F(RestartTest, WhenTheHostStopsInABackoff_IsStoppedAtOnce) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  Crash("one");
  EchoRecord waits = Echo("one");
  Stop();
  EXPECT_EQ("one STOPPED", States());
  EXPECT_EQ(absl::StatusCode::kUnavailable, waits->status().code());
  Advance(absl::Minutes(1));
  EXPECT_EQ("one STOPPED", States());
}

TEST_F(RestartTest, WhenAFailedOneIsStoppedWithTheHost_StaysFailed) {
  Add("one", {}, Crashing("one"), Temporary);
  ASSERT_TRUE(Start().ok());
  Crash("one");
  EXPECT_THAT(Stop().stuck, IsEmpty());
  EXPECT_EQ("one FAILED", States());
}

TEST_F(RestartTest, WhenAnEssentialOneIsGivenUpOnWhileTheHostStarts_TheStartFails) {
  Add("quick", {}, Crashing("quick"), Temporary);
  Add("slow");
  loops_.Hold("slow");
  BeginStart();
  EXPECT_EQ("quick RUNNING, slow STARTING", States());
  Crash("quick");
  EXPECT_EQ(LifecycleState::kFailed, State("quick"));
  loops_.LetGo("slow");
  ASSERT_TRUE(start_.has_value());
  EXPECT_TRUE(!start_->ok() || !essential_failures_.empty())
      << "an essential component is FAILED, and the host serves on";
}

TEST_F(RestartTest, WhenAnEssentialOneIsStuckInARestart_TheHostIsToDrain) {
  Add("web", {"store"});
  Add("store");
  ASSERT_TRUE(Start().ok());
  loops_.Hold("store");
  auto restarted = Ask<LifecycleCall::RestartComponent>("name: 'store' cascade: true");
  Advance(absl::Seconds(6));
  EXPECT_EQ("web STOPPED, store FAILED", States());
  EXPECT_EQ(absl::StatusCode::kDeadlineExceeded, restarted->status().code());
  EXPECT_THAT(essential_failures_, ElementsAre("component \"store\" FAILED"));
}

TEST_F(RestartTest, WhenOneThatIsNotEssentialIsStuck_TheHostGoesOn) {
  Add("spare", {}, {}, [](ComponentConfig& config) { config.essential = false; });
  ASSERT_TRUE(Start().ok());
  loops_.Hold("spare");
  Ask<LifecycleCall::StopComponent>("name: 'spare'");
  Advance(absl::Seconds(6));
  EXPECT_EQ("spare FAILED", States());
  EXPECT_THAT(essential_failures_, IsEmpty());
}

TEST_F(RestartTest, WhenAnEssentialOneIsStuckAsTheHostStops_NothingElseIsToHappen) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  BeginStop();
  Advance(absl::Seconds(6));
  EXPECT_EQ("one FAILED", States());
  EXPECT_THAT(essential_failures_, IsEmpty());
}

}  // namespace
}  // namespace mainspring
