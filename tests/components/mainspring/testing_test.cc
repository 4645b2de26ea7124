// A component as its author would test it: the Greeter's elder brother, who asks a neighbour for a
// word, and waits for it.
#include "mainspring/testing.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "mainspring/caller.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

// Answers what another says, twice a minute at the most.
class Echoing final : public Component, public Handler<SpeakerRequest> {
 public:
  using Request = SpeakerRequest;
  // `works` counts what was done where it may block.
  Echoing(Context& context, SpeakerRef other, int* works = nullptr)
      : Component(context), other_(std::move(other)), works_(works) {}

  absl::Status Start() override {
    if (other_.component() == "nobody") return absl::FailedPreconditionError("nobody to ask");
    return absl::OkStatus();
  }
  void Draining() override { ++drains_; }
  void Handle(SpeakerRequest&& request) override {
    if (auto* say = std::get_if<SayCall>(&request))
      Say(std::move(say->request), std::move(say->reply));
    if (auto* recount = std::get_if<RecountCall>(&request)) {
      Recount(std::move(recount->request), std::move(recount->replies));
    }
    if (auto* gather = std::get_if<GatherCall>(&request)) {
      Gather(std::move(gather->requests), std::move(gather->reply));
    }
    if (auto* talk = std::get_if<TalkCall>(&request)) {
      Talk(std::move(talk->requests), std::move(talk->replies));
    }
  }

 private:
  void Say(Word word, Reply<Word> reply) {
    if (word.text == "throw") throw std::runtime_error("thrown");
    if (word.text == "cold") context().SetServing(false, "cold");
    if (word.text == "for ever") Repeat();
    if (word.text == "waiting") word.text = *co_await context().RunBlocking(&Ask, other_);
    if (drains_ > 0) co_return reply.Send(Word{std::to_string(drains_) + " drains"});
    if (word.text == "blocking") word.text = *co_await context().RunBlocking(&Work, works_);
    if (word.text == "later") co_await context().Sleep(absl::Seconds(30));
    if (word.text == "who") {
      word.text = reply.context().Principal();
      reply.Send(std::move(word));
      co_return;
    }
    reply.Send(co_await other_.Say(word.text, {.from = reply.context()}));
  }
  void Repeat() {
    context().Bind([this] { Repeat(); })();
  }
  static std::string Ask(SpeakerRef other) {
    return std::string(other.Say("hello").Await().status().message());
  }
  static std::string Work(int* works) {
    ++*works;
    return "worked";
  }
  void Recount(Word word, ReplyStream<Word> replies) {
    for (int i = 0; i < 3 || word.text == "without end"; ++i) {
      if (!co_await replies.Send(Word{std::to_string(i)})) co_return;
      if (word.text == "all") co_await context().Sleep(absl::Seconds(1));
    }
    replies.Finish();
  }
  void Gather(RequestStream<Word> words, Reply<Word> reply) {
    Word all;
    while (const auto word = co_await words.Read()) all.text += word->text;
    reply.Send(std::move(all));
  }
  void Talk(RequestStream<Word> words, ReplyStream<Word> replies) {
    while (const auto word = co_await words.Read()) co_await replies.Send(*word);
    replies.Finish();
  }

  const SpeakerRef other_;
  int* const works_;
  int drains_ = 0;
};

// What Script wants of a class.
struct SpeakerComponent {
  using Request = SpeakerRequest;
  using Ref = SpeakerRef;
};

class StageTest : public ::testing::Test {
 protected:
  StageTest() {
    const SpeakerRef other = stage_.Script<SpeakerComponent>("other");
    stage_.Add<Echoing>("echo", other, &works_);
  }
  SpeakerRef ref() { return stage_.Ref<SpeakerRef>("echo"); }

  int works_ = 0;
  Stage stage_;
};

TEST_F(StageTest, ACall_IsAnsweredWithWhatTheScriptedNeighbourSays) {
  ASSERT_TRUE(stage_.Start().ok());
  Answer<Word> answer = ref().Say("hello");
  auto call = stage_.Take<SayCall>("other");
  EXPECT_EQ(call.request.text, "hello");
  call.reply.Send(Word{"echo"});
  EXPECT_EQ(stage_.Await(std::move(answer))->text, "echo");
}

TEST_F(StageTest, Time_PassesAsItIsTold) {
  ASSERT_TRUE(stage_.Start().ok());
  Answer<Word> answer = ref().Say("later");
  stage_.Advance(absl::Seconds(29));
  EXPECT_EQ(stage_.Untaken("other"), 0);
  stage_.Advance(absl::Seconds(1));
  EXPECT_EQ(stage_.Untaken("other"), 1);
  stage_.Take<SayCall>("other").reply.Send(Word{"at last"});
  EXPECT_EQ(stage_.Await(std::move(answer))->text, "at last");
}

