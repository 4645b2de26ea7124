#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/control_loop.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PausedLoopTest : public ::testing::Test {
 protected:
  Script script_;
  Stepped<SpeakerRequest> host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, script_); }};
  const SpeakerRef ref_{host_.mailbox};
};

TEST_F(PausedLoopTest, Pause_LetsCallsWaitForTheResume) {
  host_.Start();
  host_.Send(control::Pause{});
  Answer<Word> waiting = ref_.Say("waiting");
  EXPECT_FALSE(host_.loop->RunNext());
  EXPECT_THAT(script_.said, IsEmpty());
  EXPECT_EQ(host_.loop->next_wake(), kNever);
  host_.Send(control::Resume{});
  EXPECT_TRUE(AnswerNow(std::move(waiting)).ok());
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started"));
}

TEST_F(PausedLoopTest, Pause_LeavesAllButCallsRunning) {
  std::vector<std::string> ran;
  script_.start = [&](Context& context) {
    context.Every(absl::Seconds(1), [&] { ran.push_back("timer"); });
    return absl::OkStatus();
  };
  script_.dependency_changed = [&](Context&, const std::string&, bool) {
    ran.push_back("dependency");
  };
  host_.Start();
  host_.Send(control::Pause{});
  Answer<Word> waiting = ref_.Say("waiting");
  EXPECT_EQ(host_.loop->next_wake(), After(host_.time.Now(), absl::Seconds(1)));
  host_.Advance(absl::Seconds(1));
  host_.Send(control::Run{1, [&] { ran.push_back("callback"); }});
  host_.Send(control::Dependency{"mail", false});
  host_.Advance(absl::Seconds(1));
  EXPECT_THAT(ran, ElementsAre("timer", "callback", "dependency", "timer"));
  EXPECT_THAT(script_.said, IsEmpty());
}

TEST_F(PausedLoopTest, Pause_Twice_EndsWithOneResume) {
  host_.Start();
  host_.Send(control::Pause{});
  host_.Send(control::Pause{});
  Answer<Word> waiting = ref_.Say("waiting");
  host_.Send(control::Resume{});
  EXPECT_TRUE(AnswerNow(std::move(waiting)).ok());
}

TEST_F(PausedLoopTest, Pause_WithoutAnInstance_DoesNothing) {
  host_.Send(control::Pause{});
  host_.Start();
  Answer<Word> answer = ref_.Say("x");
  host_.RunReady();
  EXPECT_TRUE(AnswerNow(std::move(answer)).ok());
}

TEST_F(PausedLoopTest, Stop_AfterALongPause_AnswersTheQueue) {
  host_.Start();
  host_.Send(control::Pause{});
  Answer<Word> waiting = ref_.Say("waiting");
  host_.Advance(absl::Hours(1));
  host_.Stop();
  EXPECT_EQ(AnswerNow(std::move(waiting)).status(), absl::OkStatus());
}

TEST_F(PausedLoopTest, Pause_EndsWithItsInstance) {
  host_.Start();
  host_.Send(control::Pause{});
  Answer<Word> waiting = ref_.Say("waiting");
  host_.Send(control::Discard{});
  host_.Start();
  EXPECT_TRUE(AnswerNow(std::move(waiting)).ok());
}

TEST_F(PausedLoopTest, Pause_WhileAStopIsUnderWay_DoesNotHoldItUp) {
  host_.Start();
  Answer<Word> queued = ref_.Say("queued");
  PushStop(*host_.mailbox, After(host_.time.Now(), absl::Seconds(5)));
  host_.Send(control::Pause{});
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok());
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 0"));
}

TEST_F(PausedLoopTest, Stop_WhilePaused_AnswersTheQueue) {
  host_.Start();
  host_.Send(control::Pause{});
  Answer<Word> waiting = ref_.Say("waiting");
  host_.Stop();
  EXPECT_TRUE(AnswerNow(std::move(waiting)).ok());
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 0"));
}

TEST_F(PausedLoopTest, QueueAge_OfCallsThatWaitedForAResume_CountsFromThere) {
  script_.say = [this](Context&, SayCall call) {
    host_.time.Advance(MailboxOptions().max_queue_age);
    call.reply.Send(std::move(call.request));
  };
  host_.Start();
  host_.Send(control::Pause{});
  Answer<Word> first = ref_.Say("first"), second = ref_.Say("second");
  host_.Advance(absl::Hours(1));
  host_.Send(control::Resume{});
  EXPECT_TRUE(AnswerNow(std::move(first)).ok());
  EXPECT_EQ(AnswerNow(std::move(second)).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(PausedLoopTest, QueueAge_AtAResumeWithoutAPause_IsWhatItWas) {
  host_.Start();
  Answer<Word> old = ref_.Say("old");
  host_.time.Advance(MailboxOptions().max_queue_age);
  host_.Send(control::Resume{});
  EXPECT_EQ(AnswerNow(std::move(old)).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(PausedLoopTest, Deadline_OfACallWhilePaused_Counts) {
  host_.Start();
  host_.Send(control::Pause{});
  Answer<Word> late = ref_.Say("late", {.deadline = After(host_.time.Now(), absl::Seconds(1))});
  host_.Advance(absl::Seconds(1));
  host_.Send(control::Resume{});
  EXPECT_EQ(AnswerNow(std::move(late)).status().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace mainspring::testing
