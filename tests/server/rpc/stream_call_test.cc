#include "mainspring/server/rpc/stream_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/components/mainspring/fakes.h"
#include "tests/server/rpc/trial_plane.h"
#include "tests/testing/trial.h"

namespace mainspring::rpc {
namespace {

using testing::CallBox;
using testing::Eventually;
using testing::PendingEcho;
using testing::Trial;
using testing::TrialPlane;
using testing::Waiting;
using EchoCall = trial::v1::TrialCall::Echo;
using trial::v1::EchoResponse;
using FloodCall = trial::v1::TrialCall::Flood;
using trial::v1::FloodRequest;
using trial::v1::FloodResponse;
using ParrotCall = trial::v1::TrialCall::Parrot;
using trial::v1::ParrotRequest;
using trial::v1::ParrotResponse;
using SumCall = trial::v1::TrialCall::Sum;
using trial::v1::SumRequest;
using trial::v1::SumResponse;

FloodRequest FloodOf(int64_t count, int64_t bytes) {
  FloodRequest request;
  request.set_count(count);
  request.set_bytes(bytes);
  return request;
}

FloodResponse Message(int number, size_t bytes = 0) {
  FloodResponse message;
  message.set_number(number);
  message.set_filling(std::string(bytes, 'x'));
  return message;
}

// Calls to a component that answers by itself.
class StreamCallTest : public ::testing::Test {
 protected:
  bool ComesToRest() {
    return Eventually([&] { return plane_.plane().calls_in_flight() == 0; });
  }

  int64_t FloodAccepted() {
    Waiting context;
    trial::v1::CountDispatchedResponse response;
    EXPECT_TRUE(stub_->CountDispatched(&context, {}, &response).ok());
    return response.flood_accepted();
  }

