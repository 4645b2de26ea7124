// What operators ask the supervisor for besides commands: pauses, drains and watches, step by step
// on a clock of the test's.
#include <gmock/gmock.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "mainspring/server/supervisor/supervisor.h"
#include "tests/server/lifecycle/stepped.h"

namespace mainspring {
namespace {

namespace proto = lifecycle::v1;
using namespace lifecycle::v1;  // NOLINT: the call structs of the rpcs under test
using testing::CallBox;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using EchoCall = trial::v1::TrialCall::Echo;
using trial::v1::TrialRequest;

using Code = absl::StatusCode;
using PauseTest = testing::SteppedTest;
using WatchTest = testing::SteppedTest;
using DrainHostTest = testing::SteppedTest;

// --- pause ---------------------------------------------------------------------------------------

TEST_F(PauseTest, WhenPaused_CallsWaitUntilItIsResumed) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  auto paused = Ask<LifecycleCall::PauseComponent>("name: 'one'");
  EXPECT_TRUE(paused->answer()->component().paused());
  EXPECT_EQ(proto::Component::RUNNING, paused->answer()->component().state());
  EXPECT_FALSE(supervision_->table().IsServing(0)) << "so health sends callers elsewhere";
  auto call = Echo("one");
  auto impatient = Echo("one", After(time_.Now(), absl::Seconds(1)));
  Advance(absl::Minutes(1));
  EXPECT_EQ(0, call->answers());
  EXPECT_TRUE(StatusOf<LifecycleCall::PauseComponent>("name: 'one'").ok()) << "it is so already";
  auto resumed = Ask<LifecycleCall::ResumeComponent>("name: 'one'");
  EXPECT_FALSE(resumed->answer()->component().paused());
  EXPECT_TRUE(call->status().ok()) << "the age in the queue does not count: " << call->status();
  EXPECT_EQ(Code::kDeadlineExceeded, impatient->status().code());
  EXPECT_TRUE(StatusOf<LifecycleCall::ResumeComponent>("name: 'one'").ok());
}

TEST_F(PauseTest, WhenAPausedOneIsStopped_ItsQueueIsAnsweredFirst) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  Ask<LifecycleCall::PauseComponent>("name: 'one'");
  auto call = Echo("one");
  EXPECT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'one'").ok());
  EXPECT_TRUE(call->status().ok());
}

TEST_F(PauseTest, WhenAPausedOneIsRestarted_IsNoLongerPaused) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  Ask<LifecycleCall::PauseComponent>("name: 'one'");
  auto restarted = Ask<LifecycleCall::RestartComponent>("name: 'one'");
  EXPECT_FALSE(restarted->answer()->component().paused());
  auto call = Echo("one");
  Settle();
  EXPECT_TRUE(call->status().ok());
}

TEST_F(PauseTest, WhenItDoesNotRun_PausesAndDrainsAreFailedPreconditions) {
  Add("one", {}, {}, [](ComponentConfig& config) { config.autostart = false; });
  ASSERT_TRUE(Start().ok());
  for (const absl::Status& status : {StatusOf<LifecycleCall::PauseComponent>("name: 'one'"),
                                     StatusOf<LifecycleCall::ResumeComponent>("name: 'one'"),
                                     StatusOf<LifecycleCall::DrainComponent>("name: 'one'"),
                                     StatusOf<LifecycleCall::UndrainComponent>("name: 'one'")}) {
    EXPECT_EQ(Code::kFailedPrecondition, status.code());
    EXPECT_EQ("component \"one\" is STOPPED: not started; this is for one that is RUNNING",
              status.message());
  }
}

// --- drain of one component ----------------------------------------------------------------------

class DrainOneTest : public testing::SteppedTest {
 protected:
  void SetUp() override {
    Add("one", {}, box_.hooks());
    ASSERT_TRUE(Start().ok());
  }
  void TearDown() override { box_.Clear(); }

  void Crash() {
    supervision_->table().mailbox(NumberOf("one")).Post(Status("one").generation, [] {
      throw std::runtime_error("broken");
    });
    Settle();
  }
  void AnswerNext() { box_.Take<EchoCall>().reply.Send(trial::v1::EchoResponse()); }

  CallBox box_;
};

