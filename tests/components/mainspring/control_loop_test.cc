#include "mainspring/control_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ControlLoopTest : public ::testing::Test {
 protected:
  Script script_;
  Stepped<SpeakerRequest> host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, script_); }};
  const SpeakerRef ref_{host_.mailbox};
};

TEST_F(ControlLoopTest, StartServeStop_InThisOrder) {
  std::vector<std::string> steps;
  script_.construct = [&](Context&) { steps.push_back("construct"); };
  script_.start = [&](Context&) {
    steps.push_back("start");
    return absl::OkStatus();
  };
  script_.say = [&](Context&, SayCall call) {
    steps.push_back("say");
    call.reply.Send(std::move(call.request));
  };
  script_.stop = [&](Context&) { steps.push_back("stop"); };

  host_.Start();
  Answer<Word> answer = ref_.Say("hello");
  host_.RunReady();
  EXPECT_EQ(AnswerNow(std::move(answer))->text, "hello");
  host_.Stop();

  EXPECT_THAT(steps, ElementsAre("construct", "start", "say", "stop"));
  EXPECT_EQ(script_.destroyed, 1);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 0"));
}

TEST_F(ControlLoopTest, RunReady_BeforeAStart_DoesNothing) {
  EXPECT_TRUE(host_.RunReady());
  EXPECT_EQ(script_.constructed, 0);
  EXPECT_EQ(host_.loop->next_wake(), kNever);
  EXPECT_EQ(AnswerNow(ref_.Say("early")).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ControlLoopTest, Start_WhenItRunsAlready_ReportsAndMakesNoOther) {
  host_.Start();
  host_.Start();
  EXPECT_EQ(script_.constructed, 1);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "started"));
}

TEST_F(ControlLoopTest, Start_WithAnError_DestroysTheInstanceAndKeepsTheQueue) {
  script_.start = [](Context&) { return absl::NotFoundError("no file"); };
  host_.mailbox->Open();
  Answer<Word> answer = ref_.Say("patient");
  host_.Start();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("not started: NOT_FOUND: no file"));
  EXPECT_EQ(script_.destroyed, 1);
  EXPECT_EQ(script_.stopped, 0);

  script_.start = [](Context&) { return absl::OkStatus(); };
  host_.Start();
  EXPECT_EQ(AnswerNow(std::move(answer))->text, "patient");
}

TEST(ControlLoop, Start_OfAClassThatAnswersAnotherEnum_IsRefused) {
  struct Mute final : Component {
    using Component::Component;
  };
  Stepped<SpeakerRequest> host([](Context& context) { return std::make_unique<Mute>(context); });
  host.Start();
  ASSERT_EQ(host.lifecycle.events().size(), 1u);
  EXPECT_THAT(host.lifecycle.events()[0], HasSubstr("not started: INTERNAL"));
}

TEST_F(ControlLoopTest, InstanceNumber_IsOneMoreAtEachStart) {
  std::vector<uint64_t> instances;
  script_.construct = [&](Context& context) {
    instances.push_back(context.instance());
    EXPECT_EQ(context.name(), "subject");
  };
  for (int i = 0; i < 3; ++i) {
    host_.Start();
    host_.Stop();
  }
  EXPECT_THAT(instances, ElementsAre(1, 2, 3));
}

TEST_F(ControlLoopTest, QueuedWhileStarting_IsServedHoweverLongStartTook) {
  script_.start = [this](Context&) {
    host_.time.Advance(absl::Seconds(20));  // longer than the queue age
    return absl::OkStatus();
  };
  host_.mailbox->Open();
  Answer<Word> answer = ref_.Say("patient");
  host_.Start();
  EXPECT_TRUE(AnswerNow(std::move(answer)).ok());
}

TEST_F(ControlLoopTest, Control_WithCallsQueued_ComesFirst) {
  std::vector<std::string> order;
  script_.say = [&](Context&, SayCall call) {
    order.push_back(call.request.text);
    if (call.request.text == "a") {
      host_.mailbox->Post(1, [&] { order.push_back("control"); });
    }
  };
  host_.Start();
  Answer<Word> a = ref_.Say("a"), b = ref_.Say("b");
  host_.RunReady();
  EXPECT_THAT(order, ElementsAre("a", "control", "b"));
}

