#include "mainspring/pipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mainspring/ref.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;

// Both ends of a pipe, on one thread, which runs its callbacks when the test says so.
class PipeTest : public ::testing::Test {
 protected:
  PipeTest() {
    pipe_->Ref();
    writer_.emplace(pipe_);
    reader_.emplace(pipe_);
  }

  Callback NoteReady() {
    return [this] { ++ready_; };
  }
  void Read() {
    reader_->Read([this](std::optional<Word> word) {
      read_.push_back(word.has_value() ? word->text : "(end)");
    });
  }
  void Fill() {
    for (size_t i = 0; i < kStreamBuffer; ++i) {
      ASSERT_EQ(writer_->Write(Word{"x"}), WriteResult::kAccepted);
    }
  }

  const std::shared_ptr<CallbackLane> lane_ = std::make_shared<CallbackLane>();
  const ReturnAddress address_{lane_, 1};
  ReturnAddressScope scope_{address_};
  Pipe<Word>* pipe_ = new Pipe<Word>(CallOptions());
  std::optional<ReplyStream<Word>> writer_;
  std::optional<AnswerStream<Word>> reader_;
  int ready_ = 0;
  std::vector<std::string> read_;
};

TEST_F(PipeTest, WriteThenAwaitNext_PassesMessagesInOrder) {
  EXPECT_EQ(reader_->status().code(), absl::StatusCode::kUnknown);
  writer_->Write(Word{"one"});
  writer_->Write(Word{"two"});
  writer_->Finish(absl::AbortedError("enough"));
  EXPECT_EQ(reader_->AwaitNext()->text, "one");
  EXPECT_EQ(reader_->AwaitNext()->text, "two");
  EXPECT_EQ(reader_->AwaitNext(), std::nullopt);
  EXPECT_EQ(reader_->AwaitNext(), std::nullopt);
  EXPECT_EQ(reader_->status(), absl::AbortedError("enough"));
}

TEST_F(PipeTest, Read_RunsLaterWithTheNextMessage) {
  writer_->Write(Word{"one"});
  Read();
  EXPECT_TRUE(read_.empty());
  lane_->RunAll();
  EXPECT_THAT(read_, ElementsAre("one"));
  Read();
  EXPECT_EQ(lane_->RunAll(), 0u) << "there is none yet";
  writer_->Write(Word{"two"});
  lane_->RunAll();
  EXPECT_THAT(read_, ElementsAre("one", "two"));
  Read();
  writer_->Finish();
  lane_->RunAll();
  EXPECT_THAT(read_, ElementsAre("one", "two", "(end)"));
}

TEST_F(PipeTest, Write_WhenTheReaderIsBehind_IsFullAfterTheBuffer) {
  Fill();
  Word kept{"kept"};
  EXPECT_EQ(writer_->Write(std::move(kept)), WriteResult::kFull);
  EXPECT_EQ(kept.text, "kept");  // NOLINT(bugprone-use-after-move): moved from only if accepted
  EXPECT_TRUE(reader_->AwaitNext(kNoWait).has_value());
  EXPECT_EQ(writer_->Write(std::move(kept)), WriteResult::kAccepted);
}

TEST_F(PipeTest, OnReady_OfAFullStream_RunsOnceWhenThereIsRoom) {
  Fill();
  EXPECT_EQ(writer_->Write(Word{"x"}), WriteResult::kFull);
  writer_->OnReady(NoteReady());
  EXPECT_EQ(lane_->size(), 0u);
  reader_->AwaitNext(kNoWait);
  reader_->AwaitNext(kNoWait);
  lane_->RunAll();
  EXPECT_EQ(ready_, 1);
}

TEST_F(PipeTest, OnReady_WithRoom_RunsLater) {
  writer_->OnReady(NoteReady());
  EXPECT_EQ(ready_, 0);
  lane_->RunAll();
  EXPECT_EQ(ready_, 1);
}