TEST_F(DrainOneTest, WhenNothingIsAccepted_IsDrainedAtOnce) {
  auto drained = Ask<LifecycleCall::DrainComponent>("name: 'one'");
  ASSERT_TRUE(drained->status().ok());
  EXPECT_TRUE(drained->answer()->component().draining());
  EXPECT_EQ("RUNNING", StateName("one"));
  EXPECT_FALSE(supervision_->table().IsServing(0));
}

TEST_F(DrainOneTest, WhenCallsAreInFlight_AnswersWhenTheyAreAnswered) {
  auto first = Echo("one");
  auto second = Echo("one");
  Settle();
  auto drained = Ask<LifecycleCall::DrainComponent>("name: 'one'");
  auto also = Ask<LifecycleCall::DrainComponent>("name: 'one'");
  auto refused = Echo("one");
  EXPECT_EQ("component \"one\": RUNNING: draining", refused->status().message());
  EXPECT_EQ(Code::kUnavailable, refused->status().code());
  Advance(absl::Seconds(10));
  EXPECT_EQ(0, drained->answers());
  AnswerNext();
  Advance(absl::Seconds(1));
  EXPECT_EQ(0, drained->answers());
  AnswerNext();
  Advance(absl::Milliseconds(10));
  EXPECT_TRUE(drained->status().ok()) << drained->status();
  EXPECT_TRUE(also->status().ok());
  EXPECT_TRUE(first->status().ok());
  EXPECT_TRUE(second->status().ok());
}

TEST_F(DrainOneTest, WhenCallsAreQueued_AnswersThemFirst) {
  loops_.Hold("one");
  auto queued = Echo("one");
  auto drained = Ask<LifecycleCall::DrainComponent>("name: 'one'");
  EXPECT_EQ(0, drained->answers());
  loops_.LetGo("one");
  EXPECT_EQ(0, drained->answers());
  AnswerNext();
  Advance(absl::Milliseconds(10));
  EXPECT_TRUE(drained->status().ok());
  EXPECT_TRUE(queued->status().ok());
}

TEST_F(DrainOneTest, WhenUndrained_AdmitsCallsAndAbortsTheDrain) {
  auto held = Echo("one");
  Settle();
  auto drained = Ask<LifecycleCall::DrainComponent>("name: 'one'");
  const int changes = changes_;
  auto undrained = Ask<LifecycleCall::UndrainComponent>("name: 'one'");
  EXPECT_FALSE(undrained->answer()->component().draining());
  EXPECT_GT(changes_, changes) << "health hears of it";
  EXPECT_EQ(Code::kAborted, drained->status().code());
  EXPECT_EQ("component \"one\" is no longer draining", drained->status().message());
  auto call = Echo("one");
  Settle();
  AnswerNext();
  AnswerNext();
  EXPECT_TRUE(held->status().ok());
  EXPECT_TRUE(call->status().ok());
  EXPECT_TRUE(StatusOf<LifecycleCall::UndrainComponent>("name: 'one'").ok()) << "it is so already";
}

TEST_F(DrainOneTest, WhenDrainedAndUndrainedAgainAndAgain_IsAskedNoMoreOften) {
  auto held = Echo("one");
  Settle();
  const auto work_in_a_second = [this] {
    const int before = loops_.work();
    Advance(absl::Seconds(1));
    return loops_.work() - before;
  };
  auto drained = Ask<LifecycleCall::DrainComponent>("name: 'one'");
  const int work = work_in_a_second();
  EXPECT_GT(work, 0) << "it asks whether the call is over";
  for (int i = 0; i < 20; ++i) {
    Ask<LifecycleCall::UndrainComponent>("name: 'one'");
    drained = Ask<LifecycleCall::DrainComponent>("name: 'one'");
  }
  work_in_a_second();
  EXPECT_EQ(work, work_in_a_second());
  AnswerNext();
  Advance(absl::Milliseconds(10));
  EXPECT_TRUE(drained->status().ok());
}

TEST_F(DrainOneTest, WhenItStopsMeanwhile_TheDrainIsAborted) {
  auto held = Echo("one");
  Settle();
  auto drained = Ask<LifecycleCall::DrainComponent>("name: 'one'");
  Ask<LifecycleCall::StopComponent>("name: 'one'");
  EXPECT_EQ(Code::kAborted, drained->status().code());
  AnswerNext();
  auto started = Ask<LifecycleCall::StartComponent>("name: 'one'");
  EXPECT_FALSE(started->answer()->component().draining());
  auto call = Echo("one");
  Settle();
  AnswerNext();
  EXPECT_TRUE(call->status().ok());
}

