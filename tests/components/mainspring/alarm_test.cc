// What a wait does at its deadline, on a component's thread, and what is left of it when it ends
// before.
#include "mainspring/alarm.h"

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
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr SteadyTime kDue{std::chrono::seconds(1)};

class AlarmTest : public ::testing::Test {
 protected:
  AlarmTest() { lane_->SetTimers(&timers_); }

  // What a component's thread does when the deadline has come.
  void ComeDue() {
    while (timers_.RunNext(kDue)) {
    }
    lane_->RunAll();
  }
  auto NoteAnswer() {
    return [this](absl::StatusOr<Word> word) {
      heard_.push_back(word.ok() ? word->text : word.status().ToString());
    };
  }
  auto NoteRead() {
    return [this](std::optional<Word> word) {
      heard_.push_back(word.has_value() ? word->text : "end");
    };
  }

  // As a plain thread sees it.
  static absl::Status AnswerOffThread(Answer<Word> answer) {
    absl::Status status;
    std::thread([&] { status = AnswerNow(std::move(answer)).status(); }).join();
    return status;
  }

  TimerQueue timers_;
  const std::shared_ptr<CallbackLane> lane_ = std::make_shared<CallbackLane>();
  const ReturnAddress address_{lane_, 1};
  ReturnAddressScope scope_{address_};
  std::vector<std::string> heard_;
};

TEST_F(AlarmTest, Destroyed_IsOff) {
  int rang = 0;
  {
    Alarm alarm(kDue, [&] { ++rang; });
    Alarm moved = std::move(alarm);
    EXPECT_FALSE(alarm);
    EXPECT_TRUE(moved);
    EXPECT_EQ(timers_.next(), kDue);
  }
  EXPECT_EQ(timers_.next(), kNever);
  EXPECT_EQ(rang, 0);
}

TEST_F(AlarmTest, WithoutADeadlineOrAnInstance_IsNone) {
  EXPECT_FALSE(Alarm(kNever, [] {}));
  lane_->SetTimers(nullptr);
  EXPECT_FALSE(Alarm(kDue, [] {}));
  std::thread([] { EXPECT_FALSE(Alarm(kDue, [] {})); }).join();
}

TEST_F(AlarmTest, OfAnInstanceThatHasGone_IsLeftAlone) {
  std::optional<Alarm> alarm(std::in_place, kDue, [] {});
  lane_->SetTimers(nullptr);
  alarm.reset();
  EXPECT_EQ(timers_.next(), kDue) << "they are no longer there to be asked";
}

class CallTest : public AlarmTest {
 protected:
  AnswerHandle Wait() {
    SharedPtr<LocalCall<Word>> call(new LocalCall<Word>({.deadline = kDue}, "/test.Speaker/Say"));
    reply_ = Reply<Word>(call.get());
    return Answer<Word>(std::move(call)).Then(NoteAnswer());
  }
  Reply<Word> reply_;
};

TEST_F(CallTest, WithoutAnAnswerByItsDeadline_TellsBothSides) {
  Wait();
  ComeDue();
  EXPECT_THAT(heard_,
              ElementsAre("DEADLINE_EXCEEDED: /test.Speaker/Say: no answer came by its deadline"));
  EXPECT_TRUE(reply_.cancelled());
  reply_.Send(Word{"too late"});
  lane_->RunAll();
  EXPECT_EQ(heard_.size(), 1u);
}

TEST_F(CallTest, AskedForAfterItHasExpired_IsThatAndNotWhatCameLater) {
  SharedPtr<LocalCall<Word>> call(new LocalCall<Word>({.deadline = kDue}));
  Reply<Word> reply(call.get());
  call->Expire();
  reply.Send(Word{"too late"});
  Answer<Word>(std::move(call)).Then(NoteAnswer());
  lane_->RunAll();
  EXPECT_THAT(heard_, ElementsAre(HasSubstr("DEADLINE_EXCEEDED")));
}

