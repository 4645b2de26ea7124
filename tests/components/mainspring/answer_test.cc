#include "mainspring/answer.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

// The two ends of a call in process.
struct Ends {
  explicit Ends(SteadyTime deadline = kNever) {
    SharedPtr<LocalCall<Word>> call(new LocalCall<Word>({.deadline = deadline}));
    reply = Reply<Word>(call.get());
    answer.emplace(std::move(call));
  }
  Reply<Word> reply;
  std::optional<Answer<Word>> answer;
};

SteadyTime Soon() { return After(std::chrono::steady_clock::now(), absl::Milliseconds(5)); }

TEST(Answer, Await_GetsWhatTheReplySends) {
  Ends call;
  call.reply.Send(Word{"hello"});
  absl::StatusOr<Word> word = call.answer->Await();
  ASSERT_TRUE(word.ok()) << word.status();
  EXPECT_EQ(word->text, "hello");
}

TEST(AnswerHandle, CancelledAfterTheAnswerCame_CancelsNothing) {
  CallbackLane lane;
  const ReturnAddress address(std::shared_ptr<CallbackLane>(&lane, [](auto*) {}), 1);
  const ReturnAddressScope scope(address);
  SharedPtr<LocalCall<Word>> call(new LocalCall<Word>(CallOptions()));
  const SharedPtr<LocalCall<Word>> seen = call.Another();
  Reply<Word> reply(call.get());
  int answers = 0;
  AnswerHandle handle =
      Answer<Word>(std::move(call)).Then([&](const absl::StatusOr<Word>&) { ++answers; });
  reply.Send(Word{"hello"});
  lane.RunAll();
  handle.Cancel();
  EXPECT_EQ(answers, 1);
  EXPECT_FALSE(seen->cancelled());
}

TEST(AnswerHandle, CancelledBefore_WithdrawsTheCallbackAndTellsWhoWasAsked) {
  CallbackLane lane;
  const ReturnAddress address(std::shared_ptr<CallbackLane>(&lane, [](auto*) {}), 1);
  const ReturnAddressScope scope(address);
  Ends call;
  int answers = 0;
  AnswerHandle handle = call.answer->Then([&](const absl::StatusOr<Word>&) { ++answers; });
  AnswerHandle other = std::move(handle);
  other.Cancel();
  EXPECT_TRUE(call.reply.cancelled());
  call.reply.Send(Word{"too late"});
  lane.RunAll();
  EXPECT_EQ(answers, 0);
}

TEST(Answer, Await_GetsAnError) {
  Ends call;
  call.reply.Fail(absl::NotFoundError("no such word"));
  EXPECT_EQ(call.answer->Await().status(), absl::NotFoundError("no such word"));
}

TEST(Answer, Await_GetsTheDropOfAReply) {
  Ends call;
  call.reply = Reply<Word>();
  EXPECT_EQ(call.answer->Await().status(),
            absl::InternalError("the component dropped the request"));
}

TEST(Answer, Await_BeforeTheReply_BlocksUntilItComes) {
  for (int i = 0; i < 300; ++i) {
    Ends call;
    std::thread component([reply = std::move(call.reply)]() mutable { reply.Send(Word{"hello"}); });
    absl::StatusOr<Word> word = call.answer->Await();
    component.join();
    ASSERT_TRUE(word.ok()) << word.status();
  }
}

