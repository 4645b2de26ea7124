// What operators stop, restart and drain gives its clients the time to leave, step by step on a
// clock of the test's.
#include <gmock/gmock.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "mainspring/server/supervisor/supervisor.h"
#include "tests/server/lifecycle/chain.h"

namespace mainspring {
namespace {

namespace proto = lifecycle::v1;
using namespace lifecycle::v1;  // NOLINT: the call structs of the rpcs under test
using ::testing::ElementsAre;

using Code = absl::StatusCode;

class LameDuckTest : public testing::ChainTest {
 protected:
  static constexpr absl::Duration kLameDuck = absl::Milliseconds(500);

  void SetUp() override {
    StartChain();
    health_is_watched_ = true;
  }
  bool Serves(const std::string& name) { return supervision_->table().IsServing(NumberOf(name)); }
  void ExpectAnswered(const EchoRecord& call) {
    Settle();
    EXPECT_TRUE(call->status().ok()) << call->status();
  }
};

TEST_F(LameDuckTest, WhenStopped_IsUnhealthyAndServesOnForAWhile) {
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'web' request_id: 'r'");
  EXPECT_FALSE(Serves("web"));
  EXPECT_EQ("RUNNING", StateName("web"));
  ExpectAnswered(Echo("web"));
  Advance(kLameDuck - absl::Nanoseconds(1));
  ExpectAnswered(Echo("web"));
  EXPECT_EQ(0, stopped->answers());
  EXPECT_EQ(proto::Operation::UNDER_WAY, OperationOf("r").phase());
  Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(stopped->status().ok()) << stopped->status();
  EXPECT_EQ("STOPPED", StateName("web"));
}

TEST_F(LameDuckTest, WhenNobodyWatchesHealth_IsStoppedAtOnce) {
  health_is_watched_ = false;
  EXPECT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'web'").ok());
}

TEST_F(LameDuckTest, WhenRestartedWithCascade_AllLeaveAtTheSameTimeAndServeAfterwards) {
  auto restarted = Ask<LifecycleCall::RestartComponent>("name: 'store' cascade: true");
  for (const char* each : {"web", "mail", "store"}) EXPECT_FALSE(Serves(each)) << each;
  EXPECT_TRUE(Serves("cache"));
  Advance(kLameDuck);
  EXPECT_TRUE(restarted->status().ok()) << restarted->status();
  for (const char* each : {"web", "mail", "store"}) EXPECT_TRUE(Serves(each)) << each;
  EXPECT_THAT(TakeNotes(), ElementsAre("stop web", "stop mail", "stop store", "start store",
                                       "start mail", "start web"));
}

TEST_F(LameDuckTest, WhenAStopComesMeanwhile_TakesThePlaceAndLosesNoTime) {
  auto restarted = Ask<LifecycleCall::RestartComponent>("name: 'web'");
  Advance(kLameDuck / 2);
  const int changes = changes_;
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'web'");
  auto another = Ask<LifecycleCall::StopComponent>("name: 'web'");
  EXPECT_EQ(Code::kAborted, restarted->status().code());
  EXPECT_EQ(changes, changes_) << "it does not become healthy in between";
  EXPECT_FALSE(Serves("web"));
  ExpectAnswered(Echo("web"));
  Advance(kLameDuck / 2);
  EXPECT_TRUE(stopped->status().ok()) << stopped->status();
  EXPECT_TRUE(another->status().ok()) << another->status();
  Advance(kLameDuck);
  EXPECT_EQ("STOPPED", StateName("web"));
}

TEST_F(LameDuckTest, WhenAnotherRestartComesMeanwhile_Waits) {
  auto first = Ask<LifecycleCall::RestartComponent>("name: 'web'");
  auto second = Ask<LifecycleCall::RestartComponent>("name: 'mail' cascade: true");
  Advance(kLameDuck);
  EXPECT_TRUE(first->status().ok());
  EXPECT_EQ(0, second->answers());
  EXPECT_FALSE(Serves("mail"));
  Advance(kLameDuck);
  EXPECT_TRUE(second->status().ok()) << second->status();
  EXPECT_EQ(3u, Status("web").generation);
}

TEST_F(LameDuckTest, WhenItFailsMeanwhile_TheRestartGoesOnFromThere) {
  auto restarted = Ask<LifecycleCall::RestartComponent>("name: 'web'");
  Crash("web");
  EXPECT_EQ("BACKOFF", StateName("web"));
  EXPECT_EQ(0, restarted->answers());
  Advance(kLameDuck);
  EXPECT_TRUE(restarted->status().ok()) << restarted->status();
  EXPECT_EQ("RUNNING", StateName("web"));
  EXPECT_TRUE(Serves("web"));
}

TEST_F(LameDuckTest, WhenItsGenerationIsGoneByThen_IsAbortedAndHealthyAgain) {
  auto restarted = Ask<LifecycleCall::RestartComponent>("name: 'web' expected_generation: 1");
  Crash("web");
  Advance(absl::Milliseconds(200));
  EXPECT_EQ(2u, Status("web").generation);
  EXPECT_FALSE(Serves("web"));
  Advance(kLameDuck);
  EXPECT_EQ(Code::kAborted, restarted->status().code());
  EXPECT_TRUE(Serves("web"));
  EXPECT_EQ(2u, Status("web").generation);
}

TEST_F(LameDuckTest, WhenTheHostStopsMeanwhile_NobodyIsWaitedFor) {
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'web'");
  Stop();
  EXPECT_EQ(Code::kUnavailable, stopped->status().code());
  Advance(kLameDuck);
}

TEST_F(LameDuckTest, WhenDrained_RefusesCallsAfterAWhile) {
  auto drained = Ask<LifecycleCall::DrainComponent>("name: 'web'");
  auto another = Ask<LifecycleCall::DrainComponent>("name: 'web'");
  EXPECT_FALSE(Serves("web"));
  EXPECT_TRUE(Status("web").draining);
  ExpectAnswered(Echo("web"));
  Advance(kLameDuck - absl::Nanoseconds(1));
  EXPECT_EQ(0, drained->answers() + another->answers());
  ExpectAnswered(Echo("web"));
  Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(drained->status().ok()) << drained->status();
  EXPECT_TRUE(another->status().ok()) << another->status();
  EXPECT_EQ(Code::kUnavailable, Echo("web")->status().code());
}

TEST_F(LameDuckTest, WhenUndrainedAndDrainedAgainMeanwhile_TheTimeBeginsAnew) {
  auto first = Ask<LifecycleCall::DrainComponent>("name: 'web'");
  Advance(kLameDuck / 2);
  Ask<LifecycleCall::UndrainComponent>("name: 'web'");
  EXPECT_EQ(Code::kAborted, first->status().code());
  EXPECT_TRUE(Serves("web"));
  auto second = Ask<LifecycleCall::DrainComponent>("name: 'web'");
  Advance(kLameDuck / 2);
  ExpectAnswered(Echo("web"));
  EXPECT_EQ(0, second->answers());
  Advance(kLameDuck / 2);
  EXPECT_TRUE(second->status().ok()) << second->status();
}

TEST_F(LameDuckTest, WhenDrainedWhileItIsAboutToStop_ServesForTheWholeTime) {
  Ask<LifecycleCall::StopComponent>("name: 'web'");
  Advance(kLameDuck / 2);
  Ask<LifecycleCall::DrainComponent>("name: 'web'");
  Advance(kLameDuck / 2 - absl::Nanoseconds(1));
  ExpectAnswered(Echo("web"));
}

TEST_F(LameDuckTest, WhenADrainedOneIsStopped_IsStoppedAtOnce) {
  Ask<LifecycleCall::DrainComponent>("name: 'web'");
  Advance(kLameDuck);
  EXPECT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'web'").ok());
}

TEST_F(LameDuckTest, WhenItFails_NobodyIsWaitedFor) {
  Crash("store");
  EXPECT_EQ("BACKOFF", StateName("store"));
}

TEST_F(LameDuckTest, WhenItIsADryRun_StaysHealthy) {
  EXPECT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'web' dry_run: true").ok());
  EXPECT_TRUE(Serves("web"));
}

using NoLameDuckTest = testing::SteppedTest;

TEST_F(NoLameDuckTest, WhenItIsZero_IsStoppedAndDrainedAtOnce) {
  Add("one", {}, {}, [](ComponentConfig& config) { config.lame_duck = absl::ZeroDuration(); });
  ASSERT_TRUE(Start().ok());
  health_is_watched_ = true;
  EXPECT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'one'").ok());
  Ask<LifecycleCall::StartComponent>("name: 'one'");
  EXPECT_TRUE(StatusOf<LifecycleCall::DrainComponent>("name: 'one'").ok());
}

}  // namespace
}  // namespace mainspring
