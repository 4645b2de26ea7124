// What operators ask the supervisor for: each rpc of Lifecycle, step by step on a clock of the
// test's.
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
using testing::StepsOf;
using EchoCall = trial::v1::TrialCall::Echo;
using trial::v1::TrialRequest;

using Code = absl::StatusCode;

using CommandsTest = testing::ChainTest;

// --- what there is -------------------------------------------------------------------------------

TEST_F(CommandsTest, WhenListed_TellsOfAllAndOfTheProcess) {
  StartChain();
  const auto list = *Ask<LifecycleCall::ListComponents>()->answer();
  ASSERT_EQ(4, list.components_size());
  EXPECT_EQ("web", list.components(0).name());
  EXPECT_EQ("hooked", list.components(0).type());
  EXPECT_EQ("mainspring.trial.v1.Trial", list.components(0).service());
  EXPECT_EQ(proto::Component::RUNNING, list.components(0).state());
  EXPECT_EQ(4, list.components(0).restarts_left());
  EXPECT_EQ(4711, list.components(0).thread().id());
  EXPECT_EQ("first", list.host().incarnation());
  EXPECT_EQ("1.2.3", list.host().version());
  EXPECT_FALSE(list.host().draining());
  EXPECT_EQ(absl::ToUnixSeconds(time_.WallNow()), list.host().start_time().seconds());
  progress_.set_phase(proto::DrainProgress::LAME_DUCK);
  EXPECT_TRUE(Ask<LifecycleCall::ListComponents>()->answer()->host().draining());
}