TEST_F(CallTest, Metadata_OfAnAnswerThatCameTooLate_IsNotSeen) {
  SharedPtr<LocalCall<Word>> call(new LocalCall<Word>({.deadline = kDue}));
  Reply<Word> reply(call.get());
  Answer<Word> answer(std::move(call));
  const auto metadata = answer.metadata();
  answer.Then(NoteAnswer());
  EXPECT_TRUE(reply.AddTrailer("x", "1"));
  ComeDue();
  EXPECT_TRUE(metadata->trailers.empty());
  reply.Send(Word{"too late"});
  EXPECT_TRUE(metadata->trailers.empty());
}

TEST_F(CallTest, AnsweredInTime_LeavesNoTimer) {
  Wait();
  reply_.Send(Word{"hello"});
  lane_->RunAll();
  EXPECT_EQ(timers_.next(), kNever);
  EXPECT_THAT(heard_, ElementsAre("hello"));
}

TEST_F(CallTest, AnsweredAndNotHeardByItsDeadline_GetsTheAnswer) {
  Wait();
  reply_.Send(Word{"hello"});
  ComeDue();
  EXPECT_THAT(heard_, ElementsAre("hello"));
}

TEST_F(CallTest, TakenBack_LeavesNoTimer) {
  Wait().Cancel();
  EXPECT_EQ(timers_.next(), kNever);
  EXPECT_TRUE(reply_.cancelled());
}

TEST_F(CallTest, GoneWithItsInstance_LeavesNoTimer) {
  Wait();
  lane_->ReleaseAll();
  EXPECT_EQ(timers_.next(), kNever);
  reply_.Send(Word{"to nobody"});
  EXPECT_EQ(lane_->RunAll(), 1u);
  EXPECT_TRUE(heard_.empty());
}

TEST_F(CallTest, AnsweredBesideItsDeadline_GetsEitherAndNeverBoth) {
  for (int i = 0; i < 500; ++i) {
    heard_.clear();
    Wait();
    std::thread component([&] { reply_.Send(Word{"hello"}); });
    while (timers_.RunNext(kDue)) {
    }
    component.join();
    lane_->RunAll();
    ASSERT_EQ(heard_.size(), 1u);
    ASSERT_EQ(timers_.next(), kNever);
  }
}

class StreamTest : public AlarmTest {
 protected:
  StreamTest() {
    auto* const pipe = new Pipe<Word>({.deadline = kDue}, "/test.Speaker/Recount");
    pipe->Ref();
    writer_.emplace(pipe);
    reader_.emplace(pipe);
  }
  std::optional<ReplyStream<Word>> writer_;
  std::optional<AnswerStream<Word>> reader_;
};

TEST_F(StreamTest, ReadByItsDeadline_LeavesNoTimer) {
  reader_->Read(NoteRead());
  EXPECT_EQ(timers_.next(), kDue);
  writer_->Write(Word{"hello"});
  lane_->RunAll();
  EXPECT_EQ(timers_.next(), kNever);
  EXPECT_THAT(heard_, ElementsAre("hello"));
}

TEST_F(StreamTest, WithoutAMessageByItsDeadline_EndsForBothSides) {
  reader_->Read(NoteRead());
  ComeDue();
  EXPECT_THAT(heard_, ElementsAre("end"));
  EXPECT_TRUE(absl::IsDeadlineExceeded(reader_->status())) << reader_->status();
  EXPECT_THAT(reader_->status().message(), HasSubstr("/test.Speaker/Recount"));
  EXPECT_TRUE(writer_->cancelled());
  EXPECT_EQ(writer_->Write(Word{"too late"}), WriteResult::kClosed);
  EXPECT_FALSE(writer_->AddTrailer("x", "1"));
  EXPECT_TRUE(reader_->metadata().trailers.empty());
  writer_->Finish();
  EXPECT_TRUE(absl::IsDeadlineExceeded(reader_->status())) << "it had ended by then";
}

TEST_F(StreamTest, WhoseReaderIsBehindAtItsDeadline_ClosesTheWriter) {
  for (size_t i = 0; i < kStreamBuffer; ++i) writer_->Write(Word{"x"});
  int ready = 0;
  writer_->OnReady([&] { ++ready; });
  ComeDue();
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(writer_->Write(Word{"x"}), WriteResult::kClosed);
}

