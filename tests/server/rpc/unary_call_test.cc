#include "mainspring/server/rpc/unary_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/rpc/trial_plane.h"
#include "tests/testing/trial.h"

namespace mainspring::rpc {
namespace {

using testing::CallBox;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::PendingEcho;
using ::testing::StartsWith;
using testing::Trial;
using testing::TrialPlane;
using testing::Waiting;
using EchoCall = trial::v1::TrialCall::Echo;
using trial::v1::EchoResponse;

// Calls to a component that answers by itself.
class UnaryCallTest : public ::testing::Test {
 protected:
  bool ComesToRest() {
    return Eventually([&] { return plane_.plane().calls_in_flight() == 0; });
  }

  TrialPlane plane_{trial::v1::TrialType<Trial>("trial")};
  std::unique_ptr<trial::v1::Trial::Stub> stub_ = plane_.NewStub();
};

TEST_F(UnaryCallTest, WhenCalled_Answers) {
  EchoResponse response;
  ASSERT_TRUE(testing::Echo(*stub_, "hello", &response).ok());
  EXPECT_EQ("hello", response.text());
  EXPECT_TRUE(ComesToRest());
}

TEST_F(UnaryCallTest, WhenCalledAgainAndAgain_AnswersEachWithItsOwn) {
  for (int i = 0; i < 500; ++i) {
    EchoResponse response;
    ASSERT_TRUE(testing::Echo(*stub_, std::to_string(i), &response).ok());
    ASSERT_EQ(std::to_string(i), response.text());
  }
}

TEST_F(UnaryCallTest, WhenTheRequestIsNoSuchMessage_SaysSoAndServesTheNext) {
  const grpc::Status status =
      testing::SendBytes(plane_.address(), "/mainspring.trial.v1.Trial/Echo", "\xff\xff");
  EXPECT_EQ(grpc::StatusCode::INTERNAL, status.error_code());
  EXPECT_EQ("the request is no mainspring.trial.v1.EchoRequest", status.error_message());
  EXPECT_TRUE(ComesToRest());
  EXPECT_TRUE(testing::Echo(*stub_).ok());
}

TEST_F(UnaryCallTest, WhenTheReplyIsDropped_IsInternal) {
  Waiting context;
  trial::v1::DropReplyResponse response;
  const grpc::Status status = stub_->DropReply(&context, {}, &response);
  EXPECT_EQ(grpc::StatusCode::INTERNAL, status.error_code());
  EXPECT_EQ("the component dropped the request", status.error_message());
}

TEST_F(UnaryCallTest, WhenTheMethodThrows_IsInternalWithARequestId) {
  Waiting context;
  trial::v1::ThrowRequest request;
  request.set_what("a secret");
  trial::v1::ThrowResponse response;
  const grpc::Status status = stub_->Throw(&context, request, &response);
  EXPECT_EQ(grpc::StatusCode::INTERNAL, status.error_code());
  EXPECT_THAT(status.error_message(), HasSubstr("request_id="));
  EXPECT_THAT(status.error_message(), ::testing::Not(HasSubstr("secret")));
  EXPECT_TRUE(testing::Echo(*stub_).ok());
}

TEST_F(UnaryCallTest, WhenTheClientsTimeIsUp_TheCallStaysUntilItIsAnswered) {
  Waiting context(absl::Milliseconds(20));
  trial::v1::DelayRequest request;
  request.mutable_time()->set_nanos(200'000'000);
  trial::v1::DelayResponse response;
  EXPECT_EQ(grpc::StatusCode::DEADLINE_EXCEEDED,
            stub_->Delay(&context, request, &response).error_code());
  EXPECT_TRUE(ComesToRest());
}

TEST_F(UnaryCallTest, WhenThousandsAreCancelled_NoneIsLeftInFlight) {
  constexpr int kClients = 3;
  constexpr int kRounds = 20;
  constexpr int kCalls = 50;
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([this] {
      auto stub = plane_.NewStub();
      for (int round = 0; round < kRounds; ++round) {
        std::deque<PendingEcho> calls;
        for (int i = 0; i < kCalls; ++i) calls.emplace_back(*stub);
        for (PendingEcho& call : calls) call.Cancel();
        for (PendingEcho& call : calls) call.Await();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(ComesToRest());
  EXPECT_TRUE(testing::Echo(*stub_).ok());
}

// Calls that the test answers.
class BoxedUnaryCallTest : public ::testing::Test {
 protected:
  CallBox box_;
  TrialPlane plane_{testing::HookedType("trial", box_.hooks())};
  std::unique_ptr<trial::v1::Trial::Stub> stub_ = plane_.NewStub();
};

TEST_F(BoxedUnaryCallTest, WhenAnsweredFromAnotherThread_ReachesTheClient) {
  PendingEcho pending(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  EXPECT_EQ(1u, plane_.plane().calls_in_flight());
  std::thread([&] { call.reply.Send(EchoResponse()); }).join();
  EXPECT_TRUE(pending.Await().ok());
  EXPECT_TRUE(Eventually([&] { return plane_.plane().calls_in_flight() == 0; }));
}

TEST_F(BoxedUnaryCallTest, WhenAnsweredAfterTheCut_TheClientKeepsWhatTheCutSaid) {
  PendingEcho pending(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  EXPECT_EQ(1u, plane_.Cut());
  const grpc::Status status = pending.Await();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, status.error_code());
  EXPECT_EQ("cut by the test", status.error_message());
  EXPECT_TRUE(Eventually([&] { return plane_.plane().calls_in_flight() == 0; }));
  call.reply.Send(EchoResponse());
  EXPECT_TRUE(call.reply.answered());
}

TEST_F(BoxedUnaryCallTest, WhenAnsweredAfterTheShutdown_IsHeldUntilThen) {
  PendingEcho pending(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  EXPECT_EQ(1u, plane_.Cut());
  plane_.Shutdown();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, pending.Await().error_code());
  EXPECT_THAT(call.reply.context().Peer(), StartsWith("ipv4:"));
  call.reply.Send(EchoResponse());
}

TEST_F(BoxedUnaryCallTest, WhenCut_TheComponentHearsThatNobodyWaits) {
  PendingEcho pending(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  EXPECT_FALSE(call.reply.cancelled());
  plane_.Cut();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, pending.Await().error_code());
  EXPECT_TRUE(call.reply.cancelled());
  call.reply.Send(EchoResponse());
}

TEST_F(BoxedUnaryCallTest, WhenCutTwice_CountsItOnce) {
  PendingEcho pending(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  EXPECT_EQ(1u, plane_.Cut());
  EXPECT_EQ(0u, plane_.Cut());
  pending.Await();
  call.reply.Send(EchoResponse());
}

TEST_F(BoxedUnaryCallTest, WhenTheClientHasGone_NothingIsKeptForTheComponentsSake) {
  std::optional<EchoCall> kept;
  {
    auto stub = plane_.NewStub();
    PendingEcho pending(*stub);
    kept = box_.Take<EchoCall>();
    EXPECT_THAT(kept->reply.context().Peer(), StartsWith("ipv4:"));
    pending.Cancel();
    pending.Await();
  }
  EXPECT_TRUE(Eventually([&] { return plane_.plane().calls_in_flight() == 0; }));
  EXPECT_TRUE(Eventually([&] { return plane_.plane().door().CountConnections() == 0; }));
  EXPECT_TRUE(kept->reply.context().cancelled());
  EXPECT_NE("", kept->reply.context().Peer());
  EXPECT_EQ("", kept->reply.context().Metadata("x-any"));
  kept->reply.Send(EchoResponse());
}

TEST_F(BoxedUnaryCallTest, WhenTheClientCancels_TheComponentHears) {
  PendingEcho pending(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  pending.Cancel();
  EXPECT_EQ(grpc::StatusCode::CANCELLED, pending.Await().error_code());
  EXPECT_TRUE(Eventually([&] { return call.reply.cancelled(); }));
  call.reply.Send(EchoResponse());
  EXPECT_TRUE(Eventually([&] { return plane_.plane().calls_in_flight() == 0; }));
}

TEST_F(BoxedUnaryCallTest, WhenAnErrorIsLong_ReachesTheClientCut) {
  PendingEcho pending(*stub_);
  box_.Take<EchoCall>().reply.Fail(absl::InternalError(std::string(100'000, 'x')));
  const grpc::Status status = pending.Await();
  EXPECT_EQ(grpc::StatusCode::INTERNAL, status.error_code());
  EXPECT_EQ(kMaxText, status.error_message().size());
}

TEST_F(BoxedUnaryCallTest, WhenAThreadAnswersWhileThePlaneCuts_EachCallEndsOnce) {
  for (int round = 0; round < 50; ++round) {
    std::deque<PendingEcho> pending;
    std::vector<EchoCall> calls;
    for (int i = 0; i < 20; ++i) pending.emplace_back(*stub_);
    for (int i = 0; i < 20; ++i) calls.push_back(box_.Take<EchoCall>());
    std::thread answering([&] {
      for (EchoCall& call : calls) call.reply.Send(EchoResponse());
    });
    const size_t cut = plane_.Cut();
    answering.join();
    size_t unavailable = 0;
    for (PendingEcho& each : pending) {
      const grpc::Status status = each.Await();
      if (!status.ok()) {
        EXPECT_EQ("cut by the test", status.error_message());
        ++unavailable;
      }
    }
    EXPECT_EQ(cut, unavailable);
  }
  EXPECT_TRUE(Eventually([&] { return plane_.plane().calls_in_flight() == 0; }));
}

}  // namespace
}  // namespace mainspring::rpc