TEST_F(CommandsTest, WhenFiltersAreGiven_ListsWhatTheyLetThrough) {
  Add("a");
  Add("b", {}, {}, [](ComponentConfig& config) { config.type = "other"; });
  Add("c", {}, {}, [](ComponentConfig& config) { config.autostart = false; });
  ASSERT_TRUE(Start().ok());
  const auto names = [&](const std::string& filter) {
    std::vector<std::string> names;
    const auto list = *Ask<LifecycleCall::ListComponents>(filter)->answer();
    for (const auto& each : list.components()) names.push_back(each.name());
    return names;
  };
  EXPECT_THAT(names("states: RUNNING"), ElementsAre("a", "b"));
  EXPECT_THAT(names("states: RUNNING types: 'other'"), ElementsAre("b"));
  EXPECT_THAT(names("states: STOPPED states: RUNNING"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(names("types: 'nothing'"), IsEmpty());
  EXPECT_THAT(names("states: FAILED"), IsEmpty());
}

TEST_F(CommandsTest, WhenOneIsAskedFor_TellsOfItAlone) {
  StartChain();
  const auto mail = Ask<LifecycleCall::GetComponent>("name: 'mail'")->answer()->component();
  EXPECT_EQ("mail", mail.name());
  EXPECT_EQ(1u, mail.generation());
  EXPECT_EQ("store", mail.depends_on(0).component());
  EXPECT_EQ("web", mail.dependents(0).component());
}

TEST_F(CommandsTest, WhenThereIsNoSuchComponent_EachRpcListsTheNamesTheNearestFirst) {
  StartChain();
  const std::string text = "name: 'stor'";
  for (const absl::Status& status :
       {StatusOf<LifecycleCall::GetComponent>(text), StatusOf<LifecycleCall::StartComponent>(text),
        StatusOf<LifecycleCall::StopComponent>(text),
        StatusOf<LifecycleCall::RestartComponent>(text),
        StatusOf<LifecycleCall::PauseComponent>(text),
        StatusOf<LifecycleCall::ResumeComponent>(text),
        StatusOf<LifecycleCall::DrainComponent>(text),
        StatusOf<LifecycleCall::UndrainComponent>(text)}) {
    EXPECT_EQ(Code::kNotFound, status.code());
    EXPECT_EQ("no component \"stor\"; there are: store, web, mail, cache", status.message());
  }
  const absl::Status odd =
      StatusOf<LifecycleCall::GetComponent>("name: '\\n" + std::string(5000, 'x') + "'");
  EXPECT_THAT(std::string(odd.message()), StartsWith("no component \"\\nxxx"));
  EXPECT_LT(odd.message().size(), 500u);
}

// --- start and stop ------------------------------------------------------------------------------

TEST_F(CommandsTest, WhenStoppedAndStarted_AnswersEachWhenItIsSo) {
  StartChain();
  loops_.Hold("web");
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'web'");
  EXPECT_EQ(0, stopped->answers());
  EXPECT_EQ("STOPPING", StateName("web"));
  loops_.LetGo("web");
  ASSERT_TRUE(stopped->status().ok());
  EXPECT_EQ(proto::Component::STOPPED, stopped->answer()->component().state());
  EXPECT_EQ("asked to stop", stopped->answer()->component().reason());
  EXPECT_FALSE(stopped->answer()->component().wanted());
  EXPECT_THAT(StepsOf(*stopped->answer()), ElementsAre("[stop web]"));
  EXPECT_EQ("first-1", stopped->answer()->request_id());

  loops_.Hold("web");
  auto started = Ask<LifecycleCall::StartComponent>("name: 'web'");
  EXPECT_EQ(0, started->answers());
  loops_.LetGo("web");
  ASSERT_TRUE(started->status().ok());
  EXPECT_EQ(proto::Component::RUNNING, started->answer()->component().state());
  EXPECT_EQ(2u, started->answer()->component().generation());
  EXPECT_THAT(StepsOf(*started->answer()), ElementsAre("[start web]"));
}

TEST_F(CommandsTest, WhenItIsSoAlready_AnswersAtOnceAndChangesNothing) {
  StartChain();
  auto started = Ask<LifecycleCall::StartComponent>("name: 'web'");
  EXPECT_TRUE(started->status().ok());
  EXPECT_THAT(StepsOf(*started->answer()), IsEmpty());
  EXPECT_EQ(1u, Status("web").generation);
  EXPECT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'web'").ok());
  auto again = Ask<LifecycleCall::StopComponent>("name: 'web'");
  EXPECT_TRUE(again->status().ok());
  EXPECT_THAT(StepsOf(*again->answer()), IsEmpty());
  EXPECT_THAT(TakeNotes(), ElementsAre("stop web"));
}

TEST_F(CommandsTest, WhenTheRequestIdIsUsedAgain_IsCarriedOutOnceAndAnsweredEachTime) {
  StartChain();
  loops_.Hold("web");
  const std::string text = "name: 'web' request_id: 'r'";
  auto first = Ask<LifecycleCall::RestartComponent>(text);
  auto meanwhile = Ask<LifecycleCall::RestartComponent>(text);
  EXPECT_EQ(0, first->answers() + meanwhile->answers());
  loops_.LetGo("web");
  EXPECT_TRUE(first->status().ok());
  EXPECT_TRUE(meanwhile->status().ok());
  auto afterwards = Ask<LifecycleCall::RestartComponent>(text);
  EXPECT_TRUE(afterwards->status().ok());
  EXPECT_EQ("r", afterwards->answer()->request_id());
  EXPECT_EQ(2u, Status("web").generation);
  EXPECT_THAT(TakeNotes(), ElementsAre("stop web", "start web"));
}

TEST_F(CommandsTest, WhenTheRequestIdOfAFailureIsUsedAgain_AnswersTheSameFailure) {
  Add("bad", {}, {}, [](ComponentConfig& config) { config.autostart = false; });
  ASSERT_TRUE(Start().ok());
  loops_.Hold("bad");
  auto first = Ask<LifecycleCall::StartComponent>("name: 'bad' request_id: 'r'");
  Advance(absl::Seconds(30));
  EXPECT_EQ(Code::kUnavailable, first->status().code());
  loops_.LetGo("bad");
  Advance(absl::Seconds(1));
  EXPECT_EQ("RUNNING", StateName("bad"));
  EXPECT_EQ(first->status(),
            StatusOf<LifecycleCall::StartComponent>("name: 'bad' request_id: 'r'"));
}

TEST_F(CommandsTest, WhenTheRequestIdIsAnotherCommands_AlreadyExists) {
  StartChain();
  ASSERT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'web' request_id: 'r'").ok());
  const absl::Status other_rpc =
      StatusOf<LifecycleCall::StartComponent>("name: 'web' request_id: 'r'");
  EXPECT_EQ(Code::kAlreadyExists, other_rpc.code());
  EXPECT_EQ("request_id \"r\" is a StopComponent of \"web\"", other_rpc.message());
  EXPECT_EQ(Code::kAlreadyExists,
            StatusOf<LifecycleCall::StopComponent>("name: 'mail' request_id: 'r'").code());
}

TEST_F(CommandsTest, WhenTheRequestIdIsOdd_IsRefused) {
  StartChain();
  const std::string longest(128, 'x');
  EXPECT_TRUE(
      StatusOf<LifecycleCall::StopComponent>("name: 'web' request_id: '" + longest + "'").ok());
  for (const std::string& id : {longest + "x", std::string("a\\nb"), std::string("\\303\\244")}) {
    EXPECT_EQ(
        Code::kInvalidArgument,
        StatusOf<LifecycleCall::StartComponent>("name: 'web' request_id: '" + id + "'").code());
  }
  EXPECT_EQ("STOPPED", StateName("web"));
}

TEST_F(CommandsTest, WhenTheChosenIdIsLikeOneOfTheHosts_TheHostChoosesAnother) {
  StartChain();
  ASSERT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'web' request_id: 'first-1'").ok());
  auto chosen = Ask<LifecycleCall::StartComponent>("name: 'web'");
  EXPECT_TRUE(chosen->status().ok());
  EXPECT_EQ("first-2", chosen->answer()->request_id());
}

TEST_F(CommandsTest, WhenTheGenerationIsAnother_IsAborted) {
  StartChain();
  for (const absl::Status& status :
       {StatusOf<LifecycleCall::StartComponent>("name: 'web' expected_generation: 2"),
        StatusOf<LifecycleCall::StopComponent>("name: 'web' expected_generation: 0"),
        StatusOf<LifecycleCall::RestartComponent>("name: 'web' expected_generation: 2"),
        StatusOf<LifecycleCall::PauseComponent>("name: 'web' expected_generation: 2"),
        StatusOf<LifecycleCall::ResumeComponent>("name: 'web' expected_generation: 2"),
        StatusOf<LifecycleCall::DrainComponent>("name: 'web' expected_generation: 2"),
        StatusOf<LifecycleCall::UndrainComponent>("name: 'web' expected_generation: 2")}) {
    EXPECT_EQ(Code::kAborted, status.code());
    EXPECT_THAT(std::string(status.message()),
                StartsWith("component \"web\": its generation is 1, not "));
  }
  EXPECT_TRUE(StatusOf<LifecycleCall::RestartComponent>("name: 'web' expected_generation: 1").ok());
  EXPECT_EQ(Code::kAborted,
            StatusOf<LifecycleCall::RestartComponent>("name: 'web' expected_generation: 1").code());
}

TEST_F(CommandsTest, WhenItIsADryRun_TellsTheStepsAndChangesNothing) {
  StartChain();
  const std::string before = States();
  const int changes = changes_;
  auto stop = Ask<LifecycleCall::StopComponent>(
      "name: 'store' cascade: true dry_run: true request_id: 'd'");
  ASSERT_TRUE(stop->status().ok());
  EXPECT_THAT(StepsOf(*stop->answer()), ElementsAre("stop web", "stop mail", "stop store"));
  auto restart = Ask<LifecycleCall::RestartComponent>("name: 'mail' cascade: true dry_run: true");
  EXPECT_THAT(StepsOf(*restart->answer()),
              ElementsAre("stop web", "stop mail", "start mail", "start web"));
  EXPECT_EQ(Code::kFailedPrecondition,
            StatusOf<LifecycleCall::StopComponent>("name: 'store' dry_run: true").code());
  EXPECT_EQ(Code::kAborted, StatusOf<LifecycleCall::StopComponent>(
                                "name: 'web' dry_run: true expected_generation: 7")
                                .code());
  EXPECT_EQ(before, States());
  EXPECT_EQ(changes, changes_);
  EXPECT_TRUE(Status("store").wanted);
  EXPECT_EQ(Code::kNotFound, StatusOf<LifecycleCall::GetOperation>("request_id: 'd'").code());
  EXPECT_TRUE(StatusOf<LifecycleCall::StopComponent>("name: 'web' request_id: 'd'").ok())
      << "a dry run takes no request id";
  auto start = Ask<LifecycleCall::StartComponent>("name: 'web' dry_run: true");
  EXPECT_THAT(StepsOf(*start->answer()), ElementsAre("start web"));
  EXPECT_EQ("STOPPED", StateName("web"));
}

TEST_F(CommandsTest, WhenDependentsWouldStop_NamesThemUnlessCascaded) {
  StartChain();
  const absl::Status refused = StatusOf<LifecycleCall::StopComponent>("name: 'store'");
  EXPECT_EQ(Code::kFailedPrecondition, refused.code());
  EXPECT_EQ(
      "component \"store\": \"mail\", \"web\" depend on it and would stop too; ask with "
      "cascade",
      refused.message());
  EXPECT_EQ("component \"mail\": \"web\" depends on it and would stop too; ask with cascade",
            StatusOf<LifecycleCall::RestartComponent>("name: 'mail'").message());
  EXPECT_THAT(TakeNotes(), IsEmpty());
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'store' cascade: true");
  EXPECT_TRUE(stopped->status().ok());
  EXPECT_THAT(StepsOf(*stopped->answer()),
              ElementsAre("[stop web]", "[stop mail]", "[stop store]"));
  EXPECT_THAT(TakeNotes(), ElementsAre("stop web", "stop mail", "stop store"));
  EXPECT_EQ("its dependency \"store\" goes down", Reason("mail"));
  EXPECT_TRUE(Status("mail").wanted);
}

TEST_F(CommandsTest, WhenWhatWasCascadedIsStarted_DependentsComeBack) {
  StartChain();
  Ask<LifecycleCall::StopComponent>("name: 'store' cascade: true");
  TakeNotes();
  auto started = Ask<LifecycleCall::StartComponent>("name: 'store'");
  EXPECT_TRUE(started->status().ok());
  EXPECT_THAT(StepsOf(*started->answer()),
              ElementsAre("[start store]", "[start mail]", "[start web]"));
  EXPECT_THAT(TakeNotes(), ElementsAre("start store", "start mail", "start web"));
}

TEST_F(CommandsTest, WhenADependentWasStoppedByName_StaysStopped) {
  StartChain();
  Ask<LifecycleCall::StopComponent>("name: 'web'");
  Ask<LifecycleCall::StopComponent>("name: 'store' cascade: true");
  auto started = Ask<LifecycleCall::StartComponent>("name: 'store'");
  EXPECT_THAT(StepsOf(*started->answer()), ElementsAre("[start store]", "[start mail]"));
  EXPECT_EQ("web STOPPED, mail RUNNING, store RUNNING, cache RUNNING", States());
  auto restarted = Ask<LifecycleCall::RestartComponent>("name: 'store' cascade: true");
  EXPECT_THAT(StepsOf(*restarted->answer()),
              ElementsAre("[stop mail]", "[stop store]", "[start store]", "[start mail]"));
}

TEST_F(CommandsTest, WhenWhatItNeedsDoesNotRun_NamesItUnlessCascaded) {
  StartChain();
  Ask<LifecycleCall::StopComponent>("name: 'web'");
  Ask<LifecycleCall::StopComponent>("name: 'mail'");
  Ask<LifecycleCall::StopComponent>("name: 'store'");
  TakeNotes();
  const absl::Status refused = StatusOf<LifecycleCall::StartComponent>("name: 'web'");
  EXPECT_EQ(Code::kFailedPrecondition, refused.code());
  EXPECT_EQ(
      "component \"web\": needs \"store\", \"mail\", which do not run; start them first, or "
      "ask with cascade",
      refused.message());
  EXPECT_EQ(
      "component \"mail\": needs \"store\", which does not run; start it first, or ask with "
      "cascade",
      StatusOf<LifecycleCall::StartComponent>("name: 'mail'").message());
  auto started = Ask<LifecycleCall::StartComponent>("name: 'web' cascade: true");
  EXPECT_TRUE(started->status().ok()) << started->status();
  EXPECT_THAT(StepsOf(*started->answer()),
              ElementsAre("[start store]", "[start mail]", "[start web]"));
  EXPECT_THAT(TakeNotes(), ElementsAre("start store", "start mail", "start web"));
}

TEST_F(CommandsTest, WhenADependencyIsFailed_ACascadedStartStartsItToo) {
  Add("mail", {"store"});
  Add("store", {}, Crashing("store"),
      [](ComponentConfig& config) { config.restart.kind = RestartKind::kTemporary; });
  ASSERT_TRUE(Start().ok());
  Crash("store");
  EXPECT_EQ("mail STOPPED, store FAILED", States());
  EXPECT_EQ(Code::kFailedPrecondition,
            StatusOf<LifecycleCall::StartComponent>("name: 'mail'").code());
  EXPECT_TRUE(StatusOf<LifecycleCall::StartComponent>("name: 'mail' cascade: true").ok());
  EXPECT_EQ("mail RUNNING, store RUNNING", States());
}

TEST_F(CommandsTest, WhenItDoesNotStart_IsUnavailableWithItsOwnText) {
  Hooks hooks;
  hooks.start = [] { return absl::NotFoundError("no disk"); };
  Add("bad", {}, hooks, [](ComponentConfig& config) { config.autostart = false; });
  ASSERT_TRUE(Start().ok());
  const absl::Status status =
      StatusOf<LifecycleCall::StartComponent>("name: 'bad' request_id: 'r'");
  EXPECT_EQ(Code::kUnavailable, status.code());
  EXPECT_EQ("component \"bad\": BACKOFF: did not start: NOT_FOUND: no disk; started again in 200ms",
            status.message());
  const proto::Operation operation = OperationOf("r");
  EXPECT_EQ(proto::Operation::FAILED, operation.phase());
  EXPECT_EQ("UNAVAILABLE", operation.status());
  EXPECT_EQ(status.message(), operation.error());
}

TEST_F(CommandsTest, WhenAFailedOneIsStarted_HasAFreshBudget) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  for (int i = 0; i < 5; ++i) {
    Crash("one");
    Advance(absl::Seconds(2));
  }
  EXPECT_EQ("FAILED", StateName("one"));
  EXPECT_EQ(0,
            Ask<LifecycleCall::GetComponent>("name: 'one'")->answer()->component().restarts_left());
  EXPECT_TRUE(StatusOf<LifecycleCall::StartComponent>("name: 'one'").ok());
  EXPECT_EQ(4,
            Ask<LifecycleCall::GetComponent>("name: 'one'")->answer()->component().restarts_left());
  Crash("one");
  Advance(absl::Milliseconds(200));
  EXPECT_EQ("RUNNING", StateName("one"));
}

TEST_F(CommandsTest, WhenOneInItsBackoffIsStopped_IsStoppedAtOnceAndItsQueueRefused) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  Crash("one");
  auto queued = Echo("one");
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'one'");
  EXPECT_TRUE(stopped->status().ok());
  EXPECT_THAT(StepsOf(*stopped->answer()), ElementsAre("[stop one]"));
  EXPECT_EQ("component \"one\": STOPPED: asked to stop", TextOf(queued));
  Advance(absl::Minutes(1));
  EXPECT_EQ("STOPPED", StateName("one"));
}