TEST_F(StageTest, AnswerThatIsNotThere_IsDeadlineExceeded) {
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.Await(ref().Say("hello")).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(StageTest, Stream_GivesWhatHasComeByThen) {
  ASSERT_TRUE(stage_.Start().ok());
  AnswerStream<Word> words = ref().Recount("all");
  EXPECT_EQ(stage_.Next(words)->text, "0");
  EXPECT_FALSE(stage_.Next(words).has_value());
  stage_.Advance(absl::Seconds(2));
  EXPECT_EQ(stage_.Next(words)->text, "1");
  EXPECT_EQ(stage_.Next(words)->text, "2");
  stage_.Advance(absl::Seconds(1));
  EXPECT_FALSE(stage_.Next(words).has_value());
  EXPECT_TRUE(words.status().ok());
}

TEST_F(StageTest, Stream_OfACallThatIsMadeForItsFirstMessage_IsCancelled) {
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.Next(ref().Recount("all"))->text, "0");
  EXPECT_FALSE(stage_.Next(stage_.Ref<SpeakerRef>("other").Recount("all")).has_value());
  EXPECT_TRUE(stage_.Take<RecountCall>("other").replies.cancelled());
}

TEST_F(StageTest, Collect_OfAStreamWithoutEnd_SaysSo) {
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_THROW(static_cast<void>(stage_.Collect(ref().Recount("without end"))), std::logic_error);
}

TEST_F(StageTest, Collect_GivesAllOfAStreamThatHasEnded) {
  ASSERT_TRUE(stage_.Start().ok());
  AnswerStream<Word> words = ref().Recount("all");
  EXPECT_TRUE(absl::IsUnknown(stage_.Collect(ref().Recount("all")).status())) << "it goes on";
  stage_.Advance(absl::Seconds(3));
  const auto all = stage_.Collect(std::move(words));
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->size(), 3);
  EXPECT_EQ(all->back().text, "2");
}

TEST_F(StageTest, Requests_MoreThanAStreamHolds_AreWrittenAsTheyAreRead) {
  ASSERT_TRUE(stage_.Start().ok());
  const std::vector<Word> words(3 * kStreamBuffer, Word{"x"});
  EXPECT_EQ(stage_.Await(ref().Gather(), words)->text, std::string(words.size(), 'x'));
  EXPECT_EQ(stage_.Collect(ref().Talk(), words)->size(), words.size());
}

TEST_F(StageTest, Requests_ThatNobodyReads_DoNotHoldTheTestUp) {
  ASSERT_TRUE(stage_.Start().ok());
  const std::vector<Word> words(3 * kStreamBuffer, Word{"x"});
  const auto other = stage_.Ref<SpeakerRef>("other");
  EXPECT_TRUE(absl::IsDeadlineExceeded(stage_.Await(other.Gather(), words).status()));
  EXPECT_TRUE(absl::IsUnknown(stage_.Collect(other.Talk(), words).status()));
}

TEST_F(StageTest, BlockingWork_IsDoneWhenNothingElseIsToBeDone) {
  ASSERT_TRUE(stage_.Start().ok());
  Answer<Word> answer = ref().Say("blocking");
  EXPECT_EQ(stage_.Take<SayCall>("other").request.text, "worked");
}

TEST_F(StageTest, BlockingWork_ThatIsHeld_WaitsUntilItIsLetGo) {
  ASSERT_TRUE(stage_.Start().ok());
  stage_.HoldBlocking();
  Answer<Word> answer = ref().Say("blocking");
  EXPECT_EQ(stage_.Untaken("other"), 0);
  EXPECT_TRUE(stage_.Await(ref().Say("who")).ok()) << "others are served meanwhile";
  stage_.HoldBlocking(false);
  EXPECT_EQ(stage_.Untaken("other"), 1);
}

