// How the supervisor brings states about, step by step on a clock of the test's.
#include "mainspring/server/supervisor/supervisor.h"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/lifecycle/stepped.h"

namespace mainspring {
namespace {

using lifecycle::v1::LifecycleCall;
using testing::AnswerEcho;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Hooks;
using ::testing::IsEmpty;
using testing::NotEssential;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testing::StepsOf;
using testing::Temporary;
using trial::v1::TrialRequest;

class SupervisorTest : public testing::SteppedTest {
 protected:
  // Does not start as long as `broken_` has it.
  Hooks Broken(const std::string& name) {
    Hooks hooks = Crashing(name);
    hooks.start = [this, name] {
      notes_.push_back("start " + name);
      return broken_.count(name) != 0 ? absl::NotFoundError("no disk") : absl::OkStatus();
    };
    hooks.stop = [this, name] { notes_.push_back("stop " + name); };
    broken_.insert(name);
    return hooks;
  }

  std::set<std::string> broken_;
};

// --- start and stop
// --------------------------------------------------------------------------------

TEST_F(SupervisorTest, WhenStarted_EachIsRunningAndWhenStoppedEachIsStopped) {
  Add("one");
  Add("two");
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ("one RUNNING, two RUNNING", States());
  EXPECT_EQ(1u, Status("one").generation);
  EXPECT_TRUE(Status("one").wanted);
  EXPECT_THAT(Stop().stuck, IsEmpty());
  EXPECT_EQ("one STOPPED, two STOPPED", States());
  EXPECT_EQ("the host stops", Reason("one"));
  EXPECT_FALSE(Status("one").wanted);
}

TEST_F(SupervisorTest, WhenThereIsNoComponent_StartsAndStops) {
  EXPECT_TRUE(Start().ok());
  EXPECT_THAT(Stop().stuck, IsEmpty());
}

TEST_F(SupervisorTest, WhenTheyDependOnEachOther_StartInOrderAndStopInReverse) {
  Add("web", {"mail", "store"}, Noting("web"));
  Add("mail", {"store"}, Noting("mail"));
  Add("store", {}, Noting("store"));
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(TakeNotes(), ElementsAre("start store", "start mail", "start web"));
  Stop();
  EXPECT_THAT(TakeNotes(), ElementsAre("stop web", "stop mail", "stop store"));
}

TEST_F(SupervisorTest, WhenTheyAreIndependent_StartAtOnce) {
  Add("slow", {}, Noting("slow"));
  Add("quick", {}, Noting("quick"));
  Add("after slow", {"slow"}, Noting("after slow"));
  Add("after quick", {"quick"}, Noting("after quick"));
  loops_.Hold("slow");
  EXPECT_EQ(absl::StatusCode::kUnknown, Start().code());
  EXPECT_EQ("slow STARTING, quick RUNNING, after slow STOPPED, after quick RUNNING", States());
  loops_.LetGo("slow");
  EXPECT_TRUE(start_->ok());
  EXPECT_EQ("after slow", TakeNotes().back().substr(6));
}

TEST_F(SupervisorTest, WhenASoftDependencyStarts_TheDependentWaitsForIt) {
  Add("web", {"?cache"}, Noting("web"));
  Add("cache", {}, Noting("cache"));
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(TakeNotes(), ElementsAre("start cache", "start web"));
  Stop();
  EXPECT_THAT(TakeNotes(), ElementsAre("stop web", "stop cache"));
}

TEST_F(SupervisorTest, WhenASoftDependencyDoesNotStart_TheDependentStartsWithoutIt) {
  Add("web", {"?cache"}, Noting("web"));
  Add("cache", {}, Broken("cache"), NotEssential);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ("web RUNNING, cache BACKOFF", States());
}

TEST_F(SupervisorTest, WhenOneIsNotToStartWithTheHost_StaysStopped) {
  Add("one", {}, {}, [](ComponentConfig& config) { config.autostart = false; });
  Add("two", {"?one"});
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ("one STOPPED, two RUNNING", States());
  EXPECT_EQ("not started", Reason("one"));
  EXPECT_TRUE(Ask<LifecycleCall::StartComponent>("name: 'one'")->status().ok());
  EXPECT_EQ("one RUNNING, two RUNNING", States());
}

TEST_F(SupervisorTest, WhenWhatAnEssentialOneNeedsDoesNotStartWithTheHost_NamesIt) {
  Add("mail", {"store"});
  Add("store", {}, {}, [](ComponentConfig& config) { config.autostart = false; });
  EXPECT_EQ("component \"mail\": needs \"store\", which is STOPPED: not started",
            Start().message());
}

TEST_F(SupervisorTest, WhenAnEssentialOneDoesNotStart_StopsWhatWasStartedInReverseAndNamesIt) {
  Add("a", {}, Noting("a"));
  Add("b", {"a"}, Noting("b"));
  Add("bad", {"b"}, Broken("bad"));
  Add("never", {"bad"}, Noting("never"));
  const absl::Status started = Start();
  EXPECT_EQ(absl::StatusCode::kUnavailable, started.code());
  EXPECT_THAT(std::string(started.message()),
              StartsWith("component \"bad\": did not start: NOT_FOUND: no disk"));
  EXPECT_THAT(TakeNotes(), ElementsAre("start a", "start b", "start bad", "stop b", "stop a"));
  EXPECT_EQ("a STOPPED, b STOPPED, bad STOPPED, never STOPPED", States());
  EXPECT_THAT(essential_failures_, IsEmpty()) << "the start's error says it";
  Advance(absl::Minutes(5));
  EXPECT_EQ("a STOPPED, b STOPPED, bad STOPPED, never STOPPED", States()) << "for good";
}

TEST_F(SupervisorTest, WhenTheRollbackTakesTime_ErrorComesWhenAllIsDown) {
  Add("good", {}, Noting("good"));
  Add("bad", {}, Broken("bad"));
  loops_.Hold("bad");
  BeginStart();
  loops_.Hold("good");
  loops_.LetGo("bad");
  EXPECT_EQ("good STOPPING, bad STOPPED", States());
  EXPECT_FALSE(start_.has_value());
  loops_.LetGo("good");
  EXPECT_TRUE(start_.has_value());
}

TEST_F(SupervisorTest, WhenOneThatIsNotEssentialDoesNotStart_TheHostStartsAllTheSame) {
  Add("good");
  Add("bad", {}, Broken("bad"), NotEssential);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ("good RUNNING, bad BACKOFF", States());
  broken_.clear();
  Advance(absl::Milliseconds(200));
  EXPECT_EQ("good RUNNING, bad RUNNING", States());
}

TEST_F(SupervisorTest, WhenAnEssentialOneNeedsIt_IsEssentialToo) {
  Add("mail", {"store"}, {});
  Add("store", {"disk"}, {}, NotEssential);
  Add("disk", {}, Broken("disk"), NotEssential);
  Add("cache", {}, {}, NotEssential);
  EXPECT_THAT(std::string(Start().message()), StartsWith("component \"disk\": "));
  EXPECT_TRUE(View("store").essential);
  EXPECT_TRUE(View("disk").essential);
  EXPECT_FALSE(View("cache").essential);
}

TEST_F(SupervisorTest, WhenAnEssentialOneNeedsItSoftly_IsNotEssential) {
  Add("mail", {"?cache"}, {});
  Add("cache", {}, Broken("cache"), NotEssential);
  EXPECT_TRUE(Start().ok());
  EXPECT_FALSE(View("cache").essential);
}

TEST_F(SupervisorTest, WhenConstructionThrows_DoesNotStart) {
  Hooks hooks;
  hooks.construct = [](Context&) { throw std::runtime_error("cannot"); };
  Add("one", {}, hooks);
  EXPECT_THAT(std::string(Start().message()),
              StartsWith("component \"one\": did not start: INTERNAL: cannot (in construction)"));
  EXPECT_THAT(Status("one").last_error, HasSubstr("cannot"));
}

TEST_F(SupervisorTest, WhenStopTakesTheQueueInTime_AnswersAllOfIt) {
  Add("one", {}, Crashing("one"));
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  std::vector<EchoRecord> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(Echo("one"));
  BeginStop();
  EXPECT_EQ("one STOPPING", States());
  EchoRecord late = Echo("one");
  EXPECT_EQ("component \"one\": STOPPING: the host stops", late->status().message());
  EXPECT_EQ(absl::StatusCode::kUnavailable, late->status().code());
  loops_.LetGo("one");
  for (const EchoRecord& call : calls) EXPECT_TRUE(call->status().ok());
  EXPECT_EQ(0u, stop_->cut_calls);
  EXPECT_EQ("component \"one\": STOPPED: the host stops", Echo("one")->status().message());
}

TEST_F(SupervisorTest, WhenStopRunsOutOfTimeButComesBack_RefusesTheRestAndCountsIt) {
  Hooks hooks;
  hooks.handle = [this](TrialRequest request) {
    time_.Advance(absl::Seconds(2));
    AnswerEcho(std::move(request));
  };
  Add("one", {}, hooks);
  ASSERT_TRUE(Start().ok());
  loops_.Hold("one");
  std::vector<EchoRecord> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(Echo("one"));
  BeginStop();
  loops_.LetGo("one");
  EXPECT_THAT(stop_->stuck, IsEmpty());
  EXPECT_EQ(2u, stop_->cut_calls) << "at 0, 2 and 4 of 5 seconds one is begun";
  EXPECT_TRUE(calls[2]->status().ok());
  EXPECT_EQ(absl::StatusCode::kUnavailable, calls[3]->status().code());
}

// --- dependencies --------------------------------------------------------------------------------

TEST_F(SupervisorTest, WhenADependencyRestarts_ItsDependentsGoOnAndAreTold) {
  Hooks hooks = Crashing("mail");
  hooks.dependency_changed = [this](const std::string& name, bool running) {
    notes_.push_back(name + (running ? " up" : " down"));
  };
  Add("mail", {"store"}, hooks);
  Add("store", {}, Crashing("store"));
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(TakeNotes(), IsEmpty());
  Crash("store");
  EXPECT_EQ("mail RUNNING, store BACKOFF", States());
  Advance(absl::Milliseconds(200));
  EXPECT_EQ("mail RUNNING, store RUNNING", States());
  EXPECT_EQ(1u, Status("mail").generation);
  EXPECT_THAT(TakeNotes(), ElementsAre("store down", "store up"));
}

TEST_F(SupervisorTest, WhenASoftDependencyIsStoppedAndStarted_TheDependentIsTold) {
  Hooks hooks;
  hooks.dependency_changed = [this](const std::string& name, bool running) {
    notes_.push_back(name + (running ? " up" : " down"));
  };
  Add("web", {"?cache"}, hooks);
  Add("cache");
  ASSERT_TRUE(Start().ok());
  EXPECT_TRUE(Ask<LifecycleCall::StopComponent>("name: 'cache'")->status().ok())
      << "no cascade is needed";
  EXPECT_EQ("web RUNNING, cache STOPPED", States());
  EXPECT_TRUE(Ask<LifecycleCall::StartComponent>("name: 'cache'")->status().ok());
  EXPECT_THAT(TakeNotes(), ElementsAre("cache down", "cache up"));
  EXPECT_EQ(1u, Status("web").generation);
}

TEST_F(SupervisorTest, WhenADependencyIsFailed_HardDependentsStopAndComeBackWithIt) {
  Add("web", {"mail"}, Noting("web"));
  Add("mail", {"store"}, Noting("mail"));
  Add("store", {}, Crashing("store"), [](ComponentConfig& config) {
    Temporary(config);
    NotEssential(config);
  });
  ASSERT_TRUE(Start().ok());
  TakeNotes();
  Crash("store");
  EXPECT_EQ("web STOPPED, mail STOPPED, store FAILED", States());
  EXPECT_THAT(TakeNotes(), ElementsAre("stop web", "stop mail"));
  EXPECT_EQ("its dependency \"store\" is FAILED", Reason("mail"));
  EXPECT_EQ("its dependency \"mail\" goes down", Reason("web"));
  EXPECT_TRUE(Status("web").wanted);
  auto started = Ask<LifecycleCall::StartComponent>("name: 'store'");
  ASSERT_TRUE(started->status().ok()) << started->status();
  EXPECT_EQ("web RUNNING, mail RUNNING, store RUNNING", States());
  EXPECT_EQ("store", started->answer()->component().name());
  EXPECT_THAT(StepsOf(*started->answer()),
              ElementsAre("[start store]", "[start mail]", "[start web]"));
  EXPECT_THAT(TakeNotes(), ElementsAre("start mail", "start web"));
}

TEST_F(SupervisorTest, WhenADependentIsInItsBackoffAsADependencyFails_IsStoppedAndComesBack) {
  Add("mail", {"store"}, Crashing("mail"));
  Add("store", {}, Crashing("store"), Temporary);
  ASSERT_TRUE(Start().ok());
  Crash("mail");
  Crash("store");
  EXPECT_EQ("mail STOPPED, store FAILED", States());
  Advance(absl::Minutes(1));
  EXPECT_EQ("mail STOPPED, store FAILED", States());
  ASSERT_TRUE(Ask<LifecycleCall::StartComponent>("name: 'store'")->status().ok());
  EXPECT_EQ("mail RUNNING, store RUNNING", States());
}

TEST_F(SupervisorTest, WhenADependencyIsInItsBackoff_AStartWaitsForIt) {
  Add("mail", {"store"}, {}, NotEssential);
  Add("store", {}, Broken("store"), NotEssential);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ("mail STOPPED, store BACKOFF", States());
  broken_.clear();
  Advance(absl::Milliseconds(200));
  EXPECT_EQ("mail RUNNING, store RUNNING", States());
}

TEST_F(SupervisorTest, WhenItIsADiamond_TheTopComesBackOnce) {
  Add("top", {"left", "right"}, Noting("top"));
  Add("left", {"bottom"}, Noting("left"));
  Add("right", {"bottom"}, Noting("right"));
  Add("bottom", {}, Noting("bottom"));
  ASSERT_TRUE(Start().ok());
  TakeNotes();
  ASSERT_TRUE(Ask<LifecycleCall::RestartComponent>("name: 'bottom' cascade: true")->status().ok());
  EXPECT_THAT(TakeNotes(), ElementsAre("stop top", "stop left", "stop right", "stop bottom",
                                       "start bottom", "start left", "start right", "start top"));
  EXPECT_EQ(2u, Status("top").generation);
}

// --- ends ----------------------------------------------------------------------------------------

TEST_F(SupervisorTest, WhenTheHostStopsDuringItsStart_BothEnd) {
  Add("a", {}, Noting("a"));
  Add("slow", {"a"}, Noting("slow"));
  Add("never", {"slow"}, Noting("never"));
  loops_.Hold("slow");
  BeginStart();
  EXPECT_EQ("a RUNNING, slow STARTING, never STOPPED", States());
  BeginStop();
  ASSERT_TRUE(start_.has_value());
  EXPECT_TRUE(start_->ok());
  EXPECT_EQ("a RUNNING, slow STOPPING, never STOPPED", States());
  loops_.LetGo("slow");
  ASSERT_TRUE(stop_.has_value());
  EXPECT_THAT(stop_->stuck, IsEmpty());
  EXPECT_THAT(TakeNotes(), ElementsAre("start a", "start slow", "stop slow", "stop a"));
}

TEST_F(SupervisorTest, WhenTheHostStopsAndAStartHangs_ReportsIt) {
  Add("slow");
  loops_.Hold("slow");
  BeginStart();
  BeginStop();
  Advance(absl::Seconds(6));
  ASSERT_TRUE(stop_.has_value());
  ASSERT_THAT(stop_->stuck, SizeIs(1));
  EXPECT_EQ("slow", stop_->stuck[0].component);
  EXPECT_EQ("slow FAILED", States());
}

TEST_F(SupervisorTest, WhenTheStartIsAbandonedBeforehand_NothingIsStarted) {
  Add("one", {}, Noting("one"));
  Launch();
  supervision_->AbandonStart();
  EXPECT_TRUE(Start().ok());
  EXPECT_EQ("one STOPPED", States());
}

TEST_F(SupervisorTest, WhenTheStartIsAbandonedMeanwhile_ReturnsOkAtOnce) {
  Add("slow");
  Add("after", {"slow"});
  loops_.Hold("slow");
  BeginStart();
  supervision_->AbandonStart();
  Settle();
  ASSERT_TRUE(start_.has_value());
  EXPECT_TRUE(start_->ok());
  BeginStop();
  loops_.LetGo("slow");
  EXPECT_TRUE(stop_.has_value());
  EXPECT_EQ("slow STOPPED, after STOPPED", States());
}

TEST_F(SupervisorTest, WhenTheStartIsAbandonedAfterwards_NothingHappens) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  supervision_->AbandonStart();
  Settle();
  EXPECT_EQ("one RUNNING", States());
}

TEST_F(SupervisorTest, WhenTheStartIsAbandonedAsItFails_FailsAllTheSame) {
  Add("good");
  Add("bad", {}, Broken("bad"));
  loops_.Hold("bad");
  BeginStart();
  loops_.Hold("good");
  loops_.LetGo("bad");
  supervision_->AbandonStart();
  loops_.LetGo("good");
  ASSERT_TRUE(start_.has_value());
  EXPECT_FALSE(start_->ok());
}

TEST_F(SupervisorTest, WhenThereAreNoMoreThreads_IsNotLaunched) {
  Add("one");
  Add("two");
  Add("three");
  loops_.RunOutOfThreadsAt("two");
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, TryLaunch().code());
  EXPECT_EQ(0u, loops_.size()) << "nothing is left";
}

