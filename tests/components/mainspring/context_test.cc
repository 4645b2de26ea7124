#include "mainspring/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mainspring/trial/v1/trial.component.pb.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ContextTest : public ::testing::Test {
 protected:
  ManualTime time_;
  Neighbours neighbours_;
  const std::string name_ = "subject";
  Context context_{name_, 7, {time_, neighbours_}};
};

TEST_F(ContextTest, Find_ByName_IsTheAddressOfThatComponent) {
  auto mailbox = std::make_shared<Mailbox<SpeakerRequest>>("mail", MailboxOptions(), time_);
  neighbours_.mailboxes = {{"mail", mailbox}};
  absl::StatusOr<SpeakerRef> found = context_.Find<SpeakerRef>("mail");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->component(), "mail");
  mailbox->Open();
  found->Say("hello").Detach();
  EXPECT_EQ(mailbox->stats().queued_calls, 1u);
}

TEST_F(ContextTest, Find_OfAnUnknownName_ListsTheNames) {
  auto mailbox = std::make_shared<Mailbox<SpeakerRequest>>("mail", MailboxOptions(), time_);
  neighbours_.mailboxes = {{"clock", mailbox}, {"mail", mailbox}};
  const absl::Status status = context_.Find<SpeakerRef>("nail").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("\"nail\""), HasSubstr("clock, mail")));
}

TEST_F(ContextTest, Find_OfAnotherService_IsInvalid) {
  neighbours_.mailboxes = {
      {"mail", std::make_shared<Mailbox<SpeakerRequest>>("mail", MailboxOptions(), time_)}};
  const absl::Status status = context_.Find<trial::v1::TrialRef>("mail").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"mail\""));
}

TEST_F(ContextTest, Need_ByName_IsTheAddressOfThatComponent) {
  auto mailbox = std::make_shared<Mailbox<SpeakerRequest>>("mail", MailboxOptions(), time_);
  neighbours_.mailboxes = {{"mail", mailbox}};
  EXPECT_EQ(context_.Need<SpeakerRef>("mail").component(), "mail");
  EXPECT_TRUE(context_.TakeFailure().ok());
}

