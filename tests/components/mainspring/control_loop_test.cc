#include "mainspring/control_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
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
using ::testing::StartsWith;

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

TEST_F(ControlLoopTest, Start_WithAnInstance_StopsItAndServesTheQueueWithAnother) {
  host_.Start();
  Answer<Word> queued = ref_.Say("queued");
  script_.stop = [](Context& context) { EXPECT_EQ(context.generation(), 1u); };
  script_.construct = [this](Context&) { EXPECT_EQ(script_.destroyed, 1); };
  host_.Start();
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_EQ(script_.constructed, 2);
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok());
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "started"));
  EXPECT_THAT(host_.lifecycle.generations(), ElementsAre(1, 2));
}

TEST_F(ControlLoopTest, Start_WhileAStopIsUnderWay_ReportsTheStopAndKeepsTheQueue) {
  host_.Start();
  Answer<Word> queued = ref_.Say("queued");
  PushStop(*host_.mailbox, After(host_.time.Now(), absl::Seconds(5)));
  ASSERT_TRUE(host_.loop->RunNext());
  EXPECT_EQ(script_.stopped, 0) << "under way";
  script_.say = [](Context& context, SayCall call) {
    EXPECT_EQ(context.generation(), 2u);
    call.reply.Send(std::move(call.request));
  };
  host_.Start();
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok());
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 0", "started"));
  EXPECT_THAT(host_.lifecycle.generations(), ElementsAre(1, 1, 2));
  EXPECT_EQ(host_.loop->next_wake(), kNever) << "nothing is left of the stop";
}

TEST_F(ControlLoopTest, Start_RightAfterAStopOfNothing_KeepsTheQueueToo) {
  host_.mailbox->Open();
  Answer<Word> queued = ref_.Say("queued");
  PushStop(*host_.mailbox, After(host_.time.Now(), absl::Seconds(5)));
  host_.Start();
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok());
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("stopped, refused 0", "started"));
}

TEST_F(ControlLoopTest, StartAndStop_LeaveTheMailboxOpenOrClosedAsItIs) {
  host_.Send(control::Start{1});
  EXPECT_TRUE(host_.mailbox->closed());
  host_.mailbox->Open();
  Answer<Word> queued = ref_.Say("queued");
  host_.Send(control::Stop{kNever, absl::UnavailableError("stopped")});
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok());
  EXPECT_FALSE(host_.mailbox->closed());
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

TEST_F(ControlLoopTest, Start_OfOneThatFailedInItsConstructor_DoesNotCallItsStart) {
  script_.construct = [](Context& context) { context.Need<SpeakerRef>("nobody"); };
  script_.start = [](Context&) -> absl::Status {
    ADD_FAILURE() << "called";
    return {};
  };
  host_.Start();
  EXPECT_THAT(host_.lifecycle.events(),
              ElementsAre(StartsWith("not started: NOT_FOUND: no component \"nobody\"")));
  EXPECT_EQ(script_.destroyed, 1);
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

TEST_F(ControlLoopTest, Generation_IsTheOneThatTheStartSays) {
  std::vector<uint64_t> generations;
  script_.construct = [&](Context& context) {
    generations.push_back(context.generation());
    EXPECT_EQ(context.name(), "subject");
  };
  for (uint64_t generation : {1, 2, 40}) {
    PushStart(*host_.mailbox, generation);
    host_.Stop();
  }
  EXPECT_THAT(generations, ElementsAre(1, 2, 40));
}

TEST_F(ControlLoopTest, Reports_SayOfWhichGenerationTheyAre) {
  host_.Stop();
  script_.start = [](Context& context) {
    return context.generation() == 1 ? absl::NotFoundError("no file") : absl::OkStatus();
  };
  script_.dependency_changed = [](Context& context, const std::string&, bool) {
    if (context.generation() == 2) throw 1;
    context.Finish();
  };
  for (int i = 0; i < 3; ++i) {
    host_.Start();
    host_.Send(control::Dependency{"mail", true});
  }
  host_.Stop();
  EXPECT_THAT(
      host_.lifecycle.events(),
      ElementsAre("stopped, refused 0", "not started: NOT_FOUND: no file", "started",
                  "failed in DependencyChanged", "started", "finished", "stopped, refused 0"));
  EXPECT_THAT(host_.lifecycle.generations(), ElementsAre(0, 1, 2, 2, 3, 3, 3));
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

TEST_F(ControlLoopTest, Stop_AtItsDeadline_RefusesTheRestWithItsReason) {
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
    EXPECT_THAT(std::string(status.message()), HasSubstr("asked to stop"));
  }
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 2"));
}

// Who stops a component closes its mailbox; the loop itself serves whatever comes in time.
TEST_F(ControlLoopTest, Stop_WithTheMailboxLeftOpen_ServesWhatComesUntilItsDeadline) {
  std::vector<Answer<Word>> late;
  script_.say = [&](Context&, SayCall call) {
    host_.time.Advance(absl::Seconds(2));
    late.push_back(ref_.Say("late"));
    call.reply.Send(std::move(call.request));
  };
  host_.Start();
  Answer<Word> queued = ref_.Say("queued");
  const absl::Status why = absl::UnavailableError("stopped");
  host_.Send(control::Stop{After(host_.time.Now(), absl::Seconds(3)), why});
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok());
  ASSERT_EQ(late.size(), 2u);
  EXPECT_TRUE(AnswerNow(std::move(late[0])).ok());
  EXPECT_EQ(AnswerNow(std::move(late[1])).status(), why);
}

