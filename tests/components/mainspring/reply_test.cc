#include "mainspring/reply.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>

#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

TEST(Reply, Send_Answers) {
  ReplyRecord<Word> record;
  Reply<Word> reply(&record);
  EXPECT_FALSE(reply.answered());
  reply.Send(Word{"hello"});
  EXPECT_TRUE(reply.answered());
  EXPECT_EQ(record.answer()->text, "hello");
}

TEST(Reply, Fail_AnswersWithTheStatusAsItIs) {
  ReplyRecord<Word> record;
  Reply<Word>(&record).Fail(absl::NotFoundError("no such word"));
  EXPECT_EQ(record.status(), absl::NotFoundError("no such word"));
}

TEST(Reply, FailWithAnyBytes_AnswersWithBoundedUtf8) {
  ReplyRecord<Word> word, longer;
  Reply<Word>(&word).Fail(absl::NotFoundError("caf\xE9"));
  EXPECT_EQ(word.status(), absl::NotFoundError("caf\\xe9"));
  Reply<Word>(&longer).Fail(absl::NotFoundError(std::string(5000, 'x')));
  EXPECT_EQ(longer.status().message().size(), kMaxText);
}

TEST(Reply, AnsweredTwice_IsAnsweredOnce) {
  ReplyRecord<Word> record;
  {
    Reply<Word> reply(&record);
    reply.Send(Word{"first"});
    reply.Send(Word{"second"});
    reply.Fail(absl::InternalError("third"));
    reply.Send(absl::StatusOr<Word>(Word{"fourth"}));
  }
  EXPECT_EQ(record.answers(), 1);
  EXPECT_EQ(record.answer()->text, "first");
}

TEST(Reply, SendOfBraces_IsAnEmptyMessage) {
  ReplyRecord<Word> record;
  Reply<Word>(&record).Send({});
  EXPECT_EQ(record.answer()->text, "");
}

TEST(Reply, SendOfAStatusOr_AnswersEither) {
  ReplyRecord<Word> good, bad;
  Reply<Word>(&good).Send(absl::StatusOr<Word>(Word{"hello"}));
  Reply<Word>(&bad).Send(absl::StatusOr<Word>(absl::AbortedError("no")));
  EXPECT_EQ(good.answer()->text, "hello");
  EXPECT_EQ(bad.status(), absl::AbortedError("no"));
}

TEST(Reply, FailWithOk_IsInternal) {
  ReplyRecord<Word> record;
  Reply<Word>(&record).Fail(absl::OkStatus());
  EXPECT_EQ(record.status().code(), absl::StatusCode::kInternal);
}

TEST(Reply, Dropped_AnswersInternal) {
  ReplyRecord<Word> record;
  { Reply<Word> reply(&record); }
  EXPECT_EQ(record.answers(), 1);
  EXPECT_EQ(record.status(), Dropped());
}

TEST(Reply, Moved_HandsTheRightOver) {
  ReplyRecord<Word> record;
  Reply<Word> first(&record);
  Reply<Word> second(std::move(first));
  EXPECT_TRUE(first.answered());  // NOLINT(bugprone-use-after-move): says so
  EXPECT_TRUE(first.cancelled());
  first.Send(Word{"from nowhere"});
  second.Send(Word{"hello"});
  EXPECT_EQ(record.answers(), 1);
}

TEST(Reply, MoveAssigned_AnswersTheOneThatIsOverwritten) {
  ReplyRecord<Word> overwritten, kept;
  Reply<Word> reply(&overwritten);
  reply = Reply<Word>(&kept);
  EXPECT_EQ(overwritten.status(), Dropped());
  EXPECT_EQ(kept.answers(), 0);
  Reply<Word>& itself = reply;
  reply = std::move(itself);
  EXPECT_EQ(kept.answers(), 0);
  reply.Send(Word{"hello"});
  EXPECT_EQ(kept.answer()->text, "hello");
}