TEST_F(ContextTest, Need_OfAnUnknownName_FailsAsFindDoes) {
  const SpeakerRef nobody = context_.Need<SpeakerRef>("nail");
  EXPECT_EQ(context_.TakeFailure(), context_.Find<SpeakerRef>("nail").status());
  EXPECT_EQ(nobody.Say("hello").Await().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ContextTest, NameGenerationAndTime_AreThoseOfTheHost) {
  EXPECT_EQ(context_.name(), "subject");
  EXPECT_EQ(context_.generation(), 7u);
  time_.SetWall(absl::FromUnixSeconds(1000));
  time_.Advance(absl::Seconds(1));
  EXPECT_EQ(context_.Now(), time_.Now());
  EXPECT_EQ(context_.WallNow(), absl::FromUnixSeconds(1001));
}

TEST(ContextTimers, AfterAndEvery_RunOnTheComponentsThreadWhenDue) {
  Script script;
  std::vector<std::string> ran;
  script.start = [&](Context& context) {
    context.After(absl::Milliseconds(25), [&] { ran.push_back("after"); });
    context.Every(absl::Milliseconds(10), [&] {
      EXPECT_TRUE(ReturnAddress::HasCurrent());
      ran.push_back("every");
    });
    return absl::OkStatus();
  };
  Stepped<SpeakerRequest> host(
      [&](Context& context) { return std::make_unique<Speaker>(context, script); });
  host.Start();
  EXPECT_EQ(host.loop->next_wake(), After(host.time.Now(), absl::Milliseconds(10)));
  for (int i = 0; i < 6; ++i) host.Advance(absl::Milliseconds(5));
  EXPECT_THAT(ran, ElementsAre("every", "every", "after", "every"));
}

TEST_F(ContextTest, Cancel_OfATimer_KeepsItFromRunning) {
  const TimerId id = context_.After(absl::Seconds(1), [] { FAIL(); });
  EXPECT_TRUE(context_.Cancel(id));
  EXPECT_FALSE(context_.Cancel(id));
  time_.Advance(absl::Seconds(1));
  EXPECT_FALSE(context_.timers().RunNext(time_.Now()));
}

TEST_F(ContextTest, After_ForEver_IsNever) {
  context_.After(absl::InfiniteDuration(), [] { FAIL(); });
  EXPECT_EQ(context_.timers().next(), kNever);
}

TEST_F(ContextTest, After_ANegativeDelay_IsDueAtOnce) {
  bool ran = false;
  context_.After(-absl::InfiniteDuration(), [&] { ran = true; });
  EXPECT_TRUE(context_.timers().RunNext(time_.Now()));
  EXPECT_TRUE(ran);
}

TEST_F(ContextTest, TakeFailure_TellsTheFirstOnce) {
  EXPECT_EQ(context_.TakeFailure(), absl::OkStatus());
  context_.Fail(absl::DataLossError("the disk is full"));
  context_.Fail(absl::InternalError("so is the other"));
  EXPECT_EQ(context_.TakeFailure(), absl::DataLossError("the disk is full"));
  EXPECT_EQ(context_.TakeFailure(), absl::OkStatus());
}

TEST_F(ContextTest, Fail_WithAnyBytes_IsBoundedUtf8) {
  context_.Fail(absl::DataLossError("caf\xE9"));
  EXPECT_EQ(context_.TakeFailure(), absl::DataLossError("caf\\xe9"));
  context_.Fail(absl::DataLossError(std::string(5000, 'x')));
  EXPECT_EQ(context_.TakeFailure().message().size(), kMaxText);
}

TEST_F(ContextTest, Fail_WithOk_IsAFailureAllTheSame) {
  context_.Fail(absl::OkStatus());
  EXPECT_EQ(context_.TakeFailure().code(), absl::StatusCode::kInternal);
}

TEST_F(ContextTest, Finished_IsFalseUntilItIsSaid) {
  EXPECT_FALSE(context_.finished());
  context_.Finish();
  EXPECT_TRUE(context_.finished());
}

void AskToFinish(Context& context) { context.Finish(); }
void AskToFail(Context& context) { context.Fail(absl::DataLossError("the disk is full")); }

class EndingTest : public ::testing::Test {
 protected:
  using Ask = std::function<void(Context&)>;

  // Asks in every step that there is while the component is being stopped.
  void ExpectIgnoredWhileStopping(Ask ask) {
    int asked = 0;
    const auto count_and_ask = [&](Context& context) {
      ++asked;
      ask(context);
    };
    script_.start = [&](Context& context) {
      context.After(absl::Seconds(1), [&] { count_and_ask(context); });
      return absl::OkStatus();
    };
    script_.say = [&](Context& context, SayCall call) {
      call.reply.Send(std::move(call.request));
      count_and_ask(context);
    };
    script_.dependency_changed = [&](Context& context, const std::string&, bool) {
      host_.mailbox->Post(1, [&] { count_and_ask(context); });
      count_and_ask(context);
    };
    host_.Start();
    Answer<Word> first = ref_.Say("first"), second = ref_.Say("second");
    PushStop(*host_.mailbox, After(host_.time.Now(), absl::Seconds(5)));
    host_.mailbox->PushControl(control::Dependency{"mail", false});
    host_.Advance(absl::Seconds(1));
    EXPECT_EQ(asked, 5);
    EXPECT_TRUE(AnswerNow(std::move(first)).ok());
    EXPECT_TRUE(AnswerNow(std::move(second)).ok());
    EXPECT_EQ(script_.stopped, 1);
    EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "stopped, refused 0"));
  }

  Script script_;
  Stepped<SpeakerRequest> host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, script_); }};
  const SpeakerRef ref_{host_.mailbox};
};

TEST_F(EndingTest, Finish_FromAMethod_StopsTheInstanceAfterIt) {
  script_.say = [this](Context& context, SayCall call) {
    context.Finish();
    EXPECT_EQ(script_.stopped, 0) << "it goes on to its return";
    call.reply.Send(std::move(call.request));
  };
  host_.Start();
  Answer<Word> last = ref_.Say("last");
  host_.RunReady();
  EXPECT_TRUE(AnswerNow(std::move(last)).ok());
  EXPECT_EQ(script_.stopped, 1);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "finished"));
}

TEST_F(EndingTest, Fail_FromAMethod_LeavesWhatWasAnsweredAndDropsTheRest) {
  script_.stop = [](Context&) { FAIL() << "not called after a failure"; };
  script_.say = [&](Context& context, SayCall call) {
    if (call.request.text == "unanswered") AskToFail(context);
    if (call.request.text == "answered") call.reply.Send(std::move(call.request));
  };
  host_.Start();
  Answer<Word> answered = ref_.Say("answered"), unanswered = ref_.Say("unanswered");
  host_.RunReady();
  EXPECT_TRUE(AnswerNow(std::move(answered)).ok());
  EXPECT_EQ(AnswerNow(std::move(unanswered)).status().code(), absl::StatusCode::kInternal);
}

TEST_F(EndingTest, Fail_ThenFinish_IsAFailure) {
  script_.say = [](Context& context, SayCall) {
    context.Finish();
    AskToFail(context);
    context.Finish();
  };
  host_.Start();
  Answer<Word> answer = ref_.Say("hello");
  host_.RunReady();
  EXPECT_EQ(host_.lifecycle.failures().size(), 1u);
  EXPECT_EQ(script_.stopped, 0);
}