TEST_F(StageTest, BlockingWork_OfAnInstanceThatHasGone_IsLeftOut) {
  ASSERT_TRUE(stage_.Start().ok());
  stage_.HoldBlocking();
  Answer<Word> answer = ref().Say("blocking");
  stage_.Crash("echo");
  stage_.HoldBlocking(false);
  EXPECT_EQ(stage_.Await(std::move(answer)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(works_, 0);
}

TEST_F(StageTest, BlockingWork_ThatWaitsForAComponent_IsRefused) {
  ASSERT_TRUE(stage_.Start().ok());
  Answer<Word> answer = ref().Say("waiting");
  EXPECT_EQ(stage_.Take<SayCall>("other").request.text, "Await on a component's thread: use Then");
}

TEST_F(StageTest, Step_IsOneThingOfOneComponent) {
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_FALSE(stage_.Step());
  Answer<Word> one = ref().Say("who");
  Answer<Word> two = ref().Say("who");
  EXPECT_TRUE(stage_.Step());
  EXPECT_TRUE(one.Await(SteadyTime::min()).ok());
  EXPECT_TRUE(absl::IsDeadlineExceeded(two.Await(SteadyTime::min()).status()));
}

TEST_F(StageTest, CirclesWithoutEnd_AreSaidAndEndWithTheStage) {
  ASSERT_TRUE(stage_.Start().ok());
  Answer<Word> answer = ref().Say("for ever");
  EXPECT_THROW(stage_.Settle(), std::logic_error);
}

TEST_F(StageTest, Deadline_ThatPasses_EndsTheCallInTheQueueAndTheWaitForAnother) {
  ASSERT_TRUE(stage_.Start().ok());
  Answer<Word> late = ref().Say("who", {.deadline = stage_.time().Now()});
  Answer<Word> kept =
      ref().Say("hello", {.deadline = After(stage_.time().Now(), absl::Seconds(1))});
  EXPECT_TRUE(absl::IsDeadlineExceeded(stage_.Await(std::move(late)).status()));
  auto asked = stage_.Take<SayCall>("other");
  stage_.Advance(absl::Seconds(2));
  EXPECT_TRUE(asked.reply.cancelled()) << "echo waits for it no longer";
  EXPECT_TRUE(absl::IsDeadlineExceeded(stage_.Await(std::move(kept)).status()));
}

TEST_F(StageTest, Caller_HasHisPrincipalAndLeaves) {
  ASSERT_TRUE(stage_.Start().ok());
  Caller alice({.principal = "alice", .metadata = {}});
  EXPECT_EQ(stage_.Await(ref().Say("who", {.from = alice}))->text, "alice");
  Answer<Word> answer = ref().Say("hello", {.from = alice});
  auto asked = stage_.Take<SayCall>("other");
  alice.Leave();
  EXPECT_TRUE(asked.reply.cancelled());
}

TEST_F(StageTest, Exception_CostsItsCall) {
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.Await(ref().Say("throw")).status().code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(stage_.is_up("echo"));
  EXPECT_EQ(stage_.failures("echo").front().error, "INTERNAL: thrown");
}

TEST_F(StageTest, Exception_WhereThePolicyIsRestart_CostsTheInstance) {
  stage_.SetOnException("echo", OnException::kRestart);
  ASSERT_TRUE(stage_.Start().ok());
  Answer<Word> kept = ref().Say("hello");
  Answer<Word> thrown = ref().Say("throw");
  stage_.Settle();
  EXPECT_FALSE(stage_.is_up("echo"));
  EXPECT_EQ(stage_.Await(std::move(kept)).status().code(), absl::StatusCode::kUnavailable);
  Answer<Word> queued = ref().Say("who");
  EXPECT_TRUE(stage_.Restart("echo").ok());
  EXPECT_TRUE(stage_.Await(std::move(queued)).ok());
}

TEST_F(StageTest, Crash_AnswersWhatWasKeptAndRestartServesOn) {
  ASSERT_TRUE(stage_.Start().ok());
  Answer<Word> kept = ref().Say("hello");
  stage_.Crash("echo");
  EXPECT_EQ(stage_.Await(std::move(kept)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THROW(stage_.Crash("echo"), std::logic_error) << "it is down";
  ASSERT_TRUE(stage_.Restart("echo").ok());
  EXPECT_TRUE(stage_.Await(ref().Say("who")).ok());
}

TEST_F(StageTest, NeighbourThatGoes_AnswersWhatItHasKept) {
  ASSERT_TRUE(stage_.Start().ok());
  Answer<Word> answer = ref().Say("hello");
  stage_.Crash("other");
  EXPECT_EQ(ErrorInfoOf(stage_.Await(std::move(answer)).status())->reason, "COMPONENT_FAILED");
  ASSERT_TRUE(stage_.Restart("other").ok());
  answer = ref().Say("hello");
  stage_.Stop("other");
  const absl::Status stopped = stage_.Await(std::move(answer)).status();
  EXPECT_EQ(ErrorInfoOf(stopped)->reason, "COMPONENT_DOWN");
  EXPECT_EQ(RetryDelayOf(stopped), kRetryWhenDown);
}

TEST_F(StageTest, DrainServingAndStop_AreTold) {
  ASSERT_TRUE(stage_.Start().ok());
  Answer<Word> cold = ref().Say("cold");
  stage_.Settle();
  EXPECT_FALSE(stage_.is_serving("echo"));
  ASSERT_TRUE(stage_.Restart("echo").ok());
  EXPECT_TRUE(stage_.is_serving("echo")) << "another instance";
  stage_.Drain("echo");
  EXPECT_EQ(stage_.Await(ref().Say("hello"))->text, "1 drains");
  stage_.Drain("echo", false);
  stage_.Drain("echo");
  EXPECT_EQ(stage_.Await(ref().Say("hello"))->text, "2 drains");
  stage_.Stop("echo");
  EXPECT_FALSE(stage_.is_up("echo"));
  EXPECT_EQ(stage_.Await(ref().Say("hello")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(stage_.Await(std::move(cold)).status().code(), absl::StatusCode::kUnavailable);
}

struct AskCall {
  static constexpr char kMethod[] = "/test.Asker/Ask";
  Word request;
  Reply<Word> reply;
};
// A class that answers two services.
struct SpeakerAndAsker {
  using Request = Several<SpeakerRequest, std::variant<AskCall>>;
};
struct AskerRef : Ref<std::variant<AskCall>> {
  using Ref::Ref;
};

TEST(Stage, ANeighbourOfSeveralServices_KeepsTheCallsOfEach) {
  Stage stage;
  stage.Script<SpeakerAndAsker>("both");
  ASSERT_TRUE(stage.Start().ok());
  stage.Ref<SpeakerRef>("both").Say("hello").Detach();
  stage.Ref<AskerRef>("both").Ask<AskCall>(Word("why?"), {}).Detach();
  EXPECT_EQ(stage.Take<SayCall>("both").request.text, "hello");
  EXPECT_EQ(stage.Take<AskCall>("both").request.text, "why?");
}

TEST(Caller, WithOptions_BringsHisMetadataAlong) {
  Stage stage;
  stage.Script<SpeakerComponent>("echo");
  ASSERT_TRUE(stage.Start().ok());
  const Caller caller({.principal = "alice", .metadata = {{"x-tenant", "a"}}});
  stage.Ref<SpeakerRef>("echo").Say("hello", caller.options()).Detach();
  const auto call = stage.Take<SayCall>("echo");
  EXPECT_EQ(call.reply.context().Principal(), "alice");
  EXPECT_EQ(call.reply.context().Metadata("x-tenant"), "a");
}

TEST(Caller, WithAPeerAndAnAuthority_ShowsThemToWhomHeAsksHimself) {
  Stage stage;
  stage.Script<SpeakerComponent>("echo");
  ASSERT_TRUE(stage.Start().ok());
  const Caller caller({.peer = "ipv4:192.0.2.1:4711", .authority = "shop"});
  stage.Ref<SpeakerRef>("echo").Say("hello", caller.options()).Detach();
  stage.Ref<SpeakerRef>("echo").Say("hello", {.from = caller}).Detach();
  const auto his = stage.Take<SayCall>("echo");
  EXPECT_EQ(his.reply.context().Peer(), "ipv4:192.0.2.1:4711");
  EXPECT_EQ(his.reply.context().Authority(), "shop");
  EXPECT_EQ(stage.Take<SayCall>("echo").reply.context().Peer(), "process");
}

TEST(Stage, StartThatFails_IsTheError) {
  Stage stage;
  stage.Script<SpeakerComponent>("nobody");
  stage.Add<Echoing>("echo", stage.Ref<SpeakerRef>("nobody"));
  EXPECT_EQ(stage.Start(), absl::FailedPreconditionError("nobody to ask"));
  EXPECT_FALSE(stage.is_up("echo"));
}

TEST_F(StageTest, WhatIsWrongWithTheTest_IsSaid) {
  ASSERT_TRUE(stage_.Start().ok());
  const auto said = [](auto wrong) -> std::string {
    try {
      wrong();
    } catch (const std::logic_error& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_EQ(said([&] { stage_.Stop("ech"); }), "there is no component ech on the stage");
  EXPECT_EQ(said([&] { stage_.Script<SpeakerComponent>("echo"); }), "echo was added before");
  EXPECT_EQ(said([&] { stage_.Take<SayCall>("echo"); }), "echo is not scripted");
  EXPECT_EQ(said([&] { stage_.Take<SayCall>("other"); }), "other got no call of /test.Speaker/Say");
  Answer<Word> answer = ref().Say("hello");
  EXPECT_EQ(said([&] { stage_.Take<TalkCall>("other"); }),
            "other got a call of /test.Speaker/Say, not of /test.Speaker/Talk");
}

}  // namespace
}  // namespace mainspring::testing