TEST_F(DrainOneTest, WhenItIsPaused_IsRefused) {
  Ask<LifecycleCall::PauseComponent>("name: 'one'");
  const absl::Status status = StatusOf<LifecycleCall::DrainComponent>("name: 'one'");
  EXPECT_EQ(Code::kFailedPrecondition, status.code());
  EXPECT_EQ("component \"one\" is paused, so its queue stays; resume it first", status.message());
  EXPECT_FALSE(Status("one").draining);
}

TEST_F(DrainOneTest, WhenTheCallerGoes_StaysDraining) {
  auto held = Echo("one");
  Settle();
  auto drained = Ask<LifecycleCall::DrainComponent>("name: 'one'");
  drained->MarkCancelled();
  Advance(absl::Seconds(1));
  EXPECT_TRUE(Status("one").draining);
  AnswerNext();
  EXPECT_TRUE(StatusOf<LifecycleCall::DrainComponent>("name: 'one'").ok());
}

TEST_F(DrainOneTest, WhenADrainedOneFails_StaysDrainedUntilItIsUndrained) {
  auto held = Echo("one");
  auto queued = Echo("one");
  Settle();
  auto drained = Ask<LifecycleCall::DrainComponent>("name: 'one'");
  Crash();
  EXPECT_EQ("BACKOFF", StateName("one"));
  EXPECT_EQ("component \"one\" failed meanwhile; it stays drained, so ask again",
            drained->status().message());
  EXPECT_EQ("component \"one\": BACKOFF: draining", Echo("one")->status().message());
  Advance(absl::Seconds(1));
  EXPECT_EQ("RUNNING", StateName("one"));
  EXPECT_TRUE(Status("one").draining);
  EXPECT_EQ("component \"one\": RUNNING: draining", Echo("one")->status().message());
  EXPECT_FALSE(supervision_->table().IsServing(0));
  box_.Clear();
  EXPECT_TRUE(StatusOf<LifecycleCall::UndrainComponent>("name: 'one'").ok());
  auto call = Echo("one");
  Settle();
  AnswerNext();
  EXPECT_TRUE(call->status().ok());
}

TEST_F(DrainOneTest, WhenItIsUndrainedInItsBackoff_CallsWaitForTheNextInstance) {
  Ask<LifecycleCall::DrainComponent>("name: 'one'");
  Crash();
  EXPECT_EQ(Code::kFailedPrecondition,
            StatusOf<LifecycleCall::PauseComponent>("name: 'one'").code());
  EXPECT_TRUE(StatusOf<LifecycleCall::UndrainComponent>("name: 'one'").ok());
  auto call = Echo("one");
  EXPECT_EQ(0, call->answers()) << call->status();
  Advance(absl::Seconds(1));
  AnswerNext();
  EXPECT_TRUE(call->status().ok());
}

TEST_F(DrainOneTest, WhenADrainedOneIsStartedOrRestartedByName_IsNoLongerDrained) {
  Ask<LifecycleCall::DrainComponent>("name: 'one'");
  EXPECT_TRUE(StatusOf<LifecycleCall::StartComponent>("name: 'one'").ok());
  EXPECT_TRUE(Status("one").draining) << "it was RUNNING, so nothing was done";
  EXPECT_FALSE(
      Ask<LifecycleCall::RestartComponent>("name: 'one'")->answer()->component().draining());
  Ask<LifecycleCall::DrainComponent>("name: 'one'");
  Crash();
  EXPECT_FALSE(Ask<LifecycleCall::StartComponent>("name: 'one'")->answer()->component().draining());
  auto call = Echo("one");
  Settle();
  AnswerNext();
  EXPECT_TRUE(call->status().ok());
}

TEST_F(DrainOneTest, WhenTooManyWaitForIt_MoreAreRefused) {
  auto held = Echo("one");
  Settle();
  std::vector<testing::Record<proto::DrainComponentResponse>> drains;
  for (size_t i = 0; i < Operations::kMostCallers; ++i) {
    drains.push_back(Send<LifecycleCall::DrainComponent>("name: 'one'"));
    if (i % 500 == 0) Settle();
  }
  EXPECT_EQ(Code::kResourceExhausted,
            StatusOf<LifecycleCall::DrainComponent>("name: 'one'").code());
  drains.front()->MarkCancelled();
  EXPECT_EQ(0, Ask<LifecycleCall::DrainComponent>("name: 'one'")->answers());
  AnswerNext();
  Advance(absl::Milliseconds(10));
  EXPECT_TRUE(drains.back()->status().ok());
}