TEST_F(PipeTest, OnReady_AfterRoomCame_RunsLater) {
  Fill();
  EXPECT_EQ(writer_->Write(Word{"x"}), WriteResult::kFull);
  reader_->AwaitNext(kNoWait);
  writer_->OnReady(NoteReady());
  lane_->RunAll();
  EXPECT_EQ(ready_, 1);
}

// The buffer is full, and the last Write happens to be the one that filled it.
TEST_F(PipeTest, OnReady_OfAFullBufferThatRefusedNothing_RunsWhenThereIsRoom) {
  Fill();
  writer_->OnReady(NoteReady());
  EXPECT_EQ(lane_->size(), 0u);
  reader_->AwaitNext(kNoWait);
  lane_->RunAll();
  EXPECT_EQ(ready_, 1);
}

TEST_F(PipeTest, OnReady_ASecondTime_ReplacesTheFirst) {
  Fill();
  EXPECT_EQ(writer_->Write(Word{"x"}), WriteResult::kFull);
  writer_->OnReady([] { FAIL() << "replaced"; });
  writer_->OnReady(NoteReady());
  reader_->AwaitNext(kNoWait);
  lane_->RunAll();
  EXPECT_EQ(ready_, 1);
}

TEST_F(PipeTest, OnSent_RunsOnceWhenTheReaderHasTakenAll) {
  writer_->Write(Word{"one"});
  writer_->Write(Word{"two"});
  writer_->OnSent(NoteReady());
  reader_->AwaitNext(kNoWait);
  EXPECT_EQ(lane_->size(), 0u);
  reader_->AwaitNext(kNoWait);
  lane_->RunAll();
  EXPECT_EQ(ready_, 1);
}

TEST_F(PipeTest, OnSent_WithNothingWritten_RunsLater) {
  writer_->OnSent(NoteReady());
  EXPECT_EQ(ready_, 0);
  lane_->RunAll();
  EXPECT_EQ(ready_, 1);
}

TEST_F(PipeTest, OnSent_WhenTheReaderGoes_Runs) {
  writer_->Write(Word{"one"});
  writer_->OnSent(NoteReady());
  reader_.reset();
  lane_->RunAll();
  EXPECT_EQ(ready_, 1);
}

TEST_F(PipeTest, ReaderGone_ClosesTheWriter) {
  Fill();
  EXPECT_EQ(writer_->Write(Word{"x"}), WriteResult::kFull);
  bool cancelled = false;
  writer_->OnReady(NoteReady());
  writer_->OnCancel([&] { cancelled = true; });
  reader_.reset();
  EXPECT_TRUE(writer_->cancelled());
  EXPECT_EQ(writer_->Write(Word{"x"}), WriteResult::kClosed);
  lane_->RunAll();
  EXPECT_EQ(ready_, 1) << "so that a writer that waits hears of it";
  EXPECT_TRUE(cancelled);
  writer_->Finish();
}

// What the callback refers to is gone by then: the component is done with the call.
TEST_F(PipeTest, OnCancel_OfAFinishedStream_DoesNotRun) {
  writer_->OnCancel([] { FAIL() << "the stream was finished"; });
  writer_->Finish();
  reader_.reset();
  EXPECT_EQ(lane_->RunAll(), 0u);
}

TEST_F(PipeTest, OnReady_OfAStreamThatWasFinished_DoesNotRun) {
  Fill();
  EXPECT_EQ(writer_->Write(Word{"x"}), WriteResult::kFull);
  writer_->OnReady([] { FAIL() << "the stream was finished"; });
  writer_->Finish();
  reader_->AwaitNext(kNoWait);
  EXPECT_EQ(lane_->RunAll(), 0u);
}

