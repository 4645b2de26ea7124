#include "mainspring/server/running_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "components/clock/clock.h"
#include "mainspring/clock/v1/clock.binding.pb.h"
#include "tests/server/gate.h"
#include "tests/server/hooked_type.h"
#include "tests/server/trial_host.h"

namespace mainspring::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::unique_ptr<trial::v1::Trial::Stub> StubOf(RunningHost& host) {
  return trial::v1::Trial::NewStub(ConnectTo(host.data_address()));
}

TEST(RunningHost, OnceStarted_ServesOnLoopbackUntilItIsDrained) {
  RunningHost host({TrialType()});
  ASSERT_TRUE(host.Start().ok());
  EXPECT_THAT(host.data_address(), StartsWith("127.0.0.1:"));
  EXPECT_THAT(host.admin_address(), StartsWith("127.0.0.1:"));
  EXPECT_TRUE(Echo(*StubOf(host)).ok());
  EXPECT_EQ(host.Drain(), 0);
}

TEST(RunningHost, BesideAnother_HasAddressesOfItsOwn) {
  RunningHost one({TrialType()});
  RunningHost two({TrialType()});
  ASSERT_TRUE(one.Start().ok());
  ASSERT_TRUE(two.Start().ok());
  EXPECT_NE(one.data_address(), two.data_address());
  EXPECT_EQ(one.Drain(), 0);
  EXPECT_TRUE(Echo(*StubOf(two)).ok());
}

TEST(RunningHost, ThatCannotStart_SaysWhyAndEnds) {
  RunningHost host({TrialType()}, [](HostConfig& config) { config.Find("trial")->type = "trail"; });
  const absl::Status started = host.Start();
  EXPECT_EQ(started.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(started.message()), HasSubstr("there are: trial"));
  EXPECT_THROW(host.data_address(), std::logic_error);
  EXPECT_THROW(static_cast<void>(host.Start()), std::logic_error);
  EXPECT_EQ(host.Drain(), -1);
}

TEST(RunningHost, BeforeItsStart_HasNoAddress) {
  const RunningHost host({TrialType()});
  try {
    host.admin_address();
    FAIL();
  } catch (const std::logic_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("Start was not called"));
  }
}

// Where blocking work stands, since it must not capture.
Gate& TheGate() {
  static Gate gate;
  return gate;
}

TEST(RunningHostDeathTest, WhoseBlockingWorkHangs_EndsTheProcessAndSaysSo) {
  const Hooks hanging{.construct = [](Context& context) {
    context.RunBlocking([] { TheGate().Pass(); }).Detach();
  }};
  EXPECT_EXIT(
      {
        RunningHost host({HookedType("hanging", hanging)},
                         [](HostConfig& config) { config.exit_margin = absl::Milliseconds(1); });
        static_cast<void>(host.Start());
        TheGate().AwaitSomebody();
      },
      ::testing::ExitedWithCode(70), "something hangs");
}

// It may answer a call, through a mailbox of the host's.
TEST(RunningHost, ThatCannotStart_WaitsForBlockingWork) {
  Context* holder = nullptr;
  Context* asker = nullptr;
  const Hooks holding{.construct = [&](Context& context) { holder = &context; },
                      .handle =
                          [&](trial::v1::TrialRequest request) {
                            using Echo = trial::v1::TrialCall::Echo;
                            holder
                                ->RunBlocking(
                                    [](Reply<trial::v1::EchoResponse> reply) {
                                      TheGate().Pass();
                                      reply.Send({});
                                    },
                                    std::move(std::get<Echo>(request).reply))
                                .Detach();
                          },
                      .stop = [] { TheGate().Open(); }};
  std::optional<Answer<trial::v1::EchoResponse>> answer;
  const Hooks asking{.construct = [&](Context& context) { asker = &context; },
                     .start =
                         [&] {
                           answer = asker->Need<trial::v1::TrialRef>("holder").Echo({});
                           TheGate().AwaitSomebody();
                           return absl::InternalError("on purpose");
                         }};
  RunningHost host(
      {HookedType("holder", holding), HookedType("asker", asking).DependsOn({"holder"})},
      [](HostConfig& config) {
        config.Find("asker")->restart.max_failures = 1;
        config.Find("holder")->stop_timeout = absl::Milliseconds(1);
      });
  EXPECT_EQ(host.Start().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(answer->Await(SteadyTime::min()).ok());
}

TEST(RunningHost, ThatIsDestroyed_RefusesWhatIsNotAnswered) {
  std::future<grpc::Status> forgotten;
  {
    RunningHost host({TrialType()});
    ASSERT_TRUE(host.Start().ok());
    std::shared_ptr<trial::v1::Trial::Stub> stub = StubOf(host);
    forgotten = std::async(std::launch::async, [stub] {
      Waiting context;
      trial::v1::ForgetResponse response;
      return stub->Forget(&context, {}, &response);
    });
    trial::v1::CountDispatchedResponse dispatched;
    while (dispatched.calls().count("Forget") == 0) {
      Waiting context;
      ASSERT_TRUE(stub->CountDispatched(&context, {}, &dispatched).ok());
    }
  }
  EXPECT_EQ(forgotten.get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(OneOfEach, OfTypesThatDependOnEachOther_SaysSo) {
  const HostConfig config =
      OneOfEach({TrialType().DependsOn({"clock"}), clock::v1::ClockType<clock::Clock>("clock")});
  ASSERT_EQ(config.components.size(), 2);
  EXPECT_EQ(config.components[0].name, "trial");
  EXPECT_EQ(config.components[0].type, "trial");
  ASSERT_EQ(config.components[0].depends_on.size(), 1);
  EXPECT_EQ(config.components[0].depends_on[0].component, "clock");
  EXPECT_TRUE(config.components[0].depends_on[0].hard);
  EXPECT_TRUE(config.components[1].depends_on.empty());
}

TEST(OneOfEach, OfATypeWhoseNeighbourIsMissing_DoesNotStart) {
  RunningHost host({TrialType().DependsOn({"clock"})});
  EXPECT_EQ(host.Start().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace mainspring::testing
