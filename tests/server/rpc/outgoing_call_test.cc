#include "mainspring/server/rpc/outgoing_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "mainspring/status_details.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/server/rpc/trial_plane.h"

namespace mainspring {
namespace {

using testing::CallBox;
using testing::EchoOf;
using testing::Running;
using testing::TrialPlane;
using trial::v1::EchoRequest;
using trial::v1::EchoResponse;
using trial::v1::Trial;
using trial::v1::TrialCall;

// Passes Echo on to another host.
class Relay final : public Component, public Handler<trial::v1::TrialRequest> {
 public:
  Relay(Context& context, Trial::Stub& elsewhere) : Component(context), elsewhere_(elsewhere) {}

  void Handle(trial::v1::TrialRequest&& request) override {
    auto& echo = std::get<TrialCall::Echo>(request);
    Echo(std::move(echo.request), std::move(echo.reply));
  }
  void Echo(EchoRequest request, Reply<EchoResponse> reply) {
    reply.Send(co_await CallStub(elsewhere_.async(), &Trial::Stub::async::Echo, std::move(request),
                                 {.from = reply.context()}));
  }

 private:
  Trial::Stub& elsewhere_;
};

class OutgoingCallTest : public ::testing::Test {
 protected:
  CallBox box_;
  TrialPlane plane_{testing::HookedType("trial", box_.hooks())};
  const std::unique_ptr<Trial::Stub> stub_ = plane_.NewStub();
  Running<trial::v1::TrialRequest> relay_{
      [this](Context& context) { return std::make_unique<Relay>(context, *stub_); }};
  const trial::v1::TrialRef ref_{relay_.mailbox};
};

TEST_F(OutgoingCallTest, GetsTheAnswerFromElsewhere) {
  Answer<EchoResponse> answer = ref_.Echo(EchoOf("hello"));
  auto call = box_.Take<TrialCall::Echo>();
  EchoResponse response;
  response.set_text(call.request.text());
  call.reply.Send(response);
  EXPECT_EQ(answer.Await(testing::Patience())->text(), "hello");
}

TEST_F(OutgoingCallTest, GetsAnErrorWithItsDetails) {
  Answer<EchoResponse> answer = ref_.Echo(EchoOf("hello"));
  const absl::Status sent = WithRetryDelay(absl::ResourceExhaustedError("later"), absl::Seconds(2));
  box_.Take<TrialCall::Echo>().reply.Fail(sent);
  EXPECT_EQ(answer.Await(testing::Patience()).status(), sent);
}

TEST_F(OutgoingCallTest, HandsOnDeadlineAndTraceContext) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(50);
  const std::vector<Metadatum> metadata = {{"traceparent", "00-1"}, {"cookie", "secret"}};
  Answer<EchoResponse> answer =
      ref_.Echo(EchoOf("hello"), {.deadline = deadline, .metadata = metadata});
  auto call = box_.Take<TrialCall::Echo>();
  EXPECT_EQ(call.reply.context().TraceParent(), "00-1");
  EXPECT_EQ(call.reply.context().Metadata("cookie"), "");
  EXPECT_LT(absl::AbsDuration(Between(deadline, call.reply.deadline())), absl::Seconds(5));
  call.reply.Send(EchoResponse());
  EXPECT_TRUE(answer.Await(testing::Patience()).ok());
}

TEST_F(OutgoingCallTest, WhenTheCallerGoes_IsCancelled) {
  std::optional<TrialCall::Echo> asked;
  {
    const Answer<EchoResponse> abandoned = ref_.Echo(EchoOf("hello"));
    asked = box_.Take<TrialCall::Echo>();
  }
  TrialCall::Echo& call = *asked;
  EXPECT_TRUE(testing::Eventually([&] { return call.reply.cancelled(); }));
}

TEST_F(OutgoingCallTest, WhenTheInstanceGoes_IsCancelled) {
  Answer<EchoResponse> answer = ref_.Echo(EchoOf("hello"));
  auto call = box_.Take<TrialCall::Echo>();
  relay_.mailbox->PushControl(control::Discard{});
  EXPECT_TRUE(testing::Eventually([&] { return call.reply.cancelled(); }));
}

}  // namespace
}  // namespace mainspring