TEST_F(StreamTest, ThatEndedInTime_KeepsItsMessagesAndItsEnd) {
  reader_->Read(NoteRead());
  for (const char* text : {"one", "two"}) writer_->Write(Word{text});
  writer_->Finish(absl::AbortedError("enough"));
  ComeDue();
  for (int i = 0; i < 2; ++i) reader_->Read(NoteRead());
  lane_->RunAll();
  EXPECT_THAT(heard_, ElementsAre("one", "two", "end"));
  EXPECT_EQ(reader_->status(), absl::AbortedError("enough"));
  EXPECT_EQ(timers_.next(), kNever);
}

// A component asks another that is behind: the requests that it has accepted are not all.
class RequestsTest : public AlarmTest {
 protected:
  RequestsTest() {
    script_.gather = [this](Context&, GatherCall call) { gather_ = std::move(call); };
    script_.talk = [this](Context&, TalkCall call) { talk_ = std::move(call); };
    host_.Start();
  }

  void FillAndWait(RequestWriter<Word>& requests) {
    for (size_t i = 0; i < kStreamBuffer; ++i) requests.Write(Word{"x"});
    requests.OnReady([this] { heard_.push_back("ready"); });
  }

  Script script_;
  Stepped<SpeakerRequest> host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, script_); }};
  const SpeakerRef ref_{host_.mailbox};
  const SteadyTime due_ = After(host_.time.Now(), absl::Seconds(1));
  std::optional<GatherCall> gather_;
  std::optional<TalkCall> talk_;
};

TEST_F(RequestsTest, OfAnUploadWithoutTimeLeft_AreCutForBothSides) {
  Upload<Word, Word> upload = ref_.Gather({.deadline = due_});
  host_.RunReady();
  FillAndWait(upload.requests);
  ASSERT_TRUE(timers_.RunNext(due_));
  EXPECT_TRUE(gather_->reply.cancelled()) << "or it would take them for all";
  gather_->requests.Read(NoteRead());
  gather_->reply.Send(Word{"all"});
  upload.answer.Then(NoteAnswer());
  lane_->RunAll();
  EXPECT_THAT(heard_, ElementsAre("ready", "end", HasSubstr("DEADLINE_EXCEEDED")));
  EXPECT_EQ(upload.requests.Write(Word{"x"}), WriteResult::kClosed);
}

TEST_F(RequestsTest, OfADialogWithoutTimeLeft_AreCutForBothSides) {
  Dialog<Word, Word> dialog = ref_.Talk({.deadline = due_});
  host_.RunReady();
  FillAndWait(dialog.requests);
  ASSERT_TRUE(timers_.RunNext(due_));
  EXPECT_TRUE(talk_->replies.cancelled());
  talk_->replies.Finish();
  EXPECT_TRUE(absl::IsDeadlineExceeded(dialog.answers.status())) << dialog.answers.status();
}

// Whoever comes second must not go on before the first has said that time is up.
TEST_F(RequestsTest, ThatExpireOnBothSidesAtOnce_AreNeverTakenForWhole) {
  for (int i = 0; i < 300; ++i) {
    SharedPtr<LocalCall<Word>> call(new LocalCall<Word>({.deadline = due_}));
    Reply<Word> reply(call.get());
    std::thread asker([held = call.Another()] { held->Expire(); });
    call->Expire();
    EXPECT_TRUE(reply.cancelled());
    asker.join();
  }
}

TEST_F(RequestsTest, ThatAreNotRead_ExpireByTheirReaderToo) {
  Upload<Word, Word> upload = ref_.Gather({.deadline = due_});
  host_.RunReady();
  gather_->requests.Read(NoteRead());
  ASSERT_TRUE(timers_.RunNext(due_));
  EXPECT_TRUE(gather_->reply.cancelled());
  EXPECT_TRUE(absl::IsDeadlineExceeded(AnswerOffThread(std::move(upload.answer))));
}

}  // namespace
}  // namespace mainspring::testing
