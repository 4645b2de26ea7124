// Calls in process, between real threads: a plain one, and components of their own.
#include "mainspring/ref.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"
#include "tests/testing/trial.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using namespace trial::v1;  // NOLINT(google-build-using-namespace): the component under test

EchoRequest Echo(std::string text) {
  EchoRequest request;
  request.set_text(std::move(text));
  return request;
}

class TrialRefTest : public ::testing::Test {
 protected:
  Running<TrialRequest> host_{[](Context& context) { return std::make_unique<Trial>(context); },
                              "trial"};
  const TrialRef ref_{host_.mailbox};
};

TEST_F(TrialRefTest, Unary_FromAPlainThread_Awaits) {
  absl::StatusOr<EchoResponse> response = ref_.Echo(Echo("hello")).Await(Patience());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->text(), "hello");
  EXPECT_EQ(response->component(), "trial");
  EXPECT_EQ(ref_.component(), "trial");
}

TEST_F(TrialRefTest, Unary_PastItsDeadline_IsNotDispatched) {
  const absl::Status status =
      ref_.Echo(Echo("late"), {.deadline = std::chrono::steady_clock::now()})
          .Await(Patience())
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(host_.mailbox->stats().handled, 0u);
  EXPECT_EQ(host_.mailbox->stats().expired, 1u);
}

TEST_F(TrialRefTest, Await_OfAReplyThatIsNeverGiven_EndsAtTheDeadline) {
  EXPECT_EQ(ref_.Forget({})
                .Await(After(std::chrono::steady_clock::now(), absl::Milliseconds(20)))
                .status()
                .code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(TrialRefTest, ServerStream_OfMoreThanTheBuffer_ArrivesWhole) {
  FloodRequest request;
  request.set_count(1000);
  request.set_bytes(10);
  AnswerStream<FloodResponse> answers = ref_.Flood(request);
  for (int i = 0; i < 1000; ++i) {
    std::optional<FloodResponse> response = answers.AwaitNext(Patience());
    ASSERT_TRUE(response.has_value());
    ASSERT_EQ(response->number(), i);
  }
  EXPECT_FALSE(answers.AwaitNext(Patience()).has_value());
  EXPECT_TRUE(answers.status().ok()) << answers.status();
}

TEST_F(TrialRefTest, ServerStream_ThatNobodyReads_LeavesTheComponentFree) {
  FloodRequest request;
  request.set_count(1'000'000'000);
  AnswerStream<FloodResponse> answers = ref_.Flood(request);
  EXPECT_TRUE(ref_.Echo(Echo("hello")).Await(Patience()).ok());
  EXPECT_EQ(answers.AwaitNext(Patience())->number(), 0);
}

TEST_F(TrialRefTest, Upload_IsReadToItsEnd) {
  Upload<SumRequest, SumResponse> upload = ref_.Sum();
  for (int i = 1; i <= 1000;) {
    SumRequest request;
    request.set_value(i);
    if (upload.requests.Write(std::move(request)) == WriteResult::kAccepted) {
      ++i;
    } else {
      std::this_thread::yield();
    }
  }
  upload.requests.Finish();
  absl::StatusOr<SumResponse> response = upload.answer.Await(Patience());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->sum(), 500'500);
  EXPECT_EQ(response->count(), 1000);
}

TEST_F(TrialRefTest, Dialog_AnswersEachRequest) {
  Dialog<ParrotRequest, ParrotResponse> dialog = ref_.Parrot();
  for (const char* text : {"one", "two", "three"}) {
    ParrotRequest request;
    request.set_text(text);
    ASSERT_EQ(dialog.requests.Write(std::move(request)), WriteResult::kAccepted);
    std::optional<ParrotResponse> response = dialog.answers.AwaitNext(Patience());
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->text(), text);
  }
  dialog.requests.Finish();
  EXPECT_FALSE(dialog.answers.AwaitNext(Patience()).has_value());
  EXPECT_TRUE(dialog.answers.status().ok()) << dialog.answers.status();
}

// The same, stepped: nothing happens but what the test says.
class RefTest : public ::testing::Test {
 protected:
  RefTest() { host_.Start(); }
  Script script_;
  Stepped<SpeakerRequest> host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, script_); }};
  const SpeakerRef ref_{host_.mailbox};
};

TEST_F(RefTest, MovedFrom_CallsTheSameComponent) {
  SpeakerRef first = ref_;
  const SpeakerRef second(std::move(first));
  Answer<Word> answer = first.Say("hello");  // NOLINT(bugprone-use-after-move): says so
  host_.RunReady();
  EXPECT_TRUE(answer.Await(kNoWait).ok());
  EXPECT_EQ(second.component(), first.component());
}

