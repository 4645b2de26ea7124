// What goes with a call over gRPC besides its messages, both ways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "mainspring/details/v1/details.pb.h"
#include "mainspring/server/rpc/status.h"
#include "mainspring/status_details.h"
#include "tests/server/rpc/trial_plane.h"

namespace mainspring::rpc {
namespace {

using ::testing::AllOf;
using testing::CallBox;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Pair;
using testing::TrialPlane;
using trial::v1::EchoRequest;
using trial::v1::EchoResponse;
using trial::v1::TrialCall;

using Received = std::multimap<std::string, std::string>;

Received Of(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  Received received;
  for (const auto& [key, value] : metadata) {
    received.emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
  return received;
}

class MetadataTest : public ::testing::Test {
 protected:
  // One call, answered by `answer`.
  grpc::Status Echo(grpc::ClientContext& context,
                    const std::function<void(TrialCall::Echo)>& answer) {
    EchoRequest request;
    EchoResponse response;
    std::promise<grpc::Status> done;
    stub_->async()->Echo(&context, &request, &response,
                         [&](const grpc::Status& status) { done.set_value(status); });
    answer(box_.Take<TrialCall::Echo>());
    return done.get_future().get();
  }

  CallBox box_;
  TrialPlane plane_{testing::HookedType("trial", box_.hooks())};
  std::unique_ptr<trial::v1::Trial::Stub> stub_ = plane_.NewStub();
};

TEST_F(MetadataTest, OfARequest_HasAllValuesAndBytes) {
  grpc::ClientContext context;
  context.AddMetadata("x-tenant", "a");
  context.AddMetadata("x-tenant", "b");
  context.AddMetadata("x-token-bin", std::string("\0\xff", 2));
  context.set_authority("trial.example");
  const grpc::Status status = Echo(context, [](TrialCall::Echo call) {
    const mainspring::CallContext& seen = call.reply.context();
    EXPECT_THAT(seen.MetadataValues("x-tenant"), ElementsAre("a", "b"));
    EXPECT_THAT(seen.MetadataValues("x-token-bin"), ElementsAre(std::string("\0\xff", 2)));
    EXPECT_THAT(seen.MetadataValues("x-none"), ElementsAre());
    EXPECT_THAT(seen.AllMetadata(),
                AllOf(Contains(Pair("x-tenant", "a")), Contains(Pair("x-tenant", "b"))));
    EXPECT_EQ(seen.method(), "/mainspring.trial.v1.Trial/Echo");
    EXPECT_EQ(seen.Authority(), "trial.example");
    call.reply.Send(EchoResponse());
  });
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(MetadataTest, OfAnAnswer_ComesBeforeAndAfterIt) {
  for (const bool succeeds : {true, false}) {
    grpc::ClientContext context;
    Echo(context, [&](TrialCall::Echo call) {
      EXPECT_TRUE(call.reply.AddHeader("x-cache", "hit"));
      EXPECT_TRUE(call.reply.AddHeader("x-cache", "twice"));
      EXPECT_TRUE(call.reply.AddTrailer("x-cost", "7"));
      EXPECT_TRUE(call.reply.AddTrailer("x-cost-bin", "\xff"));
      if (succeeds) {
        call.reply.Send(EchoResponse());
      } else {
        call.reply.Fail(absl::NotFoundError("no"));
      }
    });
    EXPECT_EQ(Of(context.GetServerInitialMetadata()).count("x-cache"), 2u) << succeeds;
    EXPECT_THAT(Of(context.GetServerTrailingMetadata()),
                AllOf(Contains(Pair("x-cost", "7")), Contains(Pair("x-cost-bin", "\xff"))));
  }
}

TEST_F(MetadataTest, OfAStream_IsTooLateForHeadersAfterTheFirstMessage) {
  grpc::ClientContext context;
  trial::v1::FloodResponse response;
  const auto reader = stub_->Flood(&context, trial::v1::FloodRequest());
  {
    auto call = box_.Take<TrialCall::Flood>();
    EXPECT_TRUE(call.replies.AddHeader("x-early", "1"));
    call.replies.Write(trial::v1::FloodResponse());
    EXPECT_TRUE(reader->Read(&response));
    EXPECT_FALSE(call.replies.AddHeader("x-late", "1"));
    EXPECT_TRUE(call.replies.AddTrailer("x-last", "1"));
    call.replies.Finish();
  }
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(Of(context.GetServerInitialMetadata()).count("x-early"), 1u);
  EXPECT_EQ(Of(context.GetServerInitialMetadata()).count("x-late"), 0u);
  EXPECT_EQ(Of(context.GetServerTrailingMetadata()).count("x-last"), 1u);
}

TEST_F(MetadataTest, DetailsOfAStatus_AreWhatOtherClientsRead) {
  grpc::ClientContext context;
  const grpc::Status status = Echo(context, [](TrialCall::Echo call) {
    absl::Status sold_out = absl::FailedPreconditionError("sold out");
    sold_out.SetPayload("type.googleapis.com/shop.v1.OutOfStock", absl::Cord("bytes"));
    call.reply.Fail(WithRetryDelay(sold_out, absl::Seconds(3)));
  });
  details::v1::StatusWithDetails details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), 9);
  EXPECT_EQ(details.message(), "sold out");
  EXPECT_EQ(details.details_size(), 2);
  EXPECT_EQ(RetryDelayOf(FromGrpc(status)), absl::Seconds(3));
}

TEST_F(MetadataTest, OfARefusal_SaysWhyAndWhenToTryAgain) {
  PlaneLimits limits;
  limits.max_calls = 1;
  TrialPlane plane(testing::HookedType("trial", box_.hooks()), limits);
  stub_ = plane.NewStub();
  grpc::ClientContext context;
  Echo(context, [&](TrialCall::Echo call) {
    grpc::ClientContext refused;
    EchoResponse response;
    const absl::Status status = FromGrpc(stub_->Echo(&refused, EchoRequest(), &response));
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ErrorInfoOf(status)->reason, "TOO_MANY_CALLS");
    EXPECT_EQ(RetryDelayOf(status), kRetryWhenFull);
    call.reply.Send(EchoResponse());
  });
}

class BeforeTest : public MetadataTest {};

TEST_F(BeforeTest, ThatDenies_KeepsTheCallFromTheComponent) {
  ComponentType type = testing::HookedType("trial", box_.hooks());
  std::string method;
  type.before = [&](IncomingCall& call) -> absl::Status {
    method = std::string(call.context().method());
    if (call.context().Metadata("authorization") == "Bearer good") {
      call.SetPrincipal("alice");
      EXPECT_TRUE(call.AddMetadata("x-tenant", "acme"));
      EXPECT_FALSE(call.AddMetadata("X-Tenant", "acme"));
      return absl::OkStatus();
    }
    return absl::UnauthenticatedError("no token");
  };
  TrialPlane plane(type);
  stub_ = plane.NewStub();
  EchoResponse response;
  grpc::ClientContext nobody;
  nobody.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  const grpc::Status denied = stub_->Echo(&nobody, EchoRequest(), &response);
  EXPECT_EQ(denied.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(method, "/mainspring.trial.v1.Trial/Echo");
  EXPECT_EQ(box_.size(), 0u);
  grpc::ClientContext alice;
  alice.AddMetadata("authorization", "Bearer good");
  const grpc::Status status = Echo(alice, [](TrialCall::Echo call) {
    EXPECT_EQ(call.reply.context().Principal(), "alice");
    EXPECT_EQ(call.reply.context().Metadata("x-tenant"), "acme");
    call.reply.Send(EchoResponse());
  });
  EXPECT_TRUE(status.ok());
}

}  // namespace
}  // namespace mainspring::rpc