TEST_F(SupervisorTest, WhenAHookReturnsNoComponent_DoesNotStart) {
  Add("one", {}, {}, NotEssential);
  components_[0].make = [](Context&) { return nullptr; };
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(Reason("one"), HasSubstr("the factory made no component"));
}

TEST_F(SupervisorTest, WhateverHappens_EventsAreWithoutGapAndFollowTheTable) {
  Add("web", {"mail", "?cache"}, Crashing("web"));
  Add("mail", {"store"}, Crashing("mail"));
  Add("store", {}, Crashing("store"));
  Add("cache", {}, Crashing("cache"), NotEssential);
  Launch();
  auto watch = Follow<LifecycleCall::WatchComponents>();
  ASSERT_TRUE(Start().ok());
  for (const char* name : {"cache", "store", "mail", "web", "store"}) {
    Crash(name);
    Advance(absl::Seconds(1));
  }
  Ask<LifecycleCall::RestartComponent>("name: 'store' cascade: true");
  Stop();
  std::map<std::string, LifecycleState> states;
  for (const auto& name : supervision_->table().Names()) states[name] = LifecycleState::kStopped;
  uint64_t sequence = 0;
  for (size_t i = 1; i < watch->messages.size(); ++i) {
    const auto& event = watch->messages[i].event();
    EXPECT_EQ(++sequence, event.sequence());
    EXPECT_EQ(Name(states[event.component()]), lifecycle::v1::Component::State_Name(event.from()))
        << event.ShortDebugString();
    for (LifecycleState to :
         {LifecycleState::kStopped, LifecycleState::kStarting, LifecycleState::kRunning,
          LifecycleState::kStopping, LifecycleState::kBackoff, LifecycleState::kFailed}) {
      if (lifecycle::v1::Component::State_Name(event.to()) == Name(to)) {
        states[event.component()] = to;
      }
    }
    EXPECT_NE("", event.reason());
  }
  EXPECT_GT(sequence, 30u);
  for (const auto& [name, state] : states) EXPECT_EQ(State(name), state) << name;
}

}  // namespace
}  // namespace mainspring
