#include "mainspring/server/running_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "components/clock/clock.h"
#include "mainspring/clock/v1/clock.binding.pb.h"
#include "tests/server/trial_host.h"

namespace mainspring::testing {
namespace {

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
  EXPECT_THAT(std::string(started.message()), ::testing::HasSubstr("there are: trial"));
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
