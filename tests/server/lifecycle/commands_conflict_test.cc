// Commands that meet others, step by step on a clock of the test's.
#include <gmock/gmock.h>

#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mainspring/server/supervisor/supervisor.h"
#include "tests/server/lifecycle/chain.h"

namespace mainspring {
namespace {

namespace proto = lifecycle::v1;
using namespace lifecycle::v1;  // NOLINT: the call structs of the rpcs under test
using testing::AnswerEcho;
using testing::CallBox;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Hooks;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using EchoCall = trial::v1::TrialCall::Echo;
using trial::v1::TrialRequest;

using Code = absl::StatusCode;

using ManyCommandsTest = testing::ChainTest;

TEST_F(ManyCommandsTest, WhenAnotherOperationIsUnderWay_ARestartWaitsForIt) {
  StartChain();
  loops_.Hold("web");
  auto first = Ask<LifecycleCall::RestartComponent>("name: 'web' request_id: 'one'");
  auto second =
      Ask<LifecycleCall::RestartComponent>("name: 'mail' cascade: true request_id: 'two'");
  EXPECT_EQ(0, first->answers() + second->answers());
  EXPECT_EQ("RUNNING", StateName("mail"));
  EXPECT_EQ(proto::Operation::UNDER_WAY, OperationOf("two").phase());
  loops_.LetGo("web");
  EXPECT_TRUE(first->status().ok());
  EXPECT_TRUE(second->status().ok()) << second->status();
  EXPECT_EQ(3u, Status("web").generation);
  EXPECT_EQ(2u, Status("mail").generation);
  EXPECT_THAT(TakeNotes(), ElementsAre("stop web", "start web", "stop web", "stop mail",
                                       "start mail", "start web"));
}

TEST_F(ManyCommandsTest, WhenEqualOnesWait_AreCarriedOutOnceForAll) {
  Add("one", {}, Noting("one"));
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  std::vector<testing::Record<proto::RestartComponentResponse>> restarts;
  for (int i = 0; i < 10; ++i) {
    restarts.push_back(
        Ask<LifecycleCall::RestartComponent>(absl::StrCat("name: 'one' request_id: 'r", i, "'")));
  }
  EXPECT_EQ(proto::Operation::UNDER_WAY, OperationOf("r9").phase());
  loops_.LetGo("one");
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(restarts[i]->status().ok()) << restarts[i]->status();
    EXPECT_EQ(absl::StrCat("r", i), restarts[i]->answer()->request_id());
    EXPECT_EQ(absl::StrCat("r", i), OperationOf(absl::StrCat("r", i)).request_id());
  }
  EXPECT_EQ(3u, Status("one").generation) << "the first, and the others together";
}

TEST_F(ManyCommandsTest, WhenUnequalOnesWait_EachIsCarriedOutInTurn) {
  Add("web", {"one"});
  Add("one", {}, Noting("one"));
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  auto first = Ask<LifecycleCall::RestartComponent>("name: 'one' cascade: true");
  auto second = Ask<LifecycleCall::StartComponent>("name: 'one'");
  auto third = Ask<LifecycleCall::RestartComponent>("name: 'one' cascade: true");
  loops_.LetGo("one");
  for (const absl::Status& status : {first->status(), second->status(), third->status()}) {
    EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(3u, Status("one").generation);
}

TEST_F(ManyCommandsTest, WhenAllCallersOfOneThatWaitsHaveGone_IsGivenUp) {
  Add("one", {}, Noting("one"));
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  auto first = Ask<LifecycleCall::RestartComponent>("name: 'one'");
  std::vector<testing::Record<proto::RestartComponentResponse>> gone;
  for (int i = 0; i < 100; ++i) {
    gone.push_back(Ask<LifecycleCall::RestartComponent>(
        absl::StrCat("name: 'one' request_id: 'r", i, "' cascade: ", i % 2 == 0)));
  }
  for (size_t i = 0; i + 1 < gone.size(); ++i) gone[i]->MarkCancelled();
  Settle();
  EXPECT_EQ("CANCELLED", OperationOf("r0").status());
  EXPECT_EQ("all its callers went before it was begun", OperationOf("r0").error());
  EXPECT_EQ(proto::Operation::UNDER_WAY, OperationOf("r1").phase()) << "somebody waits for it";
  gone.back()->MarkCancelled();
  Settle();
  EXPECT_EQ("CANCELLED", OperationOf("r1").status());
  for (const auto& each : gone) EXPECT_EQ(1, each->answers());
  loops_.LetGo("one");
  EXPECT_TRUE(first->status().ok());
  EXPECT_EQ(2u, Status("one").generation);
}

TEST_F(ManyCommandsTest, WhenTooManyAreUnderWay_MoreAreRefusedButForStops) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  Ask<LifecycleCall::RestartComponent>("name: 'one'");
  // Not equal, so they do not wait as one.
  for (size_t i = 1; i < Operations::kMostUnderWay; ++i) {
    Send<LifecycleCall::RestartComponent>(absl::StrCat("name: 'one' expected_generation: ", i));
  }
  Settle();
  auto refused = Ask<LifecycleCall::RestartComponent>("name: 'one' request_id: 'r'");
  EXPECT_EQ(Code::kResourceExhausted, refused->status().code());
  EXPECT_EQ(Code::kNotFound, StatusOf<LifecycleCall::GetOperation>("request_id: 'r'").code());
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'one'");
  loops_.LetGo("one");
  EXPECT_TRUE(stopped->status().ok()) << stopped->status();
  EXPECT_TRUE(StatusOf<LifecycleCall::StartComponent>("name: 'one'").ok());
}

TEST_F(ManyCommandsTest, WhenTheGenerationHasMovedOnWhileItWaited_IsAborted) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  auto first = Ask<LifecycleCall::RestartComponent>("name: 'one' expected_generation: 1");
  auto second = Ask<LifecycleCall::RestartComponent>("name: 'one' expected_generation: 1");
  loops_.LetGo("one");
  EXPECT_TRUE(first->status().ok());
  EXPECT_EQ(Code::kAborted, second->status().code());
  EXPECT_EQ(2u, Status("one").generation);
}

