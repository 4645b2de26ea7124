#include "mainspring/server/rpc/grpc_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/server/rpc/trial_plane.h"

namespace mainspring::rpc {
namespace {

using testing::CallBox;
using ::testing::StartsWith;
using testing::TrialPlane;
using EchoCall = trial::v1::TrialCall::Echo;

// What a component is told of the calls that clients make.
class CallContextTest : public ::testing::Test {
 protected:
  // Sends one call with that context, and looks at it where it arrived.
  template <class Look>
  void Call(grpc::ClientContext& context, Look look) {
    trial::v1::EchoRequest request;
    trial::v1::EchoResponse response;
    std::promise<grpc::Status> done;
    stub_->async()->Echo(&context, &request, &response,
                         [&](const grpc::Status& status) { done.set_value(status); });
    {
      EchoCall call = box_.Take<EchoCall>();
      look(call.reply.context());
      call.reply.Send(response);
    }
    EXPECT_TRUE(done.get_future().get().ok());
  }

  CallBox box_;
  TrialPlane plane_{testing::HookedType("trial", box_.hooks())};
  std::unique_ptr<trial::v1::Trial::Stub> stub_ = plane_.NewStub();
};

TEST_F(CallContextTest, WhenTheClientSetsADeadline_IsTheSameMomentInSteadyTime) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(1));
  const SteadyTime expected = std::chrono::steady_clock::now() + std::chrono::hours(1);
  Call(context, [&](const mainspring::CallContext& call) {
    const absl::Duration off = Between(expected, call.deadline());
    // The header says so long a time in tens of seconds, rounded up.
    EXPECT_LT(absl::AbsDuration(off), absl::Seconds(20)) << off;
  });
}

TEST_F(CallContextTest, WhenTheClientSetsNone_HasNoDeadline) {
  grpc::ClientContext context;
  Call(context, [](const mainspring::CallContext& call) { EXPECT_EQ(kNever, call.deadline()); });
}

TEST_F(CallContextTest, WhenTheDeadlineIsCenturiesAway_DoesNotPassEarly) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(24 * 365 * 200));
  Call(context, [](const mainspring::CallContext& call) {
    EXPECT_GT(call.deadline(), std::chrono::steady_clock::now() + std::chrono::hours(24 * 365));
  });
}

TEST_F(CallContextTest, WhenMetadataIsSent_TellsTheFirstOfEachKey) {
  grpc::ClientContext context;
  context.AddMetadata("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  context.AddMetadata("color", "red");
  context.AddMetadata("color", "blue");
  context.AddMetadata("raw-bin", std::string("\0\xff", 2));
  Call(context, [](const mainspring::CallContext& call) {
    EXPECT_EQ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", call.TraceParent());
    EXPECT_EQ("red", call.Metadata("color"));
    EXPECT_EQ(std::string("\0\xff", 2), call.Metadata("raw-bin"));
    EXPECT_EQ("", call.Metadata("none"));
  });
}

TEST_F(CallContextTest, WhenCalledOverLoopback_TellsThePeerAndNoPrincipal) {
  grpc::ClientContext context;
  Call(context, [](const mainspring::CallContext& call) {
    EXPECT_THAT(call.Peer(), StartsWith("ipv4:127.0.0.1:"));
    EXPECT_EQ("", call.Principal());
  });
}

TEST_F(CallContextTest, WhenTheNextCallComes_KnowsNothingOfTheOneBefore) {
  {
    grpc::ClientContext context;
    context.AddMetadata("color", "red");
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(1));
    Call(context, [](const mainspring::CallContext&) {});
  }
  for (int i = 0; i < 100; ++i) {
    grpc::ClientContext context;
    Call(context, [](const mainspring::CallContext& call) {
      EXPECT_EQ(kNever, call.deadline());
      EXPECT_EQ("", call.Metadata("color"));
      EXPECT_FALSE(call.cancelled());
    });
  }
}

}  // namespace
}  // namespace mainspring::rpc