TEST_F(PipeTest, WriterDropped_EndsTheReaderInternal) {
  writer_->Write(Word{"one"});
  writer_.reset();
  EXPECT_EQ(reader_->AwaitNext()->text, "one");
  EXPECT_EQ(reader_->AwaitNext(), std::nullopt);
  EXPECT_EQ(reader_->status(), absl::InternalError("the component dropped the request"));
}

TEST_F(PipeTest, AwaitNext_WhenNothingComesByTheDeadline_IsNothingAndLosesNothing) {
  EXPECT_EQ(reader_->AwaitNext(After(std::chrono::steady_clock::now(), absl::Milliseconds(5))),
            std::nullopt);
  EXPECT_EQ(reader_->status().code(), absl::StatusCode::kUnknown);
  writer_->Write(Word{"late"});
  EXPECT_EQ(reader_->AwaitNext(kNoWait)->text, "late");
}

TEST_F(PipeTest, ReaderMovedAndAssigned_ReleasesTheOneThatIsOverwritten) {
  auto* other_pipe = new Pipe<Word>(CallOptions());
  other_pipe->Ref();
  ReplyStream<Word> other_writer(other_pipe);
  AnswerStream<Word> other(other_pipe);
  other = std::move(*reader_);
  EXPECT_TRUE(other_writer.cancelled());
  EXPECT_FALSE(writer_->cancelled());
  writer_->Write(Word{"x"});
  EXPECT_TRUE(other.AwaitNext(kNoWait).has_value());
}

TEST_F(PipeTest, Read_ASecondTime_TakesThePlaceOfTheFirstAndLosesNothing) {
  const auto held = std::make_shared<int>(0);
  reader_->Read([held](std::optional<Word>) { FAIL() << "another took its place"; });
  EXPECT_EQ(held.use_count(), 2);
  Read();
  EXPECT_EQ(held.use_count(), 1);
  writer_->Write(Word{"one"});
  writer_->Write(Word{"two"});
  lane_->RunAll();
  EXPECT_THAT(read_, ElementsAre("one"));
  Read();
  lane_->RunAll();
  EXPECT_THAT(read_, ElementsAre("one", "two"));
}

// Its message was on its way to it: it is its own.
TEST_F(PipeTest, Read_AfterTheFirstWasAnswered_GetsTheNext) {
  writer_->Write(Word{"one"});
  Read();
  Read();
  writer_->Write(Word{"two"});
  lane_->RunAll();
  EXPECT_THAT(read_, ElementsAre("one", "two"));
}

TEST_F(PipeTest, ReaderMovedFrom_IsAtItsEnd) {
  AnswerStream<Word> owner(std::move(*reader_));
  Read();
  EXPECT_TRUE(read_.empty());
  lane_->RunAll();
  EXPECT_THAT(read_, ElementsAre("(end)"));
  EXPECT_EQ(reader_->AwaitNext(), std::nullopt);
  EXPECT_EQ(reader_->status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(PipeTest, ReadPending_WhenTheReaderGoes_IsDestroyed) {
  const auto held = std::make_shared<int>(0);
  reader_->Read([held](std::optional<Word>) {});
  EXPECT_EQ(held.use_count(), 2);
  reader_.reset();
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(PipeTest, WriterAndReaderOnTwoThreads_PassEveryMessageInOrder) {
  constexpr int kMessages = 20'000;
  std::thread writer([replies = std::move(*writer_)]() mutable {
    for (int i = 0; i < kMessages;) {
      if (replies.Write(Word{std::to_string(i)}) == WriteResult::kAccepted) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
    replies.Finish();
  });
  for (int i = 0; i < kMessages; ++i) {
    std::optional<Word> word = reader_->AwaitNext();
    ASSERT_TRUE(word.has_value());
    ASSERT_EQ(word->text, std::to_string(i));
  }
  EXPECT_EQ(reader_->AwaitNext(), std::nullopt);
  EXPECT_TRUE(reader_->status().ok());
  writer.join();
}

}  // namespace
}  // namespace mainspring::testing
