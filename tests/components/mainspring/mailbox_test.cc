#include "mainspring/mailbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mainspring/component.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr MailboxOptions kSmall{.max_calls = 3, .max_bytes = 10, .max_queue_age = absl::Seconds(5)};

// Where requests come from; counts how often it was let go.
struct Source final : StreamSource<Word> {
  void Read(ReadCallback<Word>) override {}
  void Release() override { ++releases; }
  int releases = 0;
};

// An open mailbox with a component that answers; the test is its thread.
class MailboxTest : public ::testing::Test {
 protected:
  MailboxTest() {
    mailbox_.Open();
    mailbox_.Attach(&speaker_);
  }

  ReplyRecord<Word>& Say(std::string text, SteadyTime deadline = kNever) {
    ReplyRecord<Word>& record = replies_.emplace_back(deadline);
    mailbox_.Push(SayCall{Word{std::move(text)}, Reply<Word>(&record)});
    return record;
  }
  // Says how many calls reached the component.
  int DispatchAll() {
    int calls = 0;
    while (Dispatch(mailbox_, time_)) ++calls;
    return calls;
  }

  ManualTime time_;
  Neighbours neighbours_;
  const std::string name_ = "speaker";
  Context context_{name_, 1, {time_, neighbours_}};
  Script script_;
  Speaker speaker_{context_, script_};
  // These outlive the mailbox.
  std::deque<ReplyRecord<Word>> replies_;
  Source sources_[2];
  Mailbox<SpeakerRequest> mailbox_{name_, kSmall, time_};
};

TEST_F(MailboxTest, Push_ThenDispatch_CallsTheMethod) {
  ReplyRecord<Word> reply;
  EXPECT_TRUE(mailbox_.Push(SayCall{Word{"hello"}, Reply<Word>(&reply)}));
  EXPECT_EQ(reply.answers(), 0);
  EXPECT_TRUE(Dispatch(mailbox_, time_));
  EXPECT_FALSE(Dispatch(mailbox_, time_));
  EXPECT_EQ(reply.answer()->text, "hello");
}

TEST_F(MailboxTest, Push_OfSeveral_IsDispatchedInOrder) {
  for (const char* text : {"a", "b", "c"}) Say(text);
  EXPECT_EQ(DispatchAll(), 3);
  EXPECT_THAT(script_.said, ElementsAre("a", "b", "c"));
}

TEST(Mailbox, Push_BeforeOpen_IsRefusedUnavailable) {
  Mailbox<SpeakerRequest> mailbox("speaker", {}, TimeSource::Real());
  EXPECT_TRUE(mailbox.closed());
  ReplyRecord<Word> reply;
  EXPECT_FALSE(mailbox.Push(SayCall{Word{"hello"}, Reply<Word>(&reply)}));
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(MailboxTest, Push_WhenCallsAreFull_AnswersAtOnce) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Say("x").answers(), 0);
  const ReplyRecord<Word>& refused = Say("x");
  EXPECT_EQ(refused.answers(), 1);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("component \"speaker\""));
  EXPECT_EQ(DispatchAll(), 3);
}

TEST_F(MailboxTest, Push_WhenBytesAreFull_AnswersAtOnce) {
  EXPECT_EQ(Say("0123456").answers(), 0);
  const ReplyRecord<Word>& refused = Say("0123");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("component \"speaker\""));
  EXPECT_EQ(Say("012").answers(), 0) << "just fits";
  EXPECT_EQ(mailbox_.stats().queued_bytes, 10u);
}