// --- watch ---------------------------------------------------------------------------------------

TEST_F(WatchTest, WhenWatched_TellsEachChangeInOrder) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  auto watch = Follow<LifecycleCall::WatchComponents>();
  ASSERT_THAT(watch->messages, SizeIs(1));
  EXPECT_EQ("first", watch->messages[0].snapshot().incarnation());
  EXPECT_EQ(2u, watch->messages[0].snapshot().sequence());
  EXPECT_EQ(proto::Component::RUNNING, watch->messages[0].snapshot().components(0).state());
  Ask<LifecycleCall::RestartComponent>("name: 'one'");
  std::vector<std::string> events;
  for (size_t i = 1; i < watch->messages.size(); ++i) {
    const proto::Event& event = watch->messages[i].event();
    events.push_back(absl::StrCat(event.sequence(), " ", proto::Component::State_Name(event.to()),
                                  " ", event.generation(), " ", event.reason()));
  }
  EXPECT_THAT(events, ElementsAre("3 STOPPING 1 asked to restart", "4 STOPPED 1 asked to restart",
                                  "5 STARTING 2 asked to restart", "6 RUNNING 2 started"));
  auto resumed = Follow<LifecycleCall::WatchComponents>("incarnation: 'first' after_sequence: 4");
  ASSERT_THAT(resumed->messages, SizeIs(2));
  EXPECT_EQ(5u, resumed->messages[0].event().sequence());
}

TEST_F(WatchTest, WhenPausedAndDrained_TellsThatTooAndCanBeResumed) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  auto watch = Follow<LifecycleCall::WatchComponents>();
  for (int i = 0; i < 2; ++i) Ask<LifecycleCall::PauseComponent>("name: 'one'");
  for (int i = 0; i < 2; ++i) Ask<LifecycleCall::ResumeComponent>("name: 'one'");
  for (int i = 0; i < 2; ++i) Ask<LifecycleCall::DrainComponent>("name: 'one'");
  for (int i = 0; i < 2; ++i) Ask<LifecycleCall::UndrainComponent>("name: 'one'");
  Ask<LifecycleCall::DrainComponent>("name: 'one'");
  Ask<LifecycleCall::StopComponent>("name: 'one'");
  const auto texts = [](const auto& messages) {
    std::vector<std::string> texts;
    for (const auto& message : messages) {
      const proto::Event& event = message.event();
      if (!message.has_event()) continue;
      texts.push_back(absl::StrCat(event.sequence(), " ", proto::Event::Kind_Name(event.kind()),
                                   " ", proto::Component::State_Name(event.from()), " ",
                                   proto::Component::State_Name(event.to()), " ", event.reason()));
    }
    return texts;
  };
  EXPECT_THAT(
      texts(watch->messages),
      ElementsAre(
          "3 PAUSE RUNNING RUNNING asked to pause", "4 RESUME RUNNING RUNNING asked to resume",
          "5 DRAIN RUNNING RUNNING asked to drain", "6 UNDRAIN RUNNING RUNNING asked to undrain",
          "7 DRAIN RUNNING RUNNING asked to drain", "8 STATE RUNNING STOPPING asked to stop",
          "9 UNDRAIN STOPPING STOPPING asked to stop", "10 STATE STOPPING STOPPED asked to stop"));
  auto resumed = Follow<LifecycleCall::WatchComponents>("incarnation: 'first' after_sequence: 8");
  EXPECT_THAT(texts(resumed->messages), ElementsAre("9 UNDRAIN STOPPING STOPPING asked to stop",
                                                    "10 STATE STOPPING STOPPED asked to stop"));
}

TEST_F(WatchTest, WhenThereAreTooManyWatchers_IsResourceExhausted) {
  max_watchers_ = 1;
  Add("one");
  ASSERT_TRUE(Start().ok());
  auto first = Follow<LifecycleCall::WatchComponents>();
  auto second = Follow<LifecycleCall::WatchComponents>();
  ASSERT_THAT(second->endings, SizeIs(1));
  EXPECT_EQ(Code::kResourceExhausted, second->endings[0].code());
  first->MarkCancelled();
  Settle();
  EXPECT_THAT(Follow<LifecycleCall::WatchComponents>()->messages, SizeIs(1));
}