TEST_F(EndingTest, Fail_TellsARequestId) {
  script_.say = [](Context& context, SayCall) { AskToFail(context); };
  host_.Start();
  Answer<Word> answer = ref_.Say("hello");
  host_.RunReady();
  ASSERT_EQ(host_.lifecycle.failures().size(), 1u);
  EXPECT_NE(host_.lifecycle.failures()[0].request_id, "");
}

TEST_F(EndingTest, Fail_InStart_IsAStartThatFailed) {
  script_.start = [](Context& context) {
    AskToFail(context);
    return absl::OkStatus();
  };
  host_.Start();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("not started: DATA_LOSS: the disk is full"));
}

TEST_F(EndingTest, Finish_WhenStopThrows_IsReportedAsThatAlone) {
  script_.say = [](Context& context, SayCall call) {
    context.Finish();
    call.reply.Send(std::move(call.request));
  };
  script_.stop = [](Context&) { throw 1; };
  host_.Start();
  Answer<Word> answer = ref_.Say("hello");
  host_.RunReady();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "failed in Stop"));
}

TEST_F(EndingTest, Finish_WhileAStopIsUnderWay_IsIgnored) {
  ExpectIgnoredWhileStopping(AskToFinish);
}

TEST_F(EndingTest, Fail_WhileAStopIsUnderWay_IsIgnored) { ExpectIgnoredWhileStopping(AskToFail); }

// A step of a component in which it may ask for its end.
struct Place {
  const char* name;
  const char* during;
};

class EndingFromTest : public EndingTest, public ::testing::WithParamInterface<Place> {
 protected:
  // The first instance takes each step, and asks in the one under test, with a call in its queue.
  void AskThere(Ask ask) {
    const auto at = [this, ask](const std::string& during, Context& context) {
      if (during != GetParam().during || context.generation() != 1) return;
      queued_.emplace(ref_.Say("queued"));
      ask(context);
    };
    script_.start = [this, at](Context& context) {
      at("Start", context);
      host_.mailbox->Post(1, [at, &context] { at("a callback", context); });
      context.After(absl::Seconds(1), [at, &context] { at("a timer", context); });
      return absl::OkStatus();
    };
    script_.dependency_changed = [at](Context& context, const std::string&, bool) {
      at("DependencyChanged", context);
    };
    script_.say = [at](Context& context, SayCall call) {
      call.reply.Send(std::move(call.request));
      at(SayCall::kMethod, context);
    };
    host_.Start();
    host_.Send(control::Dependency{"mail", true});
    ref_.Say("first").Detach();
    host_.Advance(absl::Seconds(1));
  }

  void ExpectTheQueueWaitsForTheNextInstance() {
    ASSERT_TRUE(queued_.has_value());
    EXPECT_THAT(script_.said, Not(Contains("queued")));
    EXPECT_EQ(script_.destroyed, 1);
    host_.Start();
    EXPECT_EQ(AnswerNow(*std::move(queued_))->text, "queued");
  }

  std::optional<Answer<Word>> queued_;
};

TEST_P(EndingFromTest, Finish_StopsTheInstanceAndKeepsTheQueue) {
  AskThere(AskToFinish);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "finished"));
  EXPECT_THAT(host_.lifecycle.generations(), ElementsAre(1, 1));
  EXPECT_EQ(script_.stopped, 1);
  ExpectTheQueueWaitsForTheNextInstance();
}

// In Start it is a start that failed.
class EndingFromServingTest : public EndingFromTest {};

TEST_P(EndingFromServingTest, Fail_EndsTheInstanceAndKeepsTheQueue) {
  AskThere(AskToFail);
  EXPECT_THAT(host_.lifecycle.events(),
              ElementsAre("started", absl::StrCat("failed in ", GetParam().during)));
  EXPECT_THAT(host_.lifecycle.generations(), ElementsAre(1, 1));
  ASSERT_EQ(host_.lifecycle.failures().size(), 1u);
  EXPECT_EQ(host_.lifecycle.failures()[0].error, "DATA_LOSS: the disk is full");
  EXPECT_EQ(script_.stopped, 0);
  ExpectTheQueueWaitsForTheNextInstance();
}

constexpr Place kStart = {"Start", "Start"};
constexpr Place kTimer = {"Timer", "a timer"};
constexpr Place kCallback = {"Callback", "a callback"};
constexpr Place kDependency = {"DependencyChanged", "DependencyChanged"};
constexpr Place kMethod = {"Method", SayCall::kMethod};

INSTANTIATE_TEST_SUITE_P(All, EndingFromTest,
                         ::testing::Values(kStart, kTimer, kCallback, kDependency, kMethod),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(All, EndingFromServingTest,
                         ::testing::Values(kTimer, kCallback, kDependency, kMethod),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mainspring::testing