TEST(Reply, ByDefault_IsAnswered) {
  Reply<Word> reply;
  EXPECT_TRUE(reply.answered());
  EXPECT_TRUE(reply.cancelled());
  reply.Send(Word{"x"});
  EXPECT_FALSE(std::is_copy_constructible_v<Reply<Word>>);
}

TEST(Reply, HoweverItIsAnswered_CountsOnceWhereItsCallIsCounted) {
  std::atomic<uint64_t> answered{0};
  ReplyRecord<Word> sent, failed, dropped, nowhere;
  for (const ReplyRecord<Word>* record : {&sent, &failed, &dropped}) {
    record->CountAnswerIn(answered);
  }
  Reply<Word> reply(&sent);
  reply.Send(Word{"hello"});
  reply.Send(Word{"again"});
  EXPECT_EQ(answered, 1u);
  Reply<Word>(&failed).Fail(absl::AbortedError("no"));
  EXPECT_EQ(answered, 2u);
  { Reply<Word> unanswered(&dropped); }
  EXPECT_EQ(answered, 3u);
  Reply<Word>(&nowhere).Send(Word{"hello"});
  EXPECT_EQ(answered, 3u);
}

TEST(Reply, FromAnotherThread_Answers) {
  ReplyRecord<Word> sent, dropped;
  std::thread([reply = Reply<Word>(&sent)]() mutable { reply.Send(Word{"from afar"}); }).join();
  std::thread([reply = Reply<Word>(&dropped)] {}).join();
  EXPECT_EQ(sent.answer()->text, "from afar");
  EXPECT_EQ(dropped.status(), Dropped());
}

TEST(Reply, Circumstances_AreThoseOfTheCall) {
  ReplyRecord<Word> record(SteadyTime(std::chrono::seconds(7)));
  Reply<Word> reply(&record);
  EXPECT_EQ(reply.deadline(), SteadyTime(std::chrono::seconds(7)));
  EXPECT_EQ(reply.context().Peer(), "process");
  EXPECT_FALSE(reply.cancelled());
  record.MarkCancelled();
  EXPECT_TRUE(reply.cancelled());
  reply.Send(Word{"nobody hears"});
  EXPECT_EQ(record.answers(), 1);
}

TEST(Reply, OnCancel_RunsOnTheComponentsThread) {
  const auto lane = std::make_shared<CallbackLane>();
  const ReturnAddress address(lane, 1);
  ReplyRecord<Word> record;
  Reply<Word> reply(&record);
  bool ran = false;
  {
    ReturnAddressScope scope(address);
    reply.OnCancel([&] { ran = true; });
  }
  std::thread([&] { record.MarkCancelled(); }).join();
  EXPECT_FALSE(ran);
  lane->RunAll();
  EXPECT_TRUE(ran);
}

TEST(Reply, Answered_HasTheCircumstancesOfNoCall) {
  const auto lane = std::make_shared<CallbackLane>();
  const ReturnAddress address(lane, 1);
  ReturnAddressScope scope(address);
  ReplyRecord<Word> record(SteadyTime(std::chrono::seconds(7)));
  Reply<Word> sent(&record);
  sent.Send(Word{"hello"});
  Reply<Word> by_default;
  for (Reply<Word>* reply : {&sent, &by_default}) {
    EXPECT_EQ(reply->deadline(), kNever);
    EXPECT_TRUE(reply->cancelled());
    EXPECT_TRUE(reply->context().cancelled());
    EXPECT_EQ(reply->context().deadline(), kNever);
    EXPECT_EQ(reply->context().Peer(), "");
    EXPECT_EQ(reply->context().Metadata("key"), "");
    reply->OnCancel([] { FAIL() << "nobody can go any more"; });
  }
  EXPECT_EQ(lane->RunAll(), 0u);
}

}  // namespace
}  // namespace mainspring::testing
