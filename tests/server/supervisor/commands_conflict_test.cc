// Commands that meet others, step by step on a clock of the test's.
#include <gmock/gmock.h>

#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/supervisor/supervisor.h"
#include "tests/server/supervisor/stepped.h"

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
using trial::v1::EchoCall;
using trial::v1::TrialRequest;

using Code = absl::StatusCode;

using ManyCommandsTest = testing::ChainTest;

TEST_F(ManyCommandsTest, WhenAnotherOperationIsUnderWay_ARestartWaitsForIt) {
  StartChain();
  loops_.Hold("web");
  auto first = Ask<RestartComponentCall>("name: 'web' request_id: 'one'");
  auto second = Ask<RestartComponentCall>("name: 'mail' cascade: true request_id: 'two'");
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

TEST_F(ManyCommandsTest, WhenSeveralWait_EachIsCarriedOutInTurn) {
  Add("one", {}, Noting("one"));
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  std::vector<testing::Record<proto::RestartComponentResponse>> restarts;
  for (int i = 0; i < 10; ++i) restarts.push_back(Ask<RestartComponentCall>("name: 'one'"));
  loops_.LetGo("one");
  for (const auto& each : restarts) EXPECT_TRUE(each->status().ok()) << each->status();
  EXPECT_EQ(11u, Status("one").generation);
}

TEST_F(ManyCommandsTest, WhenTheGenerationHasMovedOnWhileItWaited_IsAborted) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  auto first = Ask<RestartComponentCall>("name: 'one' expected_generation: 1");
  auto second = Ask<RestartComponentCall>("name: 'one' expected_generation: 1");
  loops_.LetGo("one");
  EXPECT_TRUE(first->status().ok());
  EXPECT_EQ(Code::kAborted, second->status().code());
  EXPECT_EQ(2u, Status("one").generation);
}

TEST_F(ManyCommandsTest, WhenWhatItTouchesIsApart_DoesNotWait) {
  Add("apart", {"?cache"});
  StartChain();
  loops_.Hold("web");
  auto waits = Ask<RestartComponentCall>("name: 'web'");
  EXPECT_TRUE(StatusOf<RestartComponentCall>("name: 'apart'").ok());
  EXPECT_EQ(0, waits->answers());
}

TEST_F(ManyCommandsTest, WhenAStopComesDuringAStart_TakesItsPlace) {
  Add("one", {}, Noting("one"), [](ComponentConfig& config) { config.autostart = false; });
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  auto started = Ask<StartComponentCall>("name: 'one' request_id: 'start'");
  auto stopped = Ask<StopComponentCall>("name: 'one'");
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
  auto restarted = Ask<RestartComponentCall>("name: 'web'");
  auto stopped = Ask<StopComponentCall>("name: 'web'");
  EXPECT_EQ(Code::kAborted, restarted->status().code());
  loops_.LetGo("web");
  EXPECT_TRUE(stopped->status().ok());
  Advance(absl::Minutes(1));
  EXPECT_EQ("STOPPED", StateName("web"));
}

TEST_F(ManyCommandsTest, WhenAStopComesWhileARestartWaits_TheRestartIsAbortedToo) {
  StartChain();
  loops_.Hold("web");
  auto under_way = Ask<RestartComponentCall>("name: 'web'");
  auto waiting = Ask<RestartComponentCall>("name: 'web'");
  auto stopped = Ask<StopComponentCall>("name: 'web'");
  loops_.LetGo("web");
  EXPECT_EQ(Code::kAborted, under_way->status().code());
  EXPECT_EQ(Code::kAborted, waiting->status().code());
  EXPECT_TRUE(stopped->status().ok());
  EXPECT_EQ("STOPPED", StateName("web")) << "the last that was asked for";
}

TEST_F(ManyCommandsTest, WhenAStopComesForOneThatWaitsForItsDependency_TakesThePlaceOfItsStart) {
  StartChain();
  Ask<StopComponentCall>("name: 'web'");
  Ask<StopComponentCall>("name: 'mail'");
  loops_.Hold("mail");
  auto started = Ask<StartComponentCall>("name: 'web' cascade: true");
  EXPECT_EQ("web STOPPED, mail STARTING, store RUNNING, cache RUNNING", States());
  EXPECT_TRUE(StatusOf<StopComponentCall>("name: 'web'").ok());
  EXPECT_EQ(Code::kAborted, started->status().code()) << started->status();
  loops_.LetGo("mail");
  EXPECT_EQ("web STOPPED, mail RUNNING, store RUNNING, cache RUNNING", States());
}

TEST_F(ManyCommandsTest, WhenAStartComesDuringAStop_WaitsAndStartsItAgain) {
  StartChain();
  loops_.Hold("web");
  auto stopped = Ask<StopComponentCall>("name: 'web'");
  auto started = Ask<StartComponentCall>("name: 'web'");
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
  auto started = Ask<StartComponentCall>("name: 'mail'");
  EXPECT_EQ(0, started->answers()) << started->status();
  Advance(absl::Seconds(1));
  EXPECT_TRUE(started->status().ok()) << started->status();
  EXPECT_EQ("mail RUNNING, store RUNNING", States());
}

TEST_F(ManyCommandsTest, WhenOneThatIsStartingIsStarted_ItsNextFailureWaitsForItsBackoff) {
  Add("one", {}, Crashing("one"));
  loops_.Hold("one");
  BeginStart();
  auto started = Ask<StartComponentCall>("name: 'one'");
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
  Ask<StartComponentCall>("name: 'one'");
  loops_.LetGo("one");
  Crash("one");
  EXPECT_EQ("FAILED", StateName("one"));
  EXPECT_EQ(1u, Status("one").generation);
}

TEST_F(ManyCommandsTest, WhenTheHostStops_CommandsUnderWayAndLaterOnesAreUnavailable) {
  StartChain();
  loops_.Hold("web");
  auto under_way = Ask<RestartComponentCall>("name: 'web'");
  auto waiting = Ask<RestartComponentCall>("name: 'web'");
  BeginStop();
  for (const absl::Status& status :
       {under_way->status(), waiting->status(), StatusOf<StartComponentCall>("name: 'cache'"),
        StatusOf<StopComponentCall>("name: 'cache'"),
        StatusOf<RestartComponentCall>("name: 'cache' dry_run: true")}) {
    EXPECT_EQ(absl::UnavailableError("the host is draining"), status);
  }
  loops_.LetGo("web");
  EXPECT_EQ("web STOPPED, mail STOPPED, store STOPPED, cache STOPPED", States());
  EXPECT_TRUE(Ask<ListComponentsCall>()->status().ok()) << "one may still look";
}

}  // namespace
}  // namespace mainspring