TEST(Answer, Await_PastItsDeadline_CancelsTheCall) {
  Ends call;
  EXPECT_EQ(call.answer->Await(Soon()).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(call.reply.cancelled());
  call.reply.Send(Word{"too late"});
}

TEST(Answer, Await_WithAnAnswerThereAndTheDeadlinePassed_GetsTheAnswer) {
  Ends call;
  call.reply.Send(Word{"hello"});
  EXPECT_TRUE(call.answer->Await(kNoWait).ok());
}

TEST(Answer, Await_BesideTheDeadline_GetsEitherAndNeverBoth) {
  for (int i = 0; i < 300; ++i) {
    Ends call;
    std::thread component([reply = std::move(call.reply)]() mutable { reply.Send(Word{"hello"}); });
    const absl::StatusOr<Word> word =
        call.answer->Await(std::chrono::steady_clock::now() + std::chrono::microseconds(i));
    component.join();
    ASSERT_TRUE(word.ok() || word.status().code() == absl::StatusCode::kDeadlineExceeded);
  }
}

class OnComponentThread : public ::testing::Test {
 protected:
  const std::shared_ptr<CallbackLane> lane_ = std::make_shared<CallbackLane>();
  const ReturnAddress address_{lane_, 1};
  ReturnAddressScope scope_{address_};
};
using AnswerTest = OnComponentThread;

TEST_F(AnswerTest, Await_OnAComponentsThread_IsRefusedAndKeepsTheCall) {
  Ends call;
  EXPECT_EQ(call.answer->Await().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(call.reply.cancelled());
  std::string got;
  call.answer->Then([&](absl::StatusOr<Word> word) { got = word->text; });
  call.reply.Send(Word{"hello"});
  lane_->RunAll();
  EXPECT_EQ(got, "hello");
}

TEST_F(AnswerTest, Then_RunsLaterOnTheAskersThread) {
  Ends call;
  std::optional<absl::StatusOr<Word>> got;
  call.answer->Then([&](absl::StatusOr<Word> word) { got = std::move(word); });
  call.answer.reset();
  EXPECT_FALSE(call.reply.cancelled()) << "it was asked for";
  std::thread([&] { call.reply.Send(Word{"hello"}); }).join();
  EXPECT_FALSE(got.has_value());
  EXPECT_EQ(lane_->instance(), 1u);
  EXPECT_EQ(lane_->RunAll(), 1u);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ((*got)->text, "hello");
}

TEST_F(AnswerTest, Then_AfterTheReply_RunsLaterToo) {
  Ends call;
  call.reply.Fail(absl::AbortedError("no"));
  std::optional<absl::StatusOr<Word>> got;
  call.answer->Then([&](absl::StatusOr<Word> word) { got = std::move(word); });
  EXPECT_FALSE(got.has_value());
  lane_->RunAll();
  EXPECT_EQ(got->status(), absl::AbortedError("no"));
}

TEST_F(AnswerTest, Then_BesideTheReply_RunsExactlyOnce) {
  for (int i = 0; i < 500; ++i) {
    Ends call;
    int ran = 0;
    std::thread component([reply = std::move(call.reply)]() mutable { reply.Send(Word{"hello"}); });
    call.answer->Then([&](absl::StatusOr<Word>) { ++ran; });
    component.join();
    lane_->RunAll();
    ASSERT_EQ(ran, 1);
  }
}

TEST_F(AnswerTest, Then_ASecondTimeOrAfterAMove_SaysSoLater) {
  Ends call, moved;
  call.answer->Then([](absl::StatusOr<Word>) {});
  const Answer<Word> owner(*std::move(moved.answer));
  std::vector<absl::Status> got;
  for (Ends* ends : {&call, &moved}) {
    ends->answer->Then([&](absl::StatusOr<Word> word) { got.push_back(word.status()); });
  }
  EXPECT_TRUE(got.empty());
  lane_->RunAll();
  ASSERT_EQ(got.size(), 2u);
  for (const absl::Status& status : got) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  }
  EXPECT_FALSE(call.reply.cancelled());
  EXPECT_FALSE(moved.reply.cancelled());
}

TEST(Answer, Await_ASecondTimeOrAfterAMoveOrDetach_SaysSo) {
  Ends call, moved, detached;
  call.reply.Send(Word{"hello"});
  EXPECT_TRUE(call.answer->Await().ok());
  const Answer<Word> owner(*std::move(moved.answer));
  detached.answer->Detach();
  for (Ends* ends : {&call, &moved, &detached}) {
    EXPECT_EQ(ends->answer->Await().status().code(), absl::StatusCode::kFailedPrecondition);
  }
}

// What the callback holds may be the right to answer: it must not keep its own lane alive.
TEST(Answer, Then_WhenItsLaneGoesAwayUnserved_FreesWhatItHolds) {
  const auto held = std::make_shared<int>(0);
  {
    const ReturnAddress address(std::make_shared<CallbackLane>(), 1);
    ReturnAddressScope scope(address);
    Ends call;
    call.answer->Then([held](absl::StatusOr<Word>) { FAIL() << "the lane was not served"; });
    call.reply.Send(Word{"hello"});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Answer, Destroyed_CancelsTheCall) {
  Ends call;
  call.answer.reset();
  EXPECT_TRUE(call.reply.cancelled());
}

TEST(Answer, MoveAssigned_CancelsTheOneThatIsOverwritten) {
  Ends first, second;
  *first.answer = *std::move(second.answer);
  EXPECT_TRUE(first.reply.cancelled());
  EXPECT_FALSE(second.reply.cancelled());
  second.reply.Send(Word{"hello"});
  EXPECT_EQ(first.answer->Await()->text, "hello");
}

TEST(Answer, Detach_LetsTheCallGoOn) {
  Ends call;
  call.answer->Detach();
  call.answer.reset();
  EXPECT_FALSE(call.reply.cancelled());
  call.reply.Send(Word{"hello"});
}

TEST_F(AnswerTest, OnCancel_OfACallThatIsCancelled_Runs) {
  Ends call;
  int ran = 0;
  call.reply.OnCancel([&] { ++ran; });
  call.answer.reset();
  lane_->RunAll();
  EXPECT_EQ(ran, 1);
}

// What the callback refers to is gone by then: the component is done with the call.
TEST_F(AnswerTest, OnCancel_OfACallThatWasAnswered_DoesNotRun) {
  Ends call;
  call.reply.OnCancel([] { FAIL() << "the call was answered"; });
  call.reply.Send(Word{"hello"});
  call.answer.reset();
  EXPECT_EQ(lane_->RunAll(), 0u);
}

TEST(LocalCall, Deadline_IsThatOfItsOptions) {
  EXPECT_EQ(Ends(SteadyTime(std::chrono::seconds(3))).reply.deadline(),
            SteadyTime(std::chrono::seconds(3)));
  EXPECT_EQ(Ends().reply.deadline(), kNever);
}

}  // namespace
}  // namespace mainspring::testing