// --- drain of the host ---------------------------------------------------------------------------

TEST_F(DrainHostTest, WhenTheHostIsDrained_ReportsUntilItIsOver) {
  Add("one");
  Add("two");
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  Echo("one");
  Advance(absl::Seconds(2));
  progress_.set_phase(proto::DrainProgress::LAME_DUCK);
  progress_.set_trigger("Lifecycle.Drain");
  auto drain = Follow<LifecycleCall::Drain>();
  EXPECT_EQ(1, drains_);
  ASSERT_THAT(drain->messages, SizeIs(1));
  const proto::DrainProgress& progress = drain->messages[0].progress();
  EXPECT_EQ(proto::DrainProgress::LAME_DUCK, progress.phase());
  EXPECT_EQ("Lifecycle.Drain", progress.trigger());
  EXPECT_EQ(1u, progress.queued_calls());
  EXPECT_EQ(2, progress.oldest_call().seconds());
  EXPECT_THAT(progress.components_up(), ElementsAre("one", "two"));
  Advance(absl::Milliseconds(100));
  EXPECT_THAT(drain->messages, SizeIs(2));
  loops_.LetGo("one");
  Stop();
  progress_.set_phase(proto::DrainProgress::OVER);
  EXPECT_THAT(drain->endings, IsEmpty());
  supervision_->BeginEndDrainStreams([] {});
  Settle();
  EXPECT_EQ(proto::DrainProgress::OVER, drain->messages.back().progress().phase());
  EXPECT_THAT(drain->messages.back().progress().components_up(), IsEmpty());
  EXPECT_THAT(drain->endings, ElementsAre(absl::OkStatus()));
  const size_t reports = drain->messages.size();
  Advance(absl::Seconds(10));
  EXPECT_THAT(drain->messages, SizeIs(reports));
}

TEST_F(DrainHostTest, WhenADrainsCallerIsSlowOrGone_TheOthersAreToldOn) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  auto slow = Follow<LifecycleCall::Drain>("", /*room=*/1);
  auto gone = Follow<LifecycleCall::Drain>();
  auto quick = Follow<LifecycleCall::Drain>();
  EXPECT_EQ(3, drains_) << "the trigger is pulled to the first notch each time";
  gone->MarkCancelled();
  Advance(absl::Seconds(1));
  EXPECT_THAT(slow->messages, SizeIs(1));
  EXPECT_GE(quick->messages.size(), 10u);
  EXPECT_LE(gone->messages.size(), 2u);
  slow->room = 100;
  Advance(absl::Milliseconds(100));
  EXPECT_THAT(slow->messages, SizeIs(2));
}

TEST_F(DrainHostTest, WhenTooManyFollowTheDrain_MoreAreRefused) {
  max_watchers_ = 1;
  Add("one");
  ASSERT_TRUE(Start().ok());
  auto first = Follow<LifecycleCall::Drain>();
  auto second = Follow<LifecycleCall::Drain>();
  ASSERT_THAT(second->endings, SizeIs(1));
  EXPECT_EQ(Code::kResourceExhausted, second->endings[0].code());
  EXPECT_EQ(2, drains_) << "the drain begins in any case";
  first->MarkCancelled();
  Advance(absl::Milliseconds(100));
  EXPECT_THAT(Follow<LifecycleCall::Drain>()->messages, SizeIs(1));
}

TEST_F(DrainHostTest, WhenTheDrainStatusIsAskedFor_TellsItOnce) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  auto status = Ask<LifecycleCall::GetDrainStatus>();
  EXPECT_EQ(proto::DrainProgress::SERVING, status->answer()->progress().phase());
  EXPECT_THAT(status->answer()->progress().components_up(), ElementsAre("one"));
  EXPECT_EQ(0, drains_);
}

TEST_F(DrainHostTest, WhenShutDownNow_AnswersAtOnce) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  EXPECT_TRUE(StatusOf<LifecycleCall::ShutdownNow>("").ok());
  EXPECT_EQ(1, shutdowns_);
}

}  // namespace
}  // namespace mainspring