TEST_F(ControlLoopTest, Stop_WithCallsQueued_AnswersThemFirst) {
  host_.Start();
  Answer<Word> a = ref_.Say("a"), b = ref_.Say("b");
  script_.stop = [&](Context&) { EXPECT_THAT(script_.said, ElementsAre("a", "b")); };
  host_.Stop();
  EXPECT_TRUE(AnswerNow(std::move(a)).ok());
  EXPECT_TRUE(AnswerNow(std::move(b)).ok());
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 0"));
}

TEST_F(ControlLoopTest, Stop_AtItsDeadline_RefusesTheRestUnavailable) {
  script_.say = [this](Context&, SayCall call) {
    host_.time.Advance(absl::Seconds(3));
    call.reply.Send(std::move(call.request));
  };
  host_.Start();
  std::vector<Answer<Word>> answers;
  for (const char* text : {"a", "b", "c", "d"}) answers.push_back(ref_.Say(text));
  host_.Stop(absl::Seconds(5));
  EXPECT_THAT(script_.said, ElementsAre("a", "b"));
  for (int i : {2, 3}) {
    const absl::Status status = AnswerNow(std::move(answers[i])).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr("component \"subject\""));
  }
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 2"));
}

TEST_F(ControlLoopTest, Stop_FromItsBeginning_RefusesNewCalls) {
  std::vector<Answer<Word>> late;
  script_.say = [&](Context&, SayCall call) {
    late.push_back(ref_.Say("late"));
    call.reply.Send(std::move(call.request));
  };
  host_.Start();
  Answer<Word> queued = ref_.Say("queued");
  host_.Stop();
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok());
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(AnswerNow(std::move(late[0])).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ControlLoopTest, Stop_WhenNothingRuns_ReportsAtOnceAndRefusesTheQueue) {
  host_.mailbox->Open();
  Answer<Word> answer = ref_.Say("x");
  host_.Stop();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("stopped, refused 1"));
  EXPECT_EQ(AnswerNow(std::move(answer)).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ControlLoopTest, Stop_Twice_KeepsTheEarlierDeadline) {
  script_.say = [this](Context&, SayCall) { host_.time.Advance(absl::Seconds(1)); };
  host_.Start();
  std::vector<Answer<Word>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(ref_.Say("x"));
  host_.mailbox->PushControl(StopRequest{After(host_.time.Now(), absl::Seconds(2))});
  host_.Stop(absl::Seconds(20));
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 8"));
}

TEST(ControlLoop, Stop_WithRepliesKept_AnswersThem) {
  struct Keeper final : Component, Handler<SpeakerRequest> {
    using Component::Component;
    void Handle(SpeakerRequest&& request) override { kept.push_back(std::move(request)); }
    std::vector<SpeakerRequest> kept;
  };
  Stepped<SpeakerRequest> host([](Context& context) { return std::make_unique<Keeper>(context); });
  host.Start();
  Answer<Word> answer = SpeakerRef(host.mailbox).Say("x");
  host.Stop();
  EXPECT_EQ(AnswerNow(std::move(answer)).status(),
            absl::InternalError("the component dropped the request"));
}

TEST_F(ControlLoopTest, Refuse_AnswersTheQueueWithItsReason) {
  host_.mailbox->Open();
  Answer<Word> answer = ref_.Say("x");
  host_.mailbox->PushControl(RefuseRequest{absl::UnavailableError("it failed for good")});
  host_.RunReady();
  EXPECT_EQ(AnswerNow(std::move(answer)).status(), absl::UnavailableError("it failed for good"));
}

TEST_F(ControlLoopTest, Quit_DestroysWithoutStopAndSaysFalse) {
  host_.Start();
  host_.mailbox->PushControl(QuitRequest{});
  EXPECT_FALSE(host_.RunReady());
  EXPECT_FALSE(host_.RunReady());
  EXPECT_EQ(script_.destroyed, 1);
  EXPECT_EQ(script_.stopped, 0);
}