TEST_F(CommandsTest, WhenOneInItsBackoffIsStarted_IsStartedAtOnce) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  Crash("one");
  auto queued = Echo("one");
  EXPECT_TRUE(StatusOf<LifecycleCall::StartComponent>("name: 'one'").ok());
  EXPECT_EQ("RUNNING", StateName("one"));
  EXPECT_TRUE(queued->status().ok());
  Advance(absl::Seconds(1));
  EXPECT_EQ(2u, Status("one").generation) << "the backoff's timer has gone";
}

TEST_F(CommandsTest, WhenOneInItsBackoffIsRestarted_IsStartedAtOnce) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  Crash("one");
  EXPECT_TRUE(StatusOf<LifecycleCall::RestartComponent>("name: 'one'").ok());
  EXPECT_EQ("RUNNING", StateName("one"));
}

TEST_F(CommandsTest, WhenOneThatDoesNotRunIsRestarted_IsStarted) {
  StartChain();
  Ask<LifecycleCall::StopComponent>("name: 'web'");
  auto restarted = Ask<LifecycleCall::RestartComponent>("name: 'web'");
  EXPECT_TRUE(restarted->status().ok());
  EXPECT_THAT(StepsOf(*restarted->answer()), ElementsAre("[start web]"));
}

TEST_F(CommandsTest, WhenRestartedWithCascade_AnswersWhenTheDependentsRunAgain) {
  StartChain();
  loops_.Hold("web");
  auto restarted =
      Ask<LifecycleCall::RestartComponent>("name: 'store' cascade: true request_id: 'r'");
  EXPECT_EQ("web STOPPING, mail RUNNING, store RUNNING, cache RUNNING", States());
  EXPECT_THAT(StepsOf(OperationOf("r")), ElementsAre("stop web", "stop mail", "stop store",
                                                     "start store", "start mail", "start web"));
  loops_.LetGo("web");
  ASSERT_TRUE(restarted->status().ok()) << restarted->status();
  EXPECT_EQ("web RUNNING, mail RUNNING, store RUNNING, cache RUNNING", States());
  EXPECT_EQ(2u, Status("store").generation);
  EXPECT_THAT(TakeNotes(), ElementsAre("stop web", "stop mail", "stop store", "start store",
                                       "start mail", "start web"));
}