TEST_F(ManyCommandsTest, WhenWhatItTouchesIsApart_DoesNotWait) {
  Add("apart", {"?cache"});
  StartChain();
  loops_.Hold("web");
  auto waits = Ask<LifecycleCall::RestartComponent>("name: 'web'");
  EXPECT_TRUE(StatusOf<LifecycleCall::RestartComponent>("name: 'apart'").ok());
  EXPECT_EQ(0, waits->answers());
}

TEST_F(ManyCommandsTest, WhenAStopComesDuringAStart_TakesItsPlace) {
  Add("one", {}, Noting("one"), [](ComponentConfig& config) { config.autostart = false; });
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  auto started = Ask<LifecycleCall::StartComponent>("name: 'one' request_id: 'start'");
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'one'");
  EXPECT_EQ(Code::kAborted, started->status().code());
  EXPECT_THAT(TextOf(started), HasSubstr("StopComponent of \"one\" took its place"));
  EXPECT_EQ(0, stopped->answers());
  loops_.LetGo("one");
  EXPECT_TRUE(stopped->status().ok());
  EXPECT_EQ("STOPPED", StateName("one"));
  EXPECT_EQ("ABORTED", OperationOf("start").status());
  EXPECT_THAT(TakeNotes(), ElementsAre("start one", "stop one"));
}

TEST_F(ManyCommandsTest, WhenAStopComesDuringARestart_StaysStopped) {
  StartChain();
  loops_.Hold("web");
  auto restarted = Ask<LifecycleCall::RestartComponent>("name: 'web'");
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'web'");
  EXPECT_EQ(Code::kAborted, restarted->status().code());
  loops_.LetGo("web");
  EXPECT_TRUE(stopped->status().ok());
  Advance(absl::Minutes(1));
  EXPECT_EQ("STOPPED", StateName("web"));
}

TEST_F(ManyCommandsTest, WhenAStopComesWhileARestartWaits_TheRestartIsAbortedToo) {
  StartChain();
  loops_.Hold("web");
  auto under_way = Ask<LifecycleCall::RestartComponent>("name: 'web'");
  auto waiting = Ask<LifecycleCall::RestartComponent>("name: 'web'");
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'web'");
  loops_.LetGo("web");
  EXPECT_EQ(Code::kAborted, under_way->status().code());
  EXPECT_EQ(Code::kAborted, waiting->status().code());
  EXPECT_TRUE(stopped->status().ok());
  EXPECT_EQ("STOPPED", StateName("web")) << "the last that was asked for";
}