TEST_F(ControlLoopTest, Quit_BeforeAStart_IsTheEnd) {
  host_.mailbox->PushControl(QuitRequest{});
  host_.mailbox->PushControl(StartRequest{});
  EXPECT_FALSE(host_.RunReady());
  EXPECT_EQ(script_.constructed, 0);
}

TEST_F(ControlLoopTest, Destroyed_RefusesWhatIsQueuedAndWhatComes) {
  host_.Start();
  Answer<Word> queued = ref_.Say("queued");
  host_.loop.reset();
  EXPECT_EQ(script_.destroyed, 1);
  EXPECT_EQ(AnswerNow(std::move(queued)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(AnswerNow(ref_.Say("late")).status().code(), absl::StatusCode::kUnavailable);
}

// A callback may hold the right to answer: left in the lane for ever, its caller waits for ever.
TEST_F(ControlLoopTest, Destroyed_DropsTheCallbacksInItsLane) {
  host_.Start();
  ReplyRecord<Word> before, after;
  host_.mailbox->Post(1, [reply = Reply<Word>(&before)] {});
  host_.loop.reset();
  EXPECT_EQ(before.answers(), 1) << "posted before the end";
  host_.mailbox->Post(1, [reply = Reply<Word>(&after)] {});
  EXPECT_EQ(after.answers(), 1) << "posted after the end";
  // So that the mailbox does not answer what is gone by then.
  host_.mailbox->TakeControl();
}

TEST_F(ControlLoopTest, Callback_OfAnOldInstance_IsDestroyedAndNotRun) {
  host_.Start();
  host_.Stop();
  host_.Start();
  const auto held = std::make_shared<int>(0);
  std::vector<int> ran;
  host_.mailbox->Post(1, [held, &ran] { ran.push_back(1); });
  host_.mailbox->Post(2, [held, &ran] { ran.push_back(2); });
  host_.RunReady();
  EXPECT_THAT(ran, ElementsAre(2));
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(ControlLoopTest, Timer_OfAnOldInstance_DoesNotRun) {
  int ran = 0;
  script_.start = [&](Context& context) {
    context.After(absl::Seconds(1), [&ran] { ++ran; });
    context.Every(absl::Seconds(1), [&ran] { ++ran; });
    return absl::OkStatus();
  };
  host_.Start();
  EXPECT_EQ(host_.loop->next_wake(), After(host_.time.Now(), absl::Seconds(1)));
  host_.Stop();
  EXPECT_EQ(host_.loop->next_wake(), kNever);
  host_.Advance(absl::Seconds(10));
  EXPECT_EQ(ran, 0);
}

TEST_F(ControlLoopTest, Timer_ThatTakesLongerThanItsInterval_LetsCallsThrough) {
  int runs = 0, runs_before_the_call = 0;
  script_.start = [&](Context& context) {
    context.Every(absl::Milliseconds(1), [&] {
      host_.time.Advance(absl::Milliseconds(2));
      // What would be for ever.
      if (++runs == 1000) host_.mailbox->PushControl(QuitRequest{});
    });
    return absl::OkStatus();
  };
  script_.say = [&](Context&, SayCall call) {
    runs_before_the_call = runs;
    call.reply.Send(std::move(call.request));
    host_.mailbox->PushControl(QuitRequest{});
  };
  host_.Start();
  Answer<Word> answer = ref_.Say("x");
  host_.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(AnswerNow(std::move(answer)).ok());
  EXPECT_LT(runs_before_the_call, 10);
}

TEST_F(ControlLoopTest, NextWake_WhileStopping_IsNoLaterThanTheDeadline) {
  host_.Start();
  host_.mailbox->PushControl(StopRequest{After(host_.time.Now(), absl::Seconds(5))});
  script_.stop = [this](Context&) {
    EXPECT_EQ(host_.loop->next_wake(), After(host_.time.Now(), absl::Seconds(5)));
  };
  host_.RunReady();
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_EQ(host_.loop->next_wake(), kNever);
}

}  // namespace
}  // namespace mainspring::testing