TEST_F(ControlLoopTest, Stop_WhenNothingRuns_ReportsAtOnceAndRefusesTheQueue) {
  host_.mailbox->Open();
  Answer<Word> answer = ref_.Say("x");
  host_.Stop();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("stopped, refused 1"));
  EXPECT_EQ(AnswerNow(std::move(answer)).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ControlLoopTest, Stop_Twice_KeepsTheEarlierDeadline) {
  script_.say = [this](Context&, SayCall call) {
    host_.time.Advance(absl::Seconds(1));
    call.reply.Send(std::move(call.request));
  };
  host_.Start();
  std::vector<Answer<Word>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(ref_.Say("x"));
  PushStop(*host_.mailbox, After(host_.time.Now(), absl::Seconds(2)));
  host_.Stop(absl::Seconds(20));
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 8"));
}

TEST(ControlLoop, Stop_WithRepliesKept_WaitsForThemUntilItsDeadline) {
  struct Keeper final : Component, Handler<SpeakerRequest> {
    using Component::Component;
    void Handle(SpeakerRequest&& request) override { kept.push_back(std::move(request)); }
    std::vector<SpeakerRequest> kept;
  };
  Stepped<SpeakerRequest> host([](Context& context) { return std::make_unique<Keeper>(context); });
  host.Start();
  Answer<Word> answer = SpeakerRef(host.mailbox).Say("x");
  host.Stop(absl::Seconds(2));
  EXPECT_THAT(host.lifecycle.events(), ElementsAre("started"));
  host.Advance(absl::Seconds(2));
  EXPECT_THAT(host.lifecycle.events(), ElementsAre("started", "stopped, refused 1"));
  EXPECT_EQ(AnswerNow(std::move(answer)).status(),
            absl::UnavailableError("component \"subject\": STOPPING: asked to stop"));
}

TEST_F(ControlLoopTest, Stop_OnceWhatIsKeptIsAnswered_IsOver) {
  std::optional<SayCall> kept;
  script_.say = [&](Context&, SayCall call) { kept = std::move(call); };
  host_.Start();
  Answer<Word> answer = ref_.Say("x");
  host_.Stop();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started"));
  EXPECT_LT(host_.loop->next_wake(), After(host_.time.Now(), absl::Seconds(1)))
      << "an answer from another thread wakes nobody";
  kept->reply.Send(Word{"x"});
  host_.RunReady();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 0"));
}

TEST_F(ControlLoopTest, RefuseAll_WithoutAnInstance_AnswersTheQueueWithItsReason) {
  host_.mailbox->Open();
  Answer<Word> answer = ref_.Say("x");
  host_.mailbox->RefuseAll(absl::UnavailableError("it failed for good"));
  EXPECT_EQ(AnswerNow(std::move(answer)).status(), absl::UnavailableError("it failed for good"));
}

TEST_F(ControlLoopTest, Discard_StopsTheInstanceAndReportsNothing) {
  script_.start = [](Context& context) {
    context.Every(absl::Seconds(1), [] {});
    return absl::OkStatus();
  };
  host_.Start();
  Answer<Word> queued = ref_.Say("queued");
  EXPECT_TRUE(host_.Send(control::Discard{}));
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_EQ(script_.destroyed, 1);
  EXPECT_THAT(script_.said, IsEmpty());
  EXPECT_EQ(host_.loop->next_wake(), kNever);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started"));
  host_.Start();
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok()) << "it waited for the next instance";
}

