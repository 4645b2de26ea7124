#include "mainspring/reply_stream.h"

#include <gmock/gmock.h>
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

using ::testing::ElementsAre;

const absl::Status kOk;

TEST(ReplyStream, WriteAndFinish_AnswerManyTimes) {
  StreamRecord<Word> record;
  ReplyStream<Word> replies(&record);
  EXPECT_EQ(replies.Write(Word{"one"}), WriteResult::kAccepted);
  EXPECT_EQ(replies.Write(Word{"two"}), WriteResult::kAccepted);
  EXPECT_FALSE(replies.finished());
  replies.Finish();
  EXPECT_TRUE(replies.finished());
  EXPECT_THAT(record.messages, ElementsAre(Word{"one"}, Word{"two"}));
  EXPECT_THAT(record.endings, ElementsAre(kOk));
}

TEST(ReplyStream, FinishedTwice_EndsOnce) {
  StreamRecord<Word> record;
  {
    ReplyStream<Word> replies(&record);
    replies.Finish(absl::AbortedError("enough"));
    replies.Finish();
    EXPECT_EQ(replies.Write(Word{"late"}), WriteResult::kClosed);
  }
  EXPECT_THAT(record.endings, ElementsAre(absl::AbortedError("enough")));
  EXPECT_TRUE(record.messages.empty());
}

TEST(ReplyStream, FinishedWithAnyBytes_EndsWithBoundedUtf8) {
  StreamRecord<Word> record;
  ReplyStream<Word>(&record).Finish(absl::AbortedError("caf\xE9"));
  EXPECT_THAT(record.endings, ElementsAre(absl::AbortedError("caf\\xe9")));
}

TEST(ReplyStream, Dropped_EndsInternal) {
  StreamRecord<Word> record;
  { ReplyStream<Word> replies(&record); }
  EXPECT_THAT(record.endings, ElementsAre(Dropped()));
}

TEST(ReplyStream, MoveAssigned_EndsTheOneThatIsOverwritten) {
  StreamRecord<Word> overwritten, kept;
  ReplyStream<Word> replies(&overwritten);
  replies = ReplyStream<Word>(&kept);
  EXPECT_THAT(overwritten.endings, ElementsAre(Dropped()));
  ReplyStream<Word>& itself = replies;
  replies = std::move(itself);
  EXPECT_TRUE(kept.endings.empty());
  replies.Finish();
  EXPECT_THAT(kept.endings, ElementsAre(kOk));
}

TEST(ReplyStream, ByDefault_IsFinished) {
  ReplyStream<Word> replies;
  EXPECT_TRUE(replies.finished());
  EXPECT_TRUE(replies.cancelled());
  EXPECT_EQ(replies.Write(Word{"x"}), WriteResult::kClosed);
  replies.Finish();
  replies.OnReady([] { FAIL(); });
  replies.OnCancel([] { FAIL(); });
  EXPECT_FALSE(std::is_copy_constructible_v<ReplyStream<Word>>);
}

TEST(ReplyStream, Write_WhenFull_LeavesTheMessage) {
  StreamRecord<Word> record;
  record.room = 1;
  ReplyStream<Word> replies(&record);
  const Word copied{"copied"};
  EXPECT_EQ(replies.Write(copied), WriteResult::kAccepted);
  Word kept{"kept"};
  EXPECT_EQ(replies.Write(std::move(kept)), WriteResult::kFull);
  EXPECT_EQ(kept.text, "kept");  // NOLINT(bugprone-use-after-move): moved from only if accepted
  bool ready = false;
  replies.OnReady([&] { ready = true; });
  record.room = 2;
  record.ready();
  EXPECT_TRUE(ready);
  EXPECT_EQ(replies.Write(std::move(kept)), WriteResult::kAccepted);
  EXPECT_THAT(record.messages, ElementsAre(Word{"copied"}, Word{"kept"}));
}

TEST(ReplyStream, ItsEnd_CountsOnceWhereItsCallIsCounted) {
  std::atomic<uint64_t> answered{0};
  StreamRecord<Word> finished, dropped;
  for (const StreamRecord<Word>* record : {&finished, &dropped}) record->CountAnswerIn(answered);
  ReplyStream<Word> replies(&finished);
  replies.Write(Word{"hello"});
  EXPECT_EQ(answered, 0u);
  replies.Finish();
  replies.Finish();
  EXPECT_EQ(answered, 1u);
  { ReplyStream<Word> unfinished(&dropped); }
  EXPECT_EQ(answered, 2u);
}

TEST(ReplyStream, FromAnotherThread_Answers) {
  StreamRecord<Word> record;
  std::thread([replies = ReplyStream<Word>(&record)]() mutable {
    replies.Write(Word{"from afar"});
    replies.Finish();
  }).join();
  EXPECT_EQ(record.messages.size(), 1u);
  EXPECT_THAT(record.endings, ElementsAre(kOk));
}

TEST(ReplyStream, WhenTheReaderGoes_SaysSoAndRunsOnCancel) {
  const auto lane = std::make_shared<CallbackLane>();
  const ReturnAddress address(lane, 1);
  StreamRecord<Word> record;
  ReplyStream<Word> replies(&record);
  bool gone = false;
  {
    ReturnAddressScope scope(address);
    replies.OnCancel([&] { gone = true; });
  }
  record.MarkCancelled();
  EXPECT_TRUE(replies.cancelled());
  EXPECT_EQ(replies.Write(Word{"x"}), WriteResult::kClosed);
  EXPECT_FALSE(gone);
  lane->RunAll();
  EXPECT_TRUE(gone);
}

TEST(ReplyStream, Finished_HasTheCircumstancesOfNoCall) {
  const auto lane = std::make_shared<CallbackLane>();
  const ReturnAddress address(lane, 1);
  ReturnAddressScope scope(address);
  StreamRecord<Word> record;
  ReplyStream<Word> finished(&record);
  finished.Finish();
  ReplyStream<Word> by_default;
  for (ReplyStream<Word>* replies : {&finished, &by_default}) {
    EXPECT_EQ(replies->deadline(), kNever);
    EXPECT_TRUE(replies->cancelled());
    EXPECT_TRUE(replies->context().cancelled());
    EXPECT_EQ(replies->context().deadline(), kNever);
    EXPECT_EQ(replies->Write(Word{"x"}), WriteResult::kClosed);
    replies->OnCancel([] { FAIL() << "nobody can go any more"; });
  }
  EXPECT_EQ(lane->RunAll(), 0u);
}

}  // namespace
}  // namespace mainspring::testing