TEST_F(MailboxTest, Push_OfOneLargerThanTheBudget_PassesAnEmptyQueueAlone) {
  EXPECT_EQ(Say(std::string(1000, 'x')).answers(), 0);
  EXPECT_EQ(Say("y").status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DispatchAll(), 1);
  EXPECT_EQ(Say("y").answers(), 0);
  EXPECT_EQ(Say(std::string(1000, 'x')).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(MailboxTest, Dispatch_OfOne_MakesRoomForOne) {
  for (int i = 0; i < 3; ++i) Say("x");
  ASSERT_TRUE(Dispatch(mailbox_, time_));
  EXPECT_EQ(Say("y").answers(), 0);
  EXPECT_EQ(Say("z").answers(), 1);
  EXPECT_EQ(DispatchAll(), 3);
}

TEST_F(MailboxTest, Close_RefusesNewCallsAndKeepsTheQueue) {
  Say("before");
  mailbox_.Close(absl::UnavailableError("gone fishing"));
  EXPECT_TRUE(mailbox_.closed());
  EXPECT_EQ(Say("after").status(), absl::UnavailableError("gone fishing"));
  EXPECT_EQ(DispatchAll(), 1);
  EXPECT_THAT(script_.said, ElementsAre("before"));
  mailbox_.Open();
  EXPECT_EQ(Say("again").answers(), 0);
}

TEST_F(MailboxTest, PushControl_WhenFullAndClosed_IsTaken) {
  for (int i = 0; i < 4; ++i) Say("x");
  mailbox_.Close(absl::UnavailableError("closed"));
  mailbox_.PushControl(control::Start{1});
  mailbox_.Post(7, [] {});
  mailbox_.PushControl(control::Quit{});
  EXPECT_TRUE(mailbox_.has_control());
  const std::vector<ControlRequest> taken = mailbox_.TakeControl();
  EXPECT_FALSE(mailbox_.has_control());
  ASSERT_EQ(taken.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<control::Start>(taken[0]));
  EXPECT_EQ(std::get<control::Run>(taken[1]).generation, 7u);
  EXPECT_TRUE(std::holds_alternative<control::Quit>(taken[2]));
}

TEST_F(MailboxTest, Dispatch_WhenTheDeadlinePassed_AnswersAndGoesOn) {
  time_.SetCoarseLag(absl::Milliseconds(4));
  const SteadyTime deadline = After(time_.Now(), absl::Seconds(1));
  ReplyRecord<Word>& late = Say("late", deadline);
  Say("later");
  time_.AdvanceTo(deadline);
  EXPECT_EQ(DispatchAll(), 1);
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("component \"speaker\""));
  EXPECT_THAT(script_.said, ElementsAre("later"));
  EXPECT_EQ(mailbox_.stats().expired, 1u);
}

TEST_F(MailboxTest, Dispatch_JustBeforeTheDeadline_CallsTheMethod) {
  Say("in time", After(time_.Now(), absl::Seconds(1)));
  time_.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_EQ(DispatchAll(), 1);
}

TEST_F(MailboxTest, Dispatch_WhenTheCallerHasGone_DoesNotCallTheMethod) {
  ReplyRecord<Word>& gone = Say("gone");
  gone.MarkCancelled();
  EXPECT_EQ(DispatchAll(), 0);
  EXPECT_EQ(gone.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(gone.answers(), 1);
  EXPECT_EQ(mailbox_.stats().cancelled, 1u);
}

TEST_F(MailboxTest, Dispatch_WhenTheCallWaitedTooLong_SaysOverloaded) {
  ReplyRecord<Word>& old = Say("old");
  time_.Advance(absl::Nanoseconds(1));
  Say("young");
  time_.Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  EXPECT_EQ(DispatchAll(), 1);
  EXPECT_EQ(old.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(old.status().message()), HasSubstr("overloaded"));
  EXPECT_THAT(script_.said, ElementsAre("young"));
  EXPECT_EQ(mailbox_.stats().expired, 1u);
}

TEST_F(MailboxTest, QueueAge_WhileNoInstanceRuns_DoesNotCount) {
  mailbox_.Attach(nullptr);
  ReplyRecord<Word>& first = Say("first");
  ReplyRecord<Word>& second = Say("second");
  time_.Advance(absl::Hours(1));
  mailbox_.Attach(&speaker_);
  mailbox_.BeginServing();
  time_.Advance(absl::Seconds(4));
  EXPECT_TRUE(Dispatch(mailbox_, time_));
  EXPECT_EQ(first.answer()->text, "first");
  time_.Advance(absl::Seconds(1));
  EXPECT_FALSE(Dispatch(mailbox_, time_));
  EXPECT_EQ(second.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(MailboxTest, Deadline_WhileNoInstanceRuns_Counts) {
  mailbox_.Attach(nullptr);
  ReplyRecord<Word>& late = Say("late", After(time_.Now(), absl::Seconds(1)));
  time_.Advance(absl::Seconds(1));
  mailbox_.Attach(&speaker_);
  EXPECT_EQ(DispatchAll(), 0);
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(MailboxTest, MaxQueueAge_OfForEver_IsADay) {
  Mailbox<SpeakerRequest> patient(name_, {.max_queue_age = absl::InfiniteDuration()}, time_);
  patient.Open();
  patient.Attach(&speaker_);
  ReplyRecord<Word> reply;
  patient.Push(SayCall{Word{"x"}, Reply<Word>(&reply)});
  time_.Advance(absl::Hours(24) - absl::Nanoseconds(1));
  EXPECT_TRUE(Dispatch(patient, time_));
}

// The component's thread is in the first, and does not come back for the others.
TEST_F(MailboxTest, RefuseAll_FromAnotherThreadInsideAMethod_AnswersTheOthers) {
  std::deque<ReplyRecord<Word>> replies;
  for (int i = 0; i < 3; ++i) {
    mailbox_.Push(SayCall{Word{"x"}, Reply<Word>(&replies.emplace_back())});
  }
  size_t refused = 0;
  script_.say = [&](Context&, SayCall call) {
    std::thread([&] { refused = mailbox_.RefuseAll(absl::UnavailableError("stuck")); }).join();
    call.reply.Send(std::move(call.request));
  };
  EXPECT_TRUE(Dispatch(mailbox_, time_));
  EXPECT_EQ(refused, 2u);
  EXPECT_TRUE(replies[0].answer().ok());
  for (int i : {1, 2}) EXPECT_EQ(replies[i].status(), absl::UnavailableError("stuck"));
  EXPECT_EQ(mailbox_.stats().queued_calls, 0u);
  EXPECT_EQ(mailbox_.stats().queued_bytes, 0u);
  EXPECT_FALSE(Dispatch(mailbox_, time_));
}

TEST_F(MailboxTest, RefuseAll_AnswersWhatIsQueued) {
  for (int i = 0; i < 3; ++i) Say("x");
  ASSERT_TRUE(Dispatch(mailbox_, time_));
  EXPECT_EQ(mailbox_.RefuseAll(absl::UnavailableError("stopped")), 2u);
  EXPECT_EQ(replies_[0].status(), absl::OkStatus());
  for (int i : {1, 2}) EXPECT_EQ(replies_[i].status(), absl::UnavailableError("stopped"));
  EXPECT_EQ(mailbox_.RefuseAll(absl::UnavailableError("stopped")), 0u);
  EXPECT_FALSE(mailbox_.has_calls());
  Say("y");
  EXPECT_TRUE(mailbox_.has_calls());
}

// A caller who writes into a call that was refused must hear that nobody reads.
TEST_F(MailboxTest, RefusedFromTheQueue_ReleasesTheRequestsToo) {
  mailbox_.Push(
      GatherCall{RequestStream<Word>(&sources_[0]), Reply<Word>(&replies_.emplace_back())});
  mailbox_.RefuseAll(absl::UnavailableError("stopped"));
  EXPECT_EQ(sources_[0].releases, 1);
  mailbox_.Push(
      GatherCall{RequestStream<Word>(&sources_[1]), Reply<Word>(&replies_.emplace_back())});
  replies_.back().MarkCancelled();
  EXPECT_EQ(DispatchAll(), 0);
  EXPECT_EQ(sources_[1].releases, 1);
}

TEST_F(MailboxTest, Destroyed_AnswersWhatIsQueued) {
  ReplyRecord<Word> reply;
  {
    Mailbox<SpeakerRequest> mailbox(name_, {}, time_);
    mailbox.Open();
    mailbox.Push(SayCall{Word{"x"}, Reply<Word>(&reply)});
  }
  EXPECT_EQ(reply.answers(), 1);
  EXPECT_EQ(reply.status(), absl::InternalError("the component dropped the request"));
}

TEST_F(MailboxTest, Attach_OfAnotherRequestEnum_IsRefused) {
  struct Mute final : Component {
    using Component::Component;
  } mute(context_);
  EXPECT_FALSE(mailbox_.Attach(&mute));
  EXPECT_TRUE(mailbox_.Attach(nullptr));
  EXPECT_TRUE(mailbox_.Attach(&speaker_));
}

TEST_F(MailboxTest, Dispatch_WhenTheMethodThrows_PassesItOnAndFailsTheCall) {
  script_.say = [](Context&, SayCall) { throw std::runtime_error("ouch"); };
  Say("x");
  Say("y");
  EXPECT_THROW(Dispatch(mailbox_, time_), std::runtime_error);
  mailbox_.CountFailure();
  EXPECT_EQ(mailbox_.thread_status().doing(), nullptr);
  EXPECT_EQ(replies_[0].status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(replies_[1].answers(), 0);
  EXPECT_EQ(mailbox_.stats().failed, 1u);
  EXPECT_EQ(mailbox_.stats().handled, 1u);
  EXPECT_EQ(mailbox_.stats().in_flight, 0u);
  EXPECT_TRUE(mailbox_.has_calls());
}

// A handler that is not generated may throw before it has taken the call out of the request.
TEST_F(MailboxTest, Dispatch_WhenTheHandlerThrowsAtOnce_FailsTheCall) {
  struct Thrower final : Component, Handler<SpeakerRequest> {
    using Component::Component;
    void Handle(SpeakerRequest&&) override { throw std::runtime_error("ouch"); }
  } thrower(context_);
  mailbox_.Attach(&thrower);
  const ReplyRecord<Word>& reply = Say("x");
  EXPECT_THROW(Dispatch(mailbox_, time_), std::runtime_error);
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kInternal);
}

TEST_F(MailboxTest, Stats_CountEachCallOnce) {
  Say("12");
  Say("345").MarkCancelled();
  Say("6", time_.Now());
  Say("too many");
  MailboxStats stats = mailbox_.stats();
  EXPECT_EQ(stats.queued_calls, 3u);
  EXPECT_EQ(stats.queued_bytes, 6u);
  EXPECT_EQ(stats.rejected, 1u);
  DispatchAll();
  stats = mailbox_.stats();
  EXPECT_EQ(stats.queued_calls, 0u);
  EXPECT_EQ(stats.queued_bytes, 0u);
  EXPECT_EQ(stats.handled, 1u);
  EXPECT_EQ(stats.cancelled, 1u);
  EXPECT_EQ(stats.expired, 1u);
  EXPECT_EQ(stats.failed, 0u);
}

TEST_F(MailboxTest, OldestCall_IsWhenTheLongestWaitingWasPushed) {
  const SteadyTime start = time_.Now();
  const auto second = [&](int number) { return After(start, absl::Seconds(number)); };
  const auto say_at_each_second = [this](int calls) {
    for (int i = 0; i < calls; ++i) {
      Say("x");
      time_.Advance(absl::Seconds(1));
    }
  };
  EXPECT_EQ(mailbox_.oldest_call(), kNever) << "nothing has come";
  say_at_each_second(3);
  EXPECT_EQ(mailbox_.oldest_call(), second(0));
  Dispatch(mailbox_, time_);
  EXPECT_EQ(mailbox_.oldest_call(), second(1)) << "of those that were taken over with the first";
  say_at_each_second(1);
  EXPECT_EQ(mailbox_.oldest_call(), second(1)) << "what comes in is younger";
  Dispatch(mailbox_, time_);
  Dispatch(mailbox_, time_);
  EXPECT_EQ(mailbox_.oldest_call(), second(3)) << "what came in is all that waits";
  Dispatch(mailbox_, time_);
  EXPECT_EQ(mailbox_.oldest_call(), kNever) << "all were taken";
}

TEST_F(MailboxTest, OldestCall_InsideAMethod_IsNotTheOneThatIsServed) {
  std::vector<SteadyTime> seen;
  script_.say = [&](Context&, SayCall) { seen.push_back(mailbox_.oldest_call()); };
  Say("x");
  time_.Advance(absl::Seconds(1));
  const SteadyTime later = time_.Now();
  Say("y");
  DispatchAll();
  EXPECT_THAT(seen, ElementsAre(later, kNever));
}

// There is one all the time, and who looks contends for the lock with the thread that takes it
// over.
TEST_F(MailboxTest, OldestCall_WhileTheThreadTakesOver_IsNotNever) {
  std::deque<ReplyRecord<Word>> replies;
  std::atomic<int> turn{0};
  for (int round = 0; round < 200; ++round) {
    replies.clear();
    for (int i = 0; i < 2; ++i) {
      mailbox_.Push(SayCall{Word{"hello"}, Reply<Word>(&replies.emplace_back())});
    }
    std::thread taker([&] {
      while (turn.load() != 1) {
      }
      Dispatch(mailbox_, time_);
      turn.store(2);
    });
    turn.store(1);
    while (turn.load() != 2) EXPECT_NE(mailbox_.oldest_call(), kNever);
    taker.join();
    Dispatch(mailbox_, time_);
    turn.store(0);
  }
}

TEST_F(MailboxTest, OldestCall_AfterARefusal_IsNever) {
  for (int i = 0; i < 3; ++i) Say("x");
  Dispatch(mailbox_, time_);
  mailbox_.RefuseAll(absl::UnavailableError("stopped"));
  EXPECT_EQ(mailbox_.oldest_call(), kNever);
  mailbox_.Close(absl::UnavailableError("stopped"));
  Say("x");
  EXPECT_EQ(mailbox_.oldest_call(), kNever) << "it was refused at once";
}

TEST_F(MailboxTest, InFlight_CountsWhatTheComponentHasAndDidNotAnswer) {
  std::vector<SayCall> held;
  script_.say = [&](Context&, SayCall call) { held.push_back(std::move(call)); };
  for (int i = 0; i < 3; ++i) Say("x");
  EXPECT_EQ(mailbox_.stats().in_flight, 0u) << "they are queued";
  DispatchAll();
  EXPECT_EQ(mailbox_.stats().in_flight, 3u);
  held[0].reply.Send(Word{"answer"});
  held[0].reply.Send(Word{"another answer, which goes nowhere"});
  EXPECT_EQ(mailbox_.stats().in_flight, 2u);
  held[1].reply.Fail(absl::NotFoundError("no"));
  EXPECT_EQ(mailbox_.stats().in_flight, 1u);
  held.clear();
  EXPECT_EQ(mailbox_.stats().in_flight, 0u) << "what is dropped is answered";
  EXPECT_EQ(mailbox_.stats().handled, 3u);
}

TEST_F(MailboxTest, InFlight_InsideAMethod_CountsItsCall) {
  std::vector<uint64_t> seen;
  const auto note = [&] { seen.push_back(mailbox_.stats().in_flight); };
  script_.say = [&](Context&, SayCall call) {
    note();
    call.reply.Send(Word{"answer"});
    note();
  };
  Say("x");
  DispatchAll();
  EXPECT_THAT(seen, ElementsAre(1, 0));
}

TEST_F(MailboxTest, InFlight_OfStreams_EndsWithThem) {
  std::optional<RecountCall> recount;
  std::optional<TalkCall> talk;
  script_.recount = [&](Context&, RecountCall call) { recount = std::move(call); };
  script_.talk = [&](Context&, TalkCall call) { talk = std::move(call); };
  StreamRecord<Word> recounted, talked;
  mailbox_.Push(RecountCall{Word{"x"}, ReplyStream<Word>(&recounted)});
  mailbox_.Push(TalkCall{RequestStream<Word>(&sources_[0]), ReplyStream<Word>(&talked)});
  DispatchAll();
  recount->replies.Write(Word{"one of many"});
  EXPECT_EQ(mailbox_.stats().in_flight, 2u);
  recount->replies.Finish();
  EXPECT_EQ(mailbox_.stats().in_flight, 1u);
  talk.reset();
  EXPECT_EQ(mailbox_.stats().in_flight, 0u);
}

TEST_F(MailboxTest, InFlight_OfCallsThatNeverReachTheComponent_IsNone) {
  Say("1", time_.Now());
  Say("2").MarkCancelled();
  EXPECT_EQ(DispatchAll(), 0);
  for (const char* text : {"3", "4", "5", "too many"}) Say(text);
  EXPECT_EQ(mailbox_.RefuseAll(absl::UnavailableError("stopped")), 3u);
  EXPECT_EQ(mailbox_.stats().handled, 0u);
  EXPECT_EQ(mailbox_.stats().in_flight, 0u);
}

TEST_F(MailboxTest, InFlight_WhenTheCallerHasGone_IsOver) {
  std::optional<SayCall> held;
  script_.say = [&](Context&, SayCall call) { held = std::move(call); };
  ReplyRecord<Word>& caller = Say("x");
  DispatchAll();
  EXPECT_EQ(mailbox_.stats().in_flight, 1u);
  caller.MarkCancelled();
  EXPECT_EQ(mailbox_.stats().in_flight, 0u) << "nobody waits for it";
  held.reset();
  EXPECT_EQ(mailbox_.stats().in_flight, 0u);
}

// As those of gRPC calls are: what the object was counted in last must not count what is refused.
TEST_F(MailboxTest, InFlight_OfACallObjectThatIsUsedAgain_CountsEachCallOnce) {
  ReplyRecord<Word>& caller = Say("first");
  DispatchAll();
  caller.BeginCall(kNever);
  mailbox_.Close(absl::UnavailableError("closed"));
  mailbox_.Push(SayCall{Word{"second"}, Reply<Word>(&caller)});
  EXPECT_EQ(caller.answers(), 2);
  EXPECT_EQ(mailbox_.stats().in_flight, 0u);
}

TEST_F(MailboxTest, CurrentMethod_InsideAMethod_IsItsName) {
  EXPECT_EQ(mailbox_.thread_status().doing(), nullptr);
  std::string seen;
  SteadyTime since;
  script_.say = [&](Context&, SayCall) {
    time_.Advance(absl::Seconds(3));
    seen = mailbox_.thread_status().doing();
    since = mailbox_.thread_status().since();
  };
  const SteadyTime start = time_.Now();
  Say("x");
  DispatchAll();
  EXPECT_EQ(seen, "/test.Speaker/Say");
  EXPECT_EQ(since, start);
  EXPECT_EQ(mailbox_.thread_status().doing(), nullptr);
}

}  // namespace
}  // namespace mainspring::testing