TEST_F(RefTest, WithoutAMailbox_AnswersFailedPrecondition) {
  const SpeakerRef ref(nullptr);
  EXPECT_EQ(ref.component(), "");
  EXPECT_EQ(ref.Say("hello").Await().status().code(), absl::StatusCode::kFailedPrecondition);
  AnswerStream<Word> answers = ref.Recount("hello");
  EXPECT_EQ(answers.AwaitNext(), std::nullopt);
  EXPECT_EQ(answers.status().code(), absl::StatusCode::kFailedPrecondition);
  Upload<Word, Word> upload = ref.Gather();
  EXPECT_EQ(upload.requests.Write(Word{"x"}), WriteResult::kClosed);
  EXPECT_EQ(upload.answer.Await().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RefTest, AnswerDestroyed_BeforeTheDispatch_IsNotDispatched) {
  { Answer<Word> unwanted = ref_.Say("unwanted"); }
  host_.RunReady();
  EXPECT_TRUE(script_.said.empty());
  EXPECT_EQ(host_.mailbox->stats().cancelled, 1u);
}

TEST_F(RefTest, AnswerDetached_IsDispatched) {
  ref_.Say("matters").Detach();
  host_.RunReady();
  EXPECT_THAT(script_.said, ElementsAre("matters"));
}

TEST_F(RefTest, Refused_EveryShapeHearsOfIt) {
  host_.mailbox->Close(absl::UnavailableError("closed"));
  EXPECT_EQ(AnswerNow(ref_.Say("x")).status(), absl::UnavailableError("closed"));
  AnswerStream<Word> recount = ref_.Recount("x");
  EXPECT_FALSE(recount.AwaitNext(kNoWait).has_value());
  EXPECT_EQ(recount.status(), absl::UnavailableError("closed"));
  Upload<Word, Word> upload = ref_.Gather();
  EXPECT_EQ(upload.requests.Write(Word{"x"}), WriteResult::kClosed);
  EXPECT_EQ(AnswerNow(std::move(upload.answer)).status(), absl::UnavailableError("closed"));
  Dialog<Word, Word> dialog = ref_.Talk();
  EXPECT_EQ(dialog.requests.Write(Word{"x"}), WriteResult::kClosed);
  EXPECT_FALSE(dialog.answers.AwaitNext(kNoWait).has_value());
  EXPECT_EQ(dialog.answers.status(), absl::UnavailableError("closed"));
}

TEST_F(RefTest, Deadline_ReachesEveryShape) {
  const SteadyTime deadline = After(host_.time.Now(), absl::Seconds(9));
  std::vector<SteadyTime> seen;
  script_.say = [&](Context&, SayCall call) { seen.push_back(call.reply.deadline()); };
  script_.recount = [&](Context&, RecountCall call) { seen.push_back(call.replies.deadline()); };
  script_.gather = [&](Context&, GatherCall call) { seen.push_back(call.reply.deadline()); };
  script_.talk = [&](Context&, TalkCall call) { seen.push_back(call.replies.deadline()); };
  const CallOptions options{.deadline = deadline};
  Answer<Word> say = ref_.Say("x", options);
  AnswerStream<Word> recount = ref_.Recount("x", options);
  Upload<Word, Word> upload = ref_.Gather(options);
  Dialog<Word, Word> dialog = ref_.Talk(options);
  host_.RunReady();
  EXPECT_THAT(seen, ElementsAre(deadline, deadline, deadline, deadline));
}

TEST_F(RefTest, AnswerStreamDestroyed_ClosesTheStream) {
  bool cancelled = false;
  std::optional<RecountCall> kept;
  script_.recount = [&](Context&, RecountCall call) {
    kept = std::move(call);
    kept->replies.OnCancel([&] { cancelled = true; });
  };
  {
    AnswerStream<Word> unwanted = ref_.Recount("x");
    host_.RunReady();
    EXPECT_EQ(kept->replies.Write(Word{"x"}), WriteResult::kAccepted);
  }
  EXPECT_EQ(kept->replies.Write(Word{"x"}), WriteResult::kClosed);
  host_.RunReady();
  EXPECT_TRUE(cancelled);
}

TEST_F(RefTest, Read_AfterTheCallWasAnswered_GetsTheEnd) {
  std::optional<GatherCall> kept;
  bool ended = false;
  script_.gather = [&](Context&, GatherCall call) {
    kept = std::move(call);
    kept->reply.Send(Word{"enough"});
    kept->requests.Read([&](std::optional<Word> word) { ended = !word.has_value(); });
  };
  Upload<Word, Word> upload = ref_.Gather();
  host_.RunReady();
  EXPECT_TRUE(ended);
}

// The requests of a dialog end by themselves; what counts is that they were answered.
TEST_F(RefTest, InFlight_OfADialog_EndsWithItsReplies) {
  std::optional<TalkCall> kept;
  script_.talk = [&](Context&, TalkCall call) { kept = std::move(call); };
  Dialog<Word, Word> dialog = ref_.Talk();
  host_.RunReady();
  dialog.requests.Finish();
  EXPECT_EQ(host_.mailbox->stats().in_flight, 1u);
  kept->replies.Finish();
  EXPECT_EQ(host_.mailbox->stats().in_flight, 0u);
}

// No call hangs: not even one whose right to answer waits, with a callback, for a caller who waits
// for the answer.
TEST_F(RefTest, Dialog_WhenTheInstanceHasGone_Ends) {
  script_.talk = [](Context&, TalkCall call) {
    auto kept = std::make_shared<TalkCall>(std::move(call));
    kept->requests.Read([kept](std::optional<Word>) {});
  };
  Dialog<Word, Word> dialog = ref_.Talk();
  host_.RunReady();
  host_.Stop();
  EXPECT_EQ(host_.lifecycle.events().size(), 2u);
  EXPECT_NE(dialog.answers.status().code(), absl::StatusCode::kUnknown) << "it has not ended";
}

TEST_F(RefTest, Then_OfAnInstanceThatHasGone_AnswersTheCallItWasFor) {
  std::optional<SayCall> never_answered;
  script_.say = [&](Context&, SayCall call) {
    if (call.request.text == "inner") {
      never_answered = std::move(call);
      return;
    }
    ref_.Say("inner").Then([reply = std::move(call.reply)](absl::StatusOr<Word>) {});
  };
  Answer<Word> outer = ref_.Say("outer");
  host_.RunReady();
  ASSERT_TRUE(never_answered.has_value());
  host_.Stop(absl::ZeroDuration());
  EXPECT_EQ(AnswerNow(std::move(outer)).status().code(), absl::StatusCode::kUnavailable);
}

// Two components: the first asks the second, and answers when it is answered.
class NeighbourTest : public ::testing::Test {
 protected:
  NeighbourTest() {
    asker_host_.neighbours.mailboxes = {{"second", answerer_host_.mailbox}};
    asker_.say = [this](Context& context, SayCall call) {
      asked_on_ = std::this_thread::get_id();
      context.Find<SpeakerRef>("second")
          ->Say(call.request.text, {.deadline = call.reply.deadline()})
          .Then([this, reply = std::move(call.reply)](absl::StatusOr<Word> word) mutable {
            then_on_ = std::this_thread::get_id();
            reply.Send(std::move(word));
          });
    };
  }

  // The threads end before what they use.
  Latch asked_, gone_;
  Script asker_, answerer_;
  std::thread::id asked_on_, then_on_;
  Running<SpeakerRequest> answerer_host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, answerer_); }, "second"};
  Running<SpeakerRequest> asker_host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, asker_); }, "first"};
  const SpeakerRef ref_{asker_host_.mailbox};
};