TEST_F(CommandsTest, WhenItsThreadDoesNotComeBack_AStopSaysWhereItIs) {
  Hooks hooks;
  hooks.handle = [this](TrialRequest request) {
    auto stopped = Ask<LifecycleCall::StopComponent>("name: 'one' request_id: 'r'");
    Advance(absl::Seconds(6));
    notes_.push_back(TextOf(stopped));
    EXPECT_EQ(Code::kDeadlineExceeded, stopped->status().code());
    AnswerEcho(std::move(request));
  };
  Add("one", {}, hooks);
  ASSERT_TRUE(Start().ok());
  Echo("one");
  Settle();
  EXPECT_THAT(TakeNotes(),
              ElementsAre("component \"one\": FAILED: stuck in /mainspring.trial.v1.Trial/Echo for "
                          "5.2s; its thread does not come back"));
  EXPECT_EQ("DEADLINE_EXCEEDED", OperationOf("r").status());
}

TEST_F(CommandsTest, WhenADependentHangs_TheCascadeGoesOnAndTheStopSaysSo) {
  StartChain();
  loops_.Hold("web");
  auto stopped = Ask<LifecycleCall::StopComponent>("name: 'store' cascade: true");
  Advance(absl::Seconds(6));
  EXPECT_EQ(Code::kDeadlineExceeded, stopped->status().code());
  EXPECT_THAT(TextOf(stopped), StartsWith("component \"web\": FAILED: stuck in"));
  EXPECT_EQ("web FAILED, mail STOPPED, store STOPPED, cache RUNNING", States());
}

