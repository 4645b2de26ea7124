// What exceptions cost, and what a program that uses a reply wrongly is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "mainspring/status_details.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ExceptionTest : public ::testing::Test {
 protected:
  ExceptionTest() { host_.on_exception = OnException::kFailCall; }

  Script script_;
  Stepped<SpeakerRequest> host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, script_); }};
  const SpeakerRef ref_{host_.mailbox};
};

TEST_F(ExceptionTest, FromAMethod_CostsTheCallAlone) {
  script_.say = [](Context&, SayCall call) {
    if (call.request.text == "bad") throw std::runtime_error("a loose wire");
    call.reply.Send(std::move(call.request));
  };
  host_.Start();
  Answer<Word> bad = ref_.Say("bad");
  Answer<Word> good = ref_.Say("good");
  host_.RunReady();
  EXPECT_EQ(AnswerNow(std::move(good))->text, "good");
  const absl::Status failed = AnswerNow(std::move(bad)).status();
  EXPECT_EQ(failed.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(host_.lifecycle.events(),
              ElementsAre("started", "failed a call in /test.Speaker/Say"));
  const Failure failure = host_.lifecycle.failures().front();
  EXPECT_EQ(failure.error, "INTERNAL: a loose wire");
  EXPECT_THAT(std::string(failed.message()), HasSubstr("request_id=" + failure.request_id));
  EXPECT_EQ(host_.mailbox->stats().failed, 1u);
  EXPECT_EQ(script_.destroyed, 0);
}

TEST_F(ExceptionTest, FromAMethod_LeavesWhatOthersWaitFor) {
  std::optional<SayCall> kept;
  script_.say = [&](Context&, SayCall call) {
    if (call.request.text == "bad") throw 7;
    kept = std::move(call);
  };
  host_.Start();
  Answer<Word> waits = ref_.Say("keep");
  (void)AnswerNow(ref_.Say("bad"));
  host_.RunReady();
  kept->reply.Send(Word{"late"});
  EXPECT_EQ(AnswerNow(std::move(waits))->text, "late");
}

TEST_F(ExceptionTest, FromATimer_CostsTheInstance) {
  script_.start = [](Context& context) {
    context.After(absl::Seconds(1), [] { throw std::runtime_error("late"); });
    return absl::OkStatus();
  };
  host_.Start();
  host_.Advance(absl::Seconds(1));
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "failed in a timer"));
}

TEST_F(ExceptionTest, FromStopOfAFinishedInstance_IsNotTheCallsThatAskedForIt) {
  script_.say = [](Context& context, SayCall call) {
    call.reply.Send(std::move(call.request));
    context.Finish();
  };
  script_.stop = [](Context&) { throw std::runtime_error("no"); };
  host_.Start();
  Answer<Word> answer = ref_.Say("last");
  host_.RunReady();
  EXPECT_TRUE(AnswerNow(std::move(answer)).ok());
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "failed in Stop"));
}

TEST_F(ExceptionTest, ThatCostsTheInstance_AnswersWhatItKeptAsRetryable) {
  std::optional<SayCall> kept;
  std::optional<RecountCall> stream;
  script_.say = [&](Context& context, SayCall call) {
    if (call.request.text == "fail") context.Fail(absl::DataLossError("gone"));
    context.After(absl::Hours(1), [kept = std::make_shared<SayCall>(std::move(call))] {});
  };
  script_.recount = [&](Context& context, RecountCall call) {
    context.After(absl::Hours(1), [kept = std::make_shared<RecountCall>(std::move(call))] {});
  };
  host_.Start();
  Answer<Word> waits = ref_.Say("keep");
  AnswerStream<Word> words = ref_.Recount("keep");
  Answer<Word> last = ref_.Say("fail");
  host_.RunReady();
  const absl::Status status = AnswerNow(std::move(waits)).status();
  const std::string request_id = host_.lifecycle.failures().front().request_id;
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "component \"subject\": failed; request_id=" + request_id);
  EXPECT_EQ(ErrorInfoOf(status)->reason, "COMPONENT_FAILED");
  EXPECT_TRUE(RetryDelayOf(status).has_value());
  EXPECT_EQ(words.status(), status);
}

// Its answer has come, and has not been handled yet.
TEST_F(ExceptionTest, CallbackThatWaits_GoesWithTheInstanceAndItsReplies) {
  std::optional<Reply<Word>> asked;
  std::function<void()> fail;
  script_.say = [&](Context& context, SayCall call) {
    if (call.request.text == "asked") {
      asked = std::move(call.reply);
    } else {
      ref_.Say("asked").Then([reply = std::move(call.reply)](absl::StatusOr<Word>) mutable {
        reply.Send(Word{"handled"});
      });
      fail = context.Bind([&context] { context.Fail(absl::DataLossError("gone")); });
    }
  };
  host_.Start();
  Answer<Word> answer = ref_.Say("asks");
  host_.RunReady();
  ASSERT_TRUE(asked.has_value());
  fail();
  asked->Send(Word{"too late"});
  host_.RunReady();
  EXPECT_EQ(ErrorInfoOf(AnswerNow(std::move(answer)).status())->reason, "COMPONENT_FAILED");
}