TEST_F(ManyCommandsTest, WhenAStopComesForOneThatWaitsForItsDependency_TakesThePlaceOfItsStart) {
  StartChain();
  Ask<LifecycleCall::StopComponent>("name: 'web'");
  Ask<LifecycleCall::StopComponent>("name: 'mail'");
  loops_.Hold("mail");
  auto started = Ask<LifecycleCall::StartComponent>("name: 'web' cascade: true");
  EXPECT_EQ("web STOPPED, mail STARTING, store RUNNING, cache RUNNING", States());
  EXPECT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'web'").ok());
  EXPECT_EQ(Code::kAborted, started->status().code()) << started->status();
  loops_.LetGo("mail");
  EXPECT_EQ("web STOPPED, mail RUNNING, store RUNNING, cache RUNNING", States());
}

TEST_F(ManyCommandsTest, WhenAStartComesDuringAStop_WaitsAndStartsItAgain) {
  StartChain();
  loops_.Hold("web");
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'web'");
  auto started = Ask<LifecycleCall::StartComponent>("name: 'web'");
  loops_.LetGo("web");
  EXPECT_TRUE(stopped->status().ok());
  EXPECT_TRUE(started->status().ok()) << started->status();
  EXPECT_EQ("RUNNING", StateName("web"));
  EXPECT_EQ(2u, Status("web").generation);
}

TEST_F(ManyCommandsTest, WhenADependencyIsInItsBackoff_AStartWaitsForIt) {
  Add("mail", {"store"}, {}, [](ComponentConfig& config) { config.autostart = false; });
  Add("store", {}, Crashing("store"));
  ASSERT_TRUE(Start().ok());
  Crash("store");
  auto started = Ask<LifecycleCall::StartComponent>("name: 'mail'");
  EXPECT_EQ(0, started->answers()) << started->status();
  Advance(absl::Seconds(1));
  EXPECT_TRUE(started->status().ok()) << started->status();
  EXPECT_EQ("mail RUNNING, store RUNNING", States());
}

TEST_F(ManyCommandsTest, WhenOneThatIsStartingIsStarted_ItsNextFailureWaitsForItsBackoff) {
  Add("one", {}, Crashing("one"));
  loops_.Hold("one");
  BeginStart();
  auto started = Ask<LifecycleCall::StartComponent>("name: 'one'");
  loops_.LetGo("one");
  EXPECT_TRUE(started->status().ok());
  Crash("one");
  EXPECT_EQ("BACKOFF", StateName("one"));
  EXPECT_EQ(1u, Status("one").generation);
}

TEST_F(ManyCommandsTest, WhenOneThatIsStartingIsStarted_GivingUpOnItIsFinal) {
  Add("one", {}, Crashing("one"),
      [](ComponentConfig& config) { config.restart.kind = RestartKind::kTemporary; });
  loops_.Hold("one");
  BeginStart();
  Ask<LifecycleCall::StartComponent>("name: 'one'");
  loops_.LetGo("one");
  Crash("one");
  EXPECT_EQ("FAILED", StateName("one"));
  EXPECT_EQ(1u, Status("one").generation);
}

TEST_F(ManyCommandsTest, WhenTheHostStops_CommandsUnderWayAndLaterOnesAreUnavailable) {
  StartChain();
  loops_.Hold("web");
  auto under_way = Ask<LifecycleCall::RestartComponent>("name: 'web'");
  auto waiting = Ask<LifecycleCall::RestartComponent>("name: 'web'");
  BeginStop();
  for (const absl::Status& status :
       {under_way->status(), waiting->status(),
        StatusOf<LifecycleCall::StartComponent>("name: 'cache'"),
        StatusOf<LifecycleCall::StopComponent>("name: 'cache'"),
        StatusOf<LifecycleCall::RestartComponent>("name: 'cache' dry_run: true")}) {
    EXPECT_EQ(absl::UnavailableError("the host is draining"), status);
  }
  loops_.LetGo("web");
  EXPECT_EQ("web STOPPED, mail STOPPED, store STOPPED, cache STOPPED", States());
  EXPECT_TRUE(Ask<LifecycleCall::ListComponents>()->status().ok()) << "one may still look";
}

}  // namespace
}  // namespace mainspring
