#include "mainspring/call.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

TEST(RequestId, InADispatch_IsOneAndOnlyOne) {
  std::string first;
  {
    DispatchScope dispatch;
    first = CurrentRequestId();
    EXPECT_EQ(first.size(), 16u);
    EXPECT_EQ(first.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(CurrentRequestId(), first);
    {
      DispatchScope nested;
      EXPECT_EQ(CurrentRequestId(), first);
    }
    EXPECT_EQ(CurrentRequestId(), first);
  }
  DispatchScope next;
  EXPECT_NE(CurrentRequestId(), first);
}

TEST(RequestId, OutsideOfADispatch_IsEmpty) {
  EXPECT_EQ(CurrentRequestId(), "");
  { DispatchScope dispatch; }
  EXPECT_EQ(CurrentRequestId(), "");
}

TEST(RequestId, OnManyThreads_IsNeverTheSame) {
  constexpr size_t kThreads = 4, kEach = 500;
  std::vector<std::vector<std::string>> ids(kThreads);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&mine = ids[i]] {
      for (size_t n = 0; n < kEach; ++n) {
        DispatchScope dispatch;
        mine.push_back(CurrentRequestId());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& mine : ids) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), kThreads * kEach);
}

TEST(DroppedStatus, WhileAnExceptionUnwinds_NamesTheRequestId) {
  EXPECT_EQ(DroppedStatus(), absl::InternalError("the component dropped the request"));
  struct Dropper {
    ~Dropper() { status = DroppedStatus(); }
    absl::Status& status;
  };
  DispatchScope dispatch;
  absl::Status status;
  try {
    Dropper dropper{status};
    throw std::runtime_error("secret");
  } catch (const std::exception&) {
  }
  EXPECT_EQ(status, absl::InternalError("the component failed in this request; request_id=" +
                                        CurrentRequestId()));
}

// The four shapes, as the concepts tell them apart.
static_assert(UnaryCall<SayCall> && !ServerStreamCall<SayCall> && !ClientStreamCall<SayCall>);
static_assert(ServerStreamCall<RecountCall> && !UnaryCall<RecountCall> && !DialogCall<RecountCall>);
static_assert(ClientStreamCall<GatherCall> && !UnaryCall<GatherCall> && !DialogCall<GatherCall>);
static_assert(DialogCall<TalkCall> && !ServerStreamCall<TalkCall> && !ClientStreamCall<TalkCall>);

template <class Call>
class EachShape : public ::testing::Test {};
using Shapes = ::testing::Types<SayCall, RecountCall, GatherCall, TalkCall>;
TYPED_TEST_SUITE(EachShape, Shapes);

TYPED_TEST(EachShape, CallTypes_AreItsMessages) {
  EXPECT_TRUE((std::is_same_v<typename CallTypes<TypeParam>::Request, Word>));
  EXPECT_TRUE((std::is_same_v<typename CallTypes<TypeParam>::Response, Word>));
}

TYPED_TEST(EachShape, ContextOfAndRefuse_ReachTheCaller) {
  TypeParam call;
  if constexpr (HasReply<TypeParam>) {
    ReplyRecord<Word> record(SteadyTime(std::chrono::seconds(5)));
    call.reply = Reply<Word>(&record);
    EXPECT_EQ(&ContextOf(call), &record);
    EXPECT_EQ(ContextOf(call).deadline(), SteadyTime(std::chrono::seconds(5)));
    Refuse(call, absl::UnavailableError("no"));
    EXPECT_EQ(record.status(), absl::UnavailableError("no"));
    EXPECT_EQ(record.answers(), 1);
  } else {
    StreamRecord<Word> record;
    call.replies = ReplyStream<Word>(&record);
    EXPECT_EQ(&ContextOf(call), &record);
    Refuse(call, absl::UnavailableError("no"));
    EXPECT_EQ(record.endings, std::vector<absl::Status>{absl::UnavailableError("no")});
  }
}

class CallContextTest : public ::testing::Test {
 protected:
  Callback Note(std::string text) {
    return [this, text = std::move(text)] { ran_.push_back(text); };
  }
  const std::shared_ptr<CallbackLane> lane_ = std::make_shared<CallbackLane>();
  const ReturnAddress address_{lane_, 1};
  ReturnAddressScope scope_{address_};
  ReplyRecord<Word> call_;
  std::vector<std::string> ran_;
};

TEST_F(CallContextTest, InProcess_SaysLittleOfTheCaller) {
  EXPECT_EQ(call_.deadline(), kNever);
  EXPECT_FALSE(call_.cancelled());
  EXPECT_EQ(call_.Peer(), "process");
  EXPECT_EQ(call_.Principal(), "");
  EXPECT_EQ(call_.Metadata("anything"), "");
  EXPECT_EQ(call_.TraceParent(), "");
}

TEST_F(CallContextTest, OnCancel_WhenTheCallerGoes_RunsLaterOnce) {
  call_.OnCancel(Note("gone"));
  EXPECT_EQ(lane_->size(), 0u);
  call_.MarkCancelled();
  call_.MarkCancelled();
  EXPECT_TRUE(call_.cancelled());
  EXPECT_TRUE(ran_.empty());
  lane_->RunAll();
  EXPECT_EQ(ran_, std::vector<std::string>{"gone"});
}

TEST_F(CallContextTest, OnCancel_WhenTheCallerHasGone_IsPutInLineAtOnce) {
  call_.MarkCancelled();
  call_.OnCancel(Note("gone"));
  EXPECT_TRUE(ran_.empty());
  lane_->RunAll();
  EXPECT_EQ(ran_, std::vector<std::string>{"gone"});
}

TEST_F(CallContextTest, OnCancel_ASecondTime_ReplacesTheFirst) {
  call_.OnCancel(Note("first"));
  call_.OnCancel(Note("second"));
  call_.MarkCancelled();
  lane_->RunAll();
  EXPECT_EQ(ran_, std::vector<std::string>{"second"});
}

TEST_F(CallContextTest, BeginCall_ForAnotherCall_ForgetsTheLast) {
  call_.OnCancel(Note("of the last call"));
  call_.BeginCall(SteadyTime(std::chrono::seconds(9)));
  EXPECT_EQ(call_.deadline(), SteadyTime(std::chrono::seconds(9)));
  call_.MarkCancelled();
  EXPECT_EQ(lane_->size(), 0u);
  call_.BeginCall(kNever);
  EXPECT_FALSE(call_.cancelled());
  std::atomic<uint64_t> answered{0};
  call_.CountAnswerIn(answered);
  call_.BeginCall(kNever);
  call_.CountAnswer();
  EXPECT_EQ(answered, 0u);
}

TEST_F(CallContextTest, MarkCancelled_BesideOnCancel_RunsItExactlyOnce) {
  for (int i = 0; i < 500; ++i) {
    ReplyRecord<Word> call;
    std::thread canceller([&] { call.MarkCancelled(); });
    call.OnCancel(Note("gone"));
    canceller.join();
    ASSERT_EQ(lane_->RunAll(), 1u);
  }
}

}  // namespace
}  // namespace mainspring::testing