TEST_F(CommandsTest, WhenTheCallerGoesAway_TheCommandGoesOnAndItsOutcomeCanBeAskedFor) {
  StartChain();
  loops_.Hold("web");
  auto gone = Ask<LifecycleCall::StopComponent>("name: 'web' request_id: 'r'");
  gone->MarkCancelled();
  EXPECT_EQ(proto::Operation::UNDER_WAY, OperationOf("r").phase());
  loops_.LetGo("web");
  const proto::Operation operation = OperationOf("r");
  EXPECT_EQ(proto::Operation::SUCCEEDED, operation.phase());
  EXPECT_EQ(proto::Operation::STOP, operation.command());
  EXPECT_EQ("web", operation.component());
  EXPECT_EQ(1u, operation.generation());
  EXPECT_TRUE(operation.has_end_time());
  EXPECT_EQ("STOPPED", StateName("web"));
}

TEST_F(CommandsTest, WhenThereIsNoSuchOperation_SaysSo) {
  StartChain();
  const absl::Status status = StatusOf<LifecycleCall::GetOperation>("request_id: 'x\\ny'");
  EXPECT_EQ(Code::kNotFound, status.code());
  EXPECT_EQ("no operation \"x\\ny\"; the host remembers the last thousand", status.message());
  EXPECT_EQ(Code::kNotFound, StatusOf<LifecycleCall::GetOperation>("").code());
}

}  // namespace
}  // namespace mainspring