TEST_F(ExceptionTest, MisuseOfAReply_IsToldOnceWithItsMethod) {
  script_.say = [](Context&, SayCall call) {
    call.reply.Send(Word{"first"});
    call.reply.Send(Word{"second"});
    EXPECT_FALSE(call.reply.AddHeader("x-late", "1"));
    EXPECT_TRUE(call.reply.context().cancelled());
    EXPECT_EQ(call.reply.context().Metadata("x"), "");
    Reply<Word> moved = std::move(call.reply);
    call.reply.Fail(absl::UnknownError("x"));
    StreamRecord<Word> record;
    ReplyStream<Word> replies(&record);
    replies.Finish();
    replies.Finish();
  };
  host_.Start();
  for (int i = 0; i < 3; ++i) {
    Answer<Word> answer = ref_.Say("hello");
    host_.RunReady();
    EXPECT_EQ(AnswerNow(std::move(answer))->text, "first");
  }
  EXPECT_THAT(
      host_.lifecycle.events(),
      ElementsAre(
          "started", "misuse: /test.Speaker/Say: answered after it was answered, or moved",
          "misuse: /test.Speaker/Say: metadata \"x-late\" was added after it would have been sent",
          "misuse: /test.Speaker/Say: its context was used after it was answered, or moved",
          "misuse: : finished after it was finished, or moved"));
}

TEST_F(ExceptionTest, ReplyThatIsDropped_IsToldUnlessItsCallerHasGone) {
  Reply<Word> kept;
  script_.say = [&](Context&, SayCall call) {
    if (call.request.text == "keep") kept = std::move(call.reply);
  };
  host_.Start();
  Answer<Word> dropped = ref_.Say("hello");
  std::optional<Answer<Word>> gone = ref_.Say("keep");
  host_.RunReady();
  EXPECT_EQ(AnswerNow(std::move(dropped)).status(), Dropped());
  gone.reset();
  host_.Send(control::Run{host_.generation, [&] { kept = Reply<Word>(); }});
  EXPECT_THAT(host_.lifecycle.events(),
              ElementsAre("started", "misuse: /test.Speaker/Say: dropped without an answer"));
}

TEST_F(ExceptionTest, RepliesThatAnInstanceKeepsToItsEnd_AreUnavailableAndNoMisuse) {
  script_.say = [](Context& context, SayCall call) {
    if (call.request.text == "finish") context.Finish();
    context.After(absl::Hours(1), [reply = std::move(call.reply)] {});
  };
  const auto ends_with = [this](const std::string& text, ControlRequest last) {
    host_.Start();
    Answer<Word> kept = ref_.Say(text);
    host_.RunReady();
    host_.Send(std::move(last));
    return AnswerNow(std::move(kept)).status();
  };
  const absl::Status gone = ends_with("finish", control::Resume{});
  EXPECT_EQ(gone.message(), "component \"subject\": gone");
  EXPECT_TRUE(RetryDelayOf(gone).has_value());
  EXPECT_EQ(ends_with("keep", control::Discard{}), gone);
  EXPECT_EQ(ends_with("keep", control::Quit{}), gone);
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "finished", "started", "started"));
}

TEST_F(ExceptionTest, MetadataThatCannotBeSent_IsToldAndLeftOut) {
  script_.say = [](Context&, SayCall call) {
    EXPECT_TRUE(call.reply.AddHeader("x-a", "1"));
    EXPECT_FALSE(call.reply.AddHeader("X-A", "1"));
    EXPECT_TRUE(call.reply.AddTrailer("x-b-bin", "\xff"));
    EXPECT_FALSE(call.reply.AddTrailer("x-b", "\n"));
    call.reply.Send(Word{"hello"});
  };
  host_.Start();
  Answer<Word> answer = ref_.Say("hello");
  const auto received = answer.metadata();
  host_.RunReady();
  EXPECT_TRUE(AnswerNow(std::move(answer)).ok());
  EXPECT_THAT(received->headers, ElementsAre(Metadatum("x-a", "1")));
  EXPECT_THAT(received->trailers, ElementsAre(Metadatum("x-b-bin", "\xff")));
  EXPECT_EQ(host_.lifecycle.events().size(), 3u);
}

TEST_F(ExceptionTest, SetServing_IsToldWhenItChanges) {
  script_.start = [](Context& context) {
    context.SetServing(false, "cache is cold");
    context.After(absl::Seconds(1), [&] { context.SetServing(true); });
    context.After(absl::Seconds(2), [&] { context.SetServing(true); });
    return absl::OkStatus();
  };
  host_.Start();
  host_.Advance(absl::Seconds(2));
  EXPECT_THAT(host_.lifecycle.events(),
              ElementsAre("does not serve: cache is cold", "started", "serves"));
}

TEST_F(ExceptionTest, Drain_IsToldOnceAndCanBeAsked) {
  int drains = 0;
  std::optional<Reply<Word>> poll;
  script_.say = [&](Context&, SayCall call) { poll = std::move(call.reply); };
  script_.draining = [&](Context& context) {
    ++drains;
    EXPECT_TRUE(context.draining());
    if (poll.has_value()) poll->Send(Word{"draining"});
  };
  host_.Start();
  Answer<Word> answer = ref_.Say("when?");
  host_.RunReady();
  host_.Send(control::Drain{true});
  host_.Send(control::Drain{true});
  EXPECT_EQ(AnswerNow(std::move(answer))->text, "draining");
  EXPECT_EQ(drains, 1);
  host_.Send(control::Drain{false});
  host_.Send(control::Drain{true});
  EXPECT_EQ(drains, 2);
}

}  // namespace
}  // namespace mainspring::testing