  TrialPlane plane_{trial::v1::TrialType<Trial>("trial")};
  std::unique_ptr<trial::v1::Trial::Stub> stub_ = plane_.NewStub();
};

TEST_F(StreamCallTest, WhenAnswersAreMany_ComeInOrderAndThenTheEnd) {
  Waiting context;
  auto flood = stub_->Flood(&context, FloodOf(1000, 10));
  FloodResponse response;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(flood->Read(&response));
    ASSERT_EQ(i, response.number());
  }
  EXPECT_FALSE(flood->Read(&response));
  EXPECT_TRUE(flood->Finish().ok());
  EXPECT_TRUE(ComesToRest());
}

TEST_F(StreamCallTest, WhenRequestsAreMany_AreAllRead) {
  Waiting context;
  SumResponse response;
  auto sum = stub_->Sum(&context, &response);
  SumRequest request;
  for (int i = 1; i <= 1000; ++i) {
    request.set_value(i);
    ASSERT_TRUE(sum->Write(request));
  }
  sum->WritesDone();
  EXPECT_TRUE(sum->Finish().ok());
  EXPECT_EQ(500500, response.sum());
  EXPECT_EQ(1000, response.count());
  EXPECT_TRUE(ComesToRest());
}

TEST_F(StreamCallTest, WhenBothSidesTalk_EachMessageIsAnswered) {
  Waiting context;
  auto parrot = stub_->Parrot(&context);
  for (int i = 0; i < 200; ++i) {
    ParrotRequest request;
    request.set_text(std::to_string(i));
    ParrotResponse response;
    ASSERT_TRUE(parrot->Write(request));
    ASSERT_TRUE(parrot->Read(&response));
    ASSERT_EQ(request.text(), response.text());
  }
  parrot->WritesDone();
  EXPECT_TRUE(parrot->Finish().ok());
  EXPECT_TRUE(ComesToRest());
}

TEST_F(StreamCallTest, WhenThereAreNoMessages_EndsClean) {
  Waiting flood_context;
  EXPECT_TRUE(stub_->Flood(&flood_context, FloodOf(0, 0))->Finish().ok());
  Waiting sum_context;
  SumResponse response;
  auto sum = stub_->Sum(&sum_context, &response);
  sum->WritesDone();
  EXPECT_TRUE(sum->Finish().ok());
  EXPECT_EQ(0, response.count());
}

TEST_F(StreamCallTest, WhenARequestIsNoSuchMessage_EndsWithWhatWasWanted) {
  for (const auto& [method, message] :
       {std::pair("Flood", "FloodRequest"), {"Sum", "SumRequest"}, {"Parrot", "ParrotRequest"}}) {
    const grpc::Status status = testing::SendBytes(
        plane_.address(), std::string("/mainspring.trial.v1.Trial/") + method, "\xff\xff");
    EXPECT_EQ(grpc::StatusCode::INTERNAL, status.error_code()) << method;
    EXPECT_EQ(std::string("the request is no mainspring.trial.v1.") + message,
              status.error_message());
  }
  EXPECT_TRUE(ComesToRest());
}

// The component hears that there are no more requests while it is awake, and answers at once.
TEST_F(StreamCallTest, WhenRequestsEndInGarbageAndTheComponentIsBusy_IsNotTakenForComplete) {
  std::atomic<bool> done{false};
  std::thread busy([&] {
    while (!done.load()) EXPECT_TRUE(testing::Echo(*stub_).ok());
  });
  for (int i = 0; i < 300; ++i) {
    const grpc::Status status =
        testing::SendBytes(plane_.address(), "/mainspring.trial.v1.Trial/Sum", "\xff\xff");
    ASSERT_EQ(grpc::StatusCode::INTERNAL, status.error_code()) << i;
  }
  done = true;
  busy.join();
}

TEST_F(StreamCallTest, WhenTheClientDoesNotRead_TheComponentIsHeldBack) {
  constexpr int64_t kCount = 2000;
  constexpr int64_t kBytes = 60'000;
  Waiting context;
  auto flood = stub_->Flood(&context, FloodOf(kCount, kBytes));
  // What gRPC and the buffer take on their way is little; nothing more is taken then.
  int64_t accepted = 0;
  int unchanged = 0;
  EXPECT_TRUE(Eventually([&] {
    const int64_t now = FloodAccepted();
    unchanged = now == accepted && now > 0 ? unchanged + 1 : 0;
    accepted = now;
    return unchanged == 20;
  }));
  EXPECT_LT(accepted, kCount / 10);
  FloodResponse response;
  for (int64_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(flood->Read(&response));
    ASSERT_EQ(i, response.number());
  }
  EXPECT_TRUE(flood->Finish().ok());
}

TEST_F(StreamCallTest, WhenTheClientGoesInTheMiddle_NothingIsLeft) {
  for (int i = 0; i < 50; ++i) {
    Waiting context;
    auto flood = stub_->Flood(&context, FloodOf(100'000, 1000));
    FloodResponse response;
    ASSERT_TRUE(flood->Read(&response));
    context.TryCancel();
    EXPECT_EQ(grpc::StatusCode::CANCELLED, flood->Finish().error_code());
  }
  for (int i = 0; i < 50; ++i) {
    Waiting context;
    auto parrot = stub_->Parrot(&context);
    ParrotRequest request;
    ASSERT_TRUE(parrot->Write(request));
    context.TryCancel();
    EXPECT_EQ(grpc::StatusCode::CANCELLED, parrot->Finish().error_code());
  }
  EXPECT_TRUE(ComesToRest());
}

TEST_F(StreamCallTest, WhenAStormOfStreamsIsCancelled_NoneIsLeftInFlight) {
  std::vector<std::thread> clients;
  for (int client = 0; client < 3; ++client) {
    clients.emplace_back([this] {
      auto stub = plane_.NewStub();
      for (int i = 0; i < 400; ++i) {
        Waiting context;
        auto flood = stub->Flood(&context, FloodOf(10, 10));
        SumResponse response;
        Waiting sum_context;
        auto sum = stub->Sum(&sum_context, &response);
        context.TryCancel();
        sum_context.TryCancel();
        flood->Finish();
        sum->Finish();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(ComesToRest());
}

TEST_F(StreamCallTest, WhenTheReaderIsStalledAndTheCallIsCut_EndsAtOnce) {
  Waiting context;
  auto flood = stub_->Flood(&context, FloodOf(2000, 60'000));
  ASSERT_TRUE(Eventually([&] { return FloodAccepted() > 1; }));
  EXPECT_EQ(1u, plane_.Cut());
  EXPECT_TRUE(ComesToRest()) << "though the client does not read";
  FloodResponse response;
  while (flood->Read(&response)) {
  }
  EXPECT_FALSE(flood->Finish().ok());
}

// Calls whose answers the test writes.
class BoxedStreamCallTest : public ::testing::Test {
 protected:
  FloodCall TakeFlood() {
    flood_ = stub_->Flood(&context_, FloodRequest());
    return box_.Take<FloodCall>();
  }
  bool ComesToRest() {
    return Eventually([&] { return plane_.plane().calls_in_flight() == 0; });
  }
  // Reads what there is; says how many came.
  int ReadAll() {
    int count = 0;
    for (FloodResponse response; flood_->Read(&response); ++count) {
      EXPECT_EQ(count, response.number());
    }
    return count;
  }

  CallBox box_;
  TrialPlane plane_{testing::HookedType("trial", box_.hooks())};
  std::unique_ptr<trial::v1::Trial::Stub> stub_ = plane_.NewStub();
  Waiting context_;
  std::unique_ptr<grpc::ClientReader<FloodResponse>> flood_;
};

TEST_F(BoxedStreamCallTest, WhenEndedWithAnError_SendsWhatWasWrittenFirst) {
  FloodCall call = TakeFlood();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(WriteResult::kAccepted, call.replies.Write(Message(i)));
  call.replies.Finish(absl::DataLossError("the rest is lost"));
  EXPECT_EQ(WriteResult::kClosed, call.replies.Write(Message(5)));
  EXPECT_EQ(5, ReadAll());
  const grpc::Status status = flood_->Finish();
  EXPECT_EQ(grpc::StatusCode::DATA_LOSS, status.error_code());
  EXPECT_EQ("the rest is lost", status.error_message());
  EXPECT_TRUE(ComesToRest());
}

TEST_F(BoxedStreamCallTest, WhenTheStreamIsDropped_EndsInternal) {
  { FloodCall dropped = TakeFlood(); }
  EXPECT_EQ(0, ReadAll());
  EXPECT_EQ(grpc::StatusCode::INTERNAL, flood_->Finish().error_code());
}

TEST_F(BoxedStreamCallTest, WhenTheClientIsBehind_SaysFullAndTakesNoMore) {
  FloodCall call = TakeFlood();
  int accepted = 0;
  ASSERT_TRUE(Eventually([&] {
    const WriteResult result = call.replies.Write(Message(accepted, 60'000));
    accepted += result == WriteResult::kAccepted ? 1 : 0;
    return result == WriteResult::kFull;
  }));
  EXPECT_GE(accepted, 16);
  call.replies.Finish();
  EXPECT_EQ(accepted, ReadAll());
  EXPECT_TRUE(flood_->Finish().ok());
}

// The lane stands for the thread that writes.
TEST_F(BoxedStreamCallTest, WhenTheClientIsBehind_IsNotSentUntilItHasRead) {
  const auto lane = std::make_shared<testing::CallbackLane>();
  const ReturnAddress address(lane, 1);
  ReturnAddressScope scope(address);
  FloodCall call = TakeFlood();
  int sent = 0;
  call.replies.OnSent([&] { ++sent; });
  EXPECT_EQ(1u, lane->RunAll()) << "nothing was written";

  // More than a client's window: a part of it waits here until the client reads.
  EXPECT_EQ(WriteResult::kAccepted, call.replies.Write(Message(0, 1 << 19)));
  EXPECT_EQ(WriteResult::kAccepted, call.replies.Write(Message(1)));
  call.replies.OnSent([&] { ++sent; });
  FloodResponse response;
  EXPECT_EQ(0u, lane->size());
  ASSERT_TRUE(flood_->Read(&response));
  ASSERT_TRUE(flood_->Read(&response));
  EXPECT_TRUE(Eventually([&] { return lane->size() == 1; }));
  lane->RunAll();
  EXPECT_EQ(2, sent);

  EXPECT_EQ(WriteResult::kAccepted, call.replies.Write(Message(2, 1 << 19)));
  call.replies.OnSent([&] { ++sent; });
  EXPECT_EQ(0u, lane->size());
  context_.TryCancel();
  EXPECT_TRUE(Eventually([&] { return lane->size() == 1; })) << "nor does it wait for who has gone";
  lane->RunAll();
  call.replies.Finish();
  EXPECT_TRUE(ComesToRest());
}

TEST_F(BoxedStreamCallTest, WhenTheClientGoes_SaysClosed) {
  FloodCall call = TakeFlood();
  context_.TryCancel();
  EXPECT_TRUE(Eventually([&] { return call.replies.cancelled(); }));
  EXPECT_EQ(WriteResult::kClosed, call.replies.Write(Message(0)));
  EXPECT_TRUE(ComesToRest()) << "nothing is kept for the component's sake";
  EXPECT_EQ("", call.replies.context().Metadata("x-any"));
  call.replies.Finish();
}

TEST_F(BoxedStreamCallTest, WhenThePlaneEndsStreams_SendsWhatWasWrittenAndTheStatus) {
  FloodCall call = TakeFlood();
  for (int i = 0; i < 10; ++i) call.replies.Write(Message(i));
  plane_.plane().EndStreams(absl::UnavailableError("draining"));
  EXPECT_TRUE(Eventually([&] { return call.replies.cancelled(); }));
  EXPECT_EQ(WriteResult::kClosed, call.replies.Write(Message(10)));
  EXPECT_EQ(10, ReadAll());
  const grpc::Status status = flood_->Finish();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, status.error_code());
  EXPECT_EQ("draining", status.error_message());
  EXPECT_TRUE(ComesToRest()) << "though the component has not finished";
  call.replies.Finish();
}

TEST_F(BoxedStreamCallTest, WhenFinishedButNotReadAndCut_CountsAsCut) {
  FloodCall call = TakeFlood();
  for (int i = 0; i < 16; ++i) {
    ASSERT_EQ(WriteResult::kAccepted, call.replies.Write(Message(i, 60'000)));
  }
  call.replies.Finish();
  EXPECT_EQ(1u, plane_.Cut()) << "the client does not get what it was promised";
  EXPECT_LT(ReadAll(), 16);
  EXPECT_FALSE(flood_->Finish().ok());
}

TEST_F(BoxedStreamCallTest, WhenAUploadIsCut_EndsAndLateAnswersGoNowhere) {
  SumResponse response;
  auto sum = stub_->Sum(&context_, &response);
  sum->Write(SumRequest());
  SumCall call = box_.Take<SumCall>();
  EXPECT_EQ(1u, plane_.Cut());
  const grpc::Status status = sum->Finish();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, status.error_code());
  EXPECT_TRUE(ComesToRest());
  call.reply.Send(SumResponse());
}

TEST_F(BoxedStreamCallTest, WhenAnUploadIsAnsweredEarly_TheClientGetsItsAnswer) {
  SumResponse response;
  auto sum = stub_->Sum(&context_, &response);
  sum->Write(SumRequest());
  {
    SumCall call = box_.Take<SumCall>();
    SumResponse answer;
    answer.set_sum(42);
    call.reply.Send(std::move(answer));
  }
  EXPECT_TRUE(sum->Finish().ok());
  EXPECT_EQ(42, response.sum());
  EXPECT_TRUE(ComesToRest());
}

// Reads as a component does; its callbacks run when the test says so.
class ReadingTest : public BoxedStreamCallTest {
 protected:
  // What was asked of gRPC before this is under way when it returns.
  void AwaitIngress() {
    PendingEcho echo(*stub_);
    box_.Take<EchoCall>().reply.Send(EchoResponse());
    EXPECT_TRUE(echo.Await().ok());
  }
  void Send(int64_t value) {
    SumRequest request;
    request.set_value(value);
    ASSERT_TRUE(sum_->Write(request));
  }
  void Read() {
    call_.requests.Read([this](std::optional<SumRequest> request) {
      read_.push_back(request ? request->value() : kEnd);
    });
  }
  void AwaitReads(size_t count) {
    EXPECT_TRUE(Eventually([&] {
      lane_->RunAll();
      return read_.size() >= count;
    }));
  }

  static constexpr int64_t kEnd = -1;

  const std::shared_ptr<testing::CallbackLane> lane_ = std::make_shared<testing::CallbackLane>();
  const ReturnAddress address_{lane_, 1};
  ReturnAddressScope scope_{address_};
  SumResponse response_;
  std::unique_ptr<grpc::ClientWriter<SumRequest>> sum_ = stub_->Sum(&context_, &response_);
  SumCall call_ = box_.Take<SumCall>();
  std::vector<int64_t> read_;
};

TEST_F(ReadingTest, WhenReadTwice_TheLaterTakesThePlaceOfTheEarlierAndNothingIsLost) {
  const auto held = std::make_shared<int>(0);
  call_.requests.Read([held](std::optional<SumRequest>) { FAIL() << "another took its place"; });
  AwaitIngress();
  Read();
  AwaitIngress();
  EXPECT_EQ(held.use_count(), 1);
  Send(1);
  Send(2);
  AwaitReads(1);
  Read();
  AwaitReads(2);
  EXPECT_EQ(read_, (std::vector<int64_t>{1, 2}));
  sum_->WritesDone();
  Read();
  AwaitIngress();
  Read();
  AwaitReads(3);
  Read();
  AwaitReads(4);
  EXPECT_EQ(std::vector<int64_t>(read_.end() - 2, read_.end()), (std::vector<int64_t>{kEnd, kEnd}));
  call_.reply.Send(SumResponse());
  EXPECT_TRUE(sum_->Finish().ok());
}

TEST_F(ReadingTest, WhenReadManyTimesWhileMessagesCome_EachComesOnceInOrder) {
  constexpr int64_t kCount = 500;
  std::thread client([&] {
    for (int64_t i = 0; i < kCount; ++i) Send(i);
    sum_->WritesDone();
  });
  EXPECT_TRUE(Eventually([&] {
    for (int i = 0; i < 3; ++i) Read();
    lane_->RunAll();
    return !read_.empty() && read_.back() == kEnd;
  }));
  client.join();
  read_.erase(std::find(read_.begin(), read_.end(), kEnd), read_.end());
  ASSERT_EQ(read_.size(), static_cast<size_t>(kCount));
  for (int64_t i = 0; i < kCount; ++i) ASSERT_EQ(read_[i], i);
  call_.reply.Send(SumResponse());
  EXPECT_TRUE(sum_->Finish().ok());
}

TEST_F(ReadingTest, WhenAnsweredOrTheClientGoesWithTwoReadsAsked_TheLaterGetsTheEnd) {
  Read();
  AwaitIngress();
  Read();
  context_.TryCancel();
  AwaitReads(1);
  Read();
  AwaitReads(2);
  EXPECT_EQ(read_, (std::vector<int64_t>{kEnd, kEnd}));
  call_.reply.Send(SumResponse());
  EXPECT_FALSE(sum_->Finish().ok());
  EXPECT_TRUE(ComesToRest());
}

TEST_F(BoxedStreamCallTest, WhenAnotherThreadWritesWhileThePlaneCuts_EachStreamEndsOnce) {
  for (int round = 0; round < 100; ++round) {
    Waiting context;
    auto parrot = stub_->Parrot(&context);
    ParrotCall call = box_.Take<ParrotCall>();
    std::thread writing([&] {
      for (int i = 0; i < 10; ++i) call.replies.Write(ParrotResponse());
      call.replies.Finish();
    });
    plane_.Cut();
    writing.join();
    int count = 0;
    for (ParrotResponse response; parrot->Read(&response); ++count) {
    }
    const grpc::Status status = parrot->Finish();
    EXPECT_TRUE(!status.ok() || count == 10) << "OK after " << count << " of 10 messages";
  }
  EXPECT_TRUE(ComesToRest());
}

}  // namespace
}  // namespace mainspring::rpc