TEST_F(ControlLoopTest, Discard_WithoutAnInstance_DoesNothing) {
  host_.mailbox->Open();
  Answer<Word> queued = ref_.Say("queued");
  EXPECT_TRUE(host_.Send(control::Discard{}));
  EXPECT_THAT(host_.lifecycle.events(), IsEmpty());
  host_.Start();
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok());
}

TEST_F(ControlLoopTest, Discard_WhileAStopIsUnderWay_LeavesItTheQueueToRefuse) {
  host_.Start();
  Answer<Word> queued = ref_.Say("queued");
  PushStop(*host_.mailbox, After(host_.time.Now(), absl::Seconds(5)));
  host_.Send(control::Discard{});
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_EQ(AnswerNow(std::move(queued)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 1"));
}

TEST_F(ControlLoopTest, Dependencies_AreToldInOrderAndBeforeCalls) {
  std::vector<std::string> told;
  script_.dependency_changed = [&](Context&, const std::string& component, bool running) {
    EXPECT_TRUE(ReturnAddress::HasCurrent());
    told.push_back(component + (running ? " up" : " down"));
  };
  script_.say = [&](Context&, SayCall call) { told.push_back(call.request.text); };
  host_.Start();
  Answer<Word> answer = ref_.Say("call");
  host_.mailbox->PushControl(control::Dependency{"mail", true});
  host_.mailbox->PushControl(control::Dependency{"disk", true});
  host_.Send(control::Dependency{"mail", false});
  EXPECT_THAT(told, ElementsAre("mail up", "disk up", "mail down", "call"));
}

TEST_F(ControlLoopTest, Dependencies_WithoutAnInstance_AreNotTold) {
  int told = 0;
  script_.dependency_changed = [&](Context&, const std::string&, bool) { ++told; };
  host_.Send(control::Dependency{"mail", true});
  host_.Start();
  host_.Stop();
  host_.Send(control::Dependency{"mail", false});
  host_.Start();
  EXPECT_EQ(told, 0);
}

TEST_F(ControlLoopTest, Quit_DestroysWithoutStopAndSaysFalse) {
  host_.Start();
  EXPECT_FALSE(host_.Send(control::Quit{}));
  EXPECT_FALSE(host_.RunReady());
  EXPECT_FALSE(host_.loop->RunNext());
  EXPECT_EQ(script_.destroyed, 1);
  EXPECT_EQ(script_.stopped, 0);
}

TEST_F(ControlLoopTest, Quit_BeforeAStart_IsTheEnd) {
  host_.mailbox->PushControl(control::Quit{});
  PushStart(*host_.mailbox, 2);
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
      if (++runs == 1000) host_.mailbox->PushControl(control::Quit{});
    });
    return absl::OkStatus();
  };
  script_.say = [&](Context&, SayCall call) {
    runs_before_the_call = runs;
    call.reply.Send(std::move(call.request));
    host_.mailbox->PushControl(control::Quit{});
  };
  host_.Start();
  Answer<Word> answer = ref_.Say("x");
  host_.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(AnswerNow(std::move(answer)).ok());
  EXPECT_LT(runs_before_the_call, 10);
}

TEST_F(ControlLoopTest, RunNext_DoesOneThing) {
  std::vector<std::string> done;
  script_.start = [&](Context& context) {
    for (int i = 0; i < 2; ++i) context.After(absl::Seconds(1), [&] { done.push_back("timer"); });
    return absl::OkStatus();
  };
  script_.say = [&](Context&, SayCall) { done.push_back("call"); };
  host_.Start();
  host_.time.Advance(absl::Seconds(1));
  Answer<Word> first = ref_.Say("x"), second = ref_.Say("y");
  for (int i = 0; i < 2; ++i) host_.mailbox->Post(1, [&] { done.push_back("control"); });
  std::vector<std::vector<std::string>> steps;
  while (host_.loop->RunNext()) steps.push_back(std::exchange(done, {}));
  using Step = std::vector<std::string>;
  EXPECT_THAT(steps, ElementsAre(Step{"control", "control"}, Step{"call"}, Step{"timer"},
                                 Step{"call"}, Step{"timer"}));
}

TEST_F(ControlLoopTest, NextWake_WhileStopping_IsNoLaterThanTheDeadline) {
  host_.Start();
  PushStop(*host_.mailbox, After(host_.time.Now(), absl::Seconds(5)));
  script_.stop = [this](Context&) {
    EXPECT_EQ(host_.loop->next_wake(), After(host_.time.Now(), absl::Seconds(5)));
  };
  host_.RunReady();
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_EQ(host_.loop->next_wake(), kNever);
}

}  // namespace
}  // namespace mainspring::testing