TEST_F(NeighbourTest, Then_RunsOnTheAskersThread) {
  absl::StatusOr<Word> word = ref_.Say("hello").Await(Patience());
  ASSERT_TRUE(word.ok()) << word.status();
  EXPECT_EQ(word->text, "hello");
  EXPECT_NE(asked_on_, std::thread::id());
  EXPECT_NE(asked_on_, std::this_thread::get_id());
  EXPECT_EQ(then_on_, asked_on_);
}

TEST_F(NeighbourTest, Then_WhenTheAskersInstanceHasGone_IsDropped) {
  answerer_.say = [this](Context&, SayCall call) {
    asked_.Open();
    gone_.Wait();
    call.reply.Send(std::move(call.request));
  };
  Answer<Word> answer = ref_.Say("hello");
  ASSERT_TRUE(asked_.Wait());
  // It does not wait for what it has asked.
  PushStop(*asker_host_.mailbox, kNoWait);
  ASSERT_TRUE(asker_host_.lifecycle.Await(2));
  PushStart(*asker_host_.mailbox, 2);
  ASSERT_TRUE(asker_host_.lifecycle.Await(3));
  gone_.Open();
  EXPECT_EQ(answer.Await(Patience()).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(then_on_, std::thread::id());
}

TEST_F(NeighbourTest, Await_OnTheComponentsThread_IsRefused) {
  answerer_.say = [this](Context&, SayCall call) {
    call.reply.Fail(SpeakerRef(asker_host_.mailbox).Say("x").Await().status());
  };
  EXPECT_EQ(ref_.Say("hello").Await(Patience()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace mainspring::testing
