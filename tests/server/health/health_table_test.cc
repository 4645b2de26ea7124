#include "mainspring/server/health/health_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/server/hooked_component.h"

namespace mainspring {
namespace {

using ::testing::IsEmpty;
using testing::ManualTime;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using TrialMailbox = Mailbox<trial::v1::TrialRequest>;

// The table as a supervisor would have written it.
class HealthTableTest : public ::testing::Test {
 protected:
  ComponentConfig Named(const std::string& name) {
    ComponentConfig config;
    config.name = name;
    return config;
  }
  // Has been RUNNING.
  size_t Add(const ComponentConfig& config, LifecycleState state, bool essential = true) {
    return AddTo(table_, config, state, essential);
  }
  size_t AddTo(ComponentTable& table, const ComponentConfig& config, LifecycleState state,
               bool essential) {
    const size_t number = table.Add(
        config, {"x.v1.X"}, std::make_shared<TrialMailbox>(config.name, config.mailbox, time_));
    table.SetEssential(number, essential);
    Publish(table, table.size() - 1, [&](ComponentStatus& status) {
      status.state = state;
      status.has_been_running = true;
    });
    return table.size() - 1;
  }
  template <class Change>
  static void Publish(ComponentTable& table, size_t component, Change change) {
    ComponentStatus status = table.View(component).status;
    change(status);
    table.Publish(component, status);
  }
  // Of all that were added before the first question.
  HealthTable& health() {
    if (!health_.has_value()) health_.emplace(table_, [this] { return host_alive_; });
    return *health_;
  }
  std::map<std::string, bool> Snapshot() { return health().All(); }
  // The names that changed with it.
  template <class Change>
  HealthTable::Names Update(size_t component, Change change) {
    health();
    Publish(table_, component, change);
    return health().Update(component);
  }

  ManualTime time_;
  ComponentTable table_{time_};
  bool host_alive_ = true;
  std::optional<HealthTable> health_;
};

TEST_F(HealthTableTest, WhenAllAreRunning_EverythingServes) {
  Add(Named("one"), LifecycleState::kRunning);
  EXPECT_THAT(Snapshot(),
              UnorderedElementsAre(Pair("", true), Pair("readiness", true), Pair("liveness", true),
                                   Pair("startup", true), Pair("one", true), Pair("x.v1.X", true)));
}

TEST_F(HealthTableTest, OfOneThatAnswersSeveralServices_KnowsEachOfThem) {
  const ComponentConfig config = Named("both");
  table_.Add(config, {"x.v1.X", "x.v2.X"},
             std::make_shared<TrialMailbox>(config.name, config.mailbox, time_));
  table_.SetEssential(0, false);
  const auto run = [](ComponentStatus& status) { status.state = LifecycleState::kRunning; };
  EXPECT_THAT(Update(0, run), UnorderedElementsAre("both", "x.v1.X", "x.v2.X"));
  EXPECT_THAT(Update(0, [](ComponentStatus& status) { status.state = LifecycleState::kStopped; }),
              UnorderedElementsAre("both", "x.v1.X", "x.v2.X"));
  EXPECT_FALSE(*health().Serves("x.v2.X"));
}

TEST_F(HealthTableTest, ForEachStateEssentialAndDraining_FollowsTheTable) {
  for (LifecycleState state :
       {LifecycleState::kStopped, LifecycleState::kStarting, LifecycleState::kRunning,
        LifecycleState::kStopping, LifecycleState::kBackoff, LifecycleState::kFailed}) {
    for (bool draining : {false, true}) {
      for (bool essential : {false, true}) {
        SCOPED_TRACE(std::string(Name(state)) + (draining ? ", draining" : "") +
                     (essential ? ", essential" : ""));
        const bool serves = state == LifecycleState::kRunning && !draining;
        const bool ready = !draining && (serves || !essential);
        ComponentTable table(time_);
        AddTo(table, Named("one"), state, essential);
        HealthTable health(table, [] { return true; });
        if (draining) health.Drain();
        EXPECT_EQ(ready, health.ready());
        EXPECT_THAT(health.All(),
                    UnorderedElementsAre(Pair("", ready), Pair("readiness", ready),
                                         Pair("liveness", true), Pair("startup", true),
                                         Pair("one", serves), Pair("x.v1.X", serves)));
      }
    }
  }
}

TEST_F(HealthTableTest, WhenThereIsNoComponent_IsReadyUnlessDraining) {
  EXPECT_THAT(Snapshot(), UnorderedElementsAre(Pair("", true), Pair("readiness", true),
                                               Pair("liveness", true), Pair("startup", true)));
  health().Drain();
  EXPECT_FALSE(Snapshot()[""]);
}

TEST_F(HealthTableTest, WhenOneOfSeveralRuns_TheServiceServes) {
  Add(Named("one"), LifecycleState::kFailed);
  Add(Named("two"), LifecycleState::kRunning);
  const auto snapshot = Snapshot();
  EXPECT_TRUE(snapshot.at("x.v1.X"));
  EXPECT_FALSE(snapshot.at("one"));
  EXPECT_TRUE(snapshot.at("two"));
  EXPECT_FALSE(snapshot.at("readiness"));
}

TEST_F(HealthTableTest, WhenOneIsDrainedOrPaused_DoesNotServe) {
  Add(Named("one"), LifecycleState::kRunning);
  for (bool ComponentStatus::*held : {&ComponentStatus::draining, &ComponentStatus::paused}) {
    EXPECT_THAT(Update(0, [&](ComponentStatus& status) { status.*held = true; }),
                UnorderedElementsAre("", "readiness", "one", "x.v1.X"));
    EXPECT_FALSE(health().ready());
    EXPECT_TRUE(health().alive());
    EXPECT_EQ(false, health().Serves("one"));
    EXPECT_EQ(false, health().Serves("x.v1.X"));
    EXPECT_THAT(Update(0, [&](ComponentStatus& status) { status.*held = false; }),
                UnorderedElementsAre("", "readiness", "one", "x.v1.X"));
    EXPECT_TRUE(health().ready());
  }
}

TEST_F(HealthTableTest, WhenAnotherServesOn_TheServiceIsNotAmongWhatChanged) {
  Add(Named("one"), LifecycleState::kRunning, /*essential=*/false);
  Add(Named("two"), LifecycleState::kRunning);
  const auto stop = [](ComponentStatus& status) { status.state = LifecycleState::kStopped; };
  EXPECT_THAT(Update(0, stop), UnorderedElementsAre("one"));
  EXPECT_THAT(Update(0, stop), IsEmpty()) << "it is so already";
  EXPECT_THAT(Update(1, stop), UnorderedElementsAre("two", "x.v1.X", "", "readiness"));
}

TEST_F(HealthTableTest, WhenTheHostDrains_NoComponentChangesAnything) {
  Add(Named("one"), LifecycleState::kRunning);
  health().Drain();
  EXPECT_THAT(Update(0, [](ComponentStatus& status) { status.state = LifecycleState::kStopped; }),
              IsEmpty());
}

TEST_F(HealthTableTest, WhenOneIsPastItsStallLimit_FailsLivenessAlone) {
  Add(Named("one"), LifecycleState::kRunning);
  Add(Named("two"), LifecycleState::kRunning);
  EXPECT_THAT(health().SetPastLimit(0, true), UnorderedElementsAre("liveness"));
  EXPECT_THAT(health().SetPastLimit(1, true), IsEmpty());
  EXPECT_FALSE(health().alive());
  EXPECT_TRUE(health().ready());
  EXPECT_EQ(true, health().Serves("one"));
  EXPECT_THAT(health().SetPastLimit(0, false), IsEmpty()) << "there is another one";
  EXPECT_THAT(health().SetPastLimit(1, false), UnorderedElementsAre("liveness"));
  EXPECT_TRUE(health().alive());
}

TEST_F(HealthTableTest, WhenTheHostIsStuck_FailsLivenessAlone) {
  Add(Named("one"), LifecycleState::kRunning);
  host_alive_ = false;
  EXPECT_FALSE(health().alive());
  EXPECT_TRUE(health().ready());
}

TEST_F(HealthTableTest, WhenTheNameIsUnknown_SaysNothing) {
  Add(Named("one"), LifecycleState::kRunning);
  EXPECT_EQ(std::nullopt, health().Serves("two"));
  EXPECT_EQ(std::nullopt, health().Serves("One"));
}

TEST_F(HealthTableTest, WhenOneJoins_ItsNamesAreKnown) {
  Add(Named("one"), LifecycleState::kRunning);
  health();
  const ComponentConfig config = Named("two");
  table_.Add(config, {"y.v1.Y"}, std::make_shared<TrialMailbox>("two", config.mailbox, time_));
  EXPECT_THAT(health().Update(1), UnorderedElementsAre("two", "y.v1.Y", "", "readiness"));
  EXPECT_EQ(false, health().Serves("two"));
  EXPECT_EQ(false, health().Serves("readiness")) << "it is essential";
  EXPECT_EQ(true, health().Serves("startup")) << "that is over";
  const auto run = [](ComponentStatus& status) { status.state = LifecycleState::kRunning; };
  EXPECT_THAT(Update(1, run), UnorderedElementsAre("two", "y.v1.Y", "", "readiness"));
}

TEST_F(HealthTableTest, WhenOneLeaves_ItsNamesAreNot) {
  Add(Named("one"), LifecycleState::kRunning);
  Add(Named("two"), LifecycleState::kRunning);
  health();
  Publish(table_, 1, [](ComponentStatus& status) { status.state = LifecycleState::kStopped; });
  EXPECT_THAT(health().Update(1), UnorderedElementsAre("two", "", "readiness"));
  table_.Remove(1);
  table_.SetEssential(1, false);
  EXPECT_THAT(health().Update(1), UnorderedElementsAre("two", "", "readiness"));
  EXPECT_EQ(std::nullopt, health().Serves("two"));
  EXPECT_EQ(true, health().Serves("x.v1.X")) << "the other answers it";
  EXPECT_EQ(true, health().Serves("readiness"));
  table_.Remove(0);
  table_.SetEssential(0, false);
  EXPECT_THAT(health().Update(0), UnorderedElementsAre("one", "x.v1.X"));
  EXPECT_EQ(std::nullopt, health().Serves("x.v1.X"));
  EXPECT_EQ(4u, Snapshot().size()) << "those of the host";
  EXPECT_THAT(health().Update(0), UnorderedElementsAre());
}

TEST_F(HealthTableTest, WhenItIsEssentialNoMore_TheHostIsReadyWithoutIt) {
  Add(Named("one"), LifecycleState::kBackoff);
  EXPECT_EQ(false, health().Serves("readiness"));
  table_.SetEssential(0, false);
  EXPECT_THAT(health().Update(0), UnorderedElementsAre("", "readiness"));
  EXPECT_EQ(true, health().Serves("readiness"));
}

// What each name says, counted from the components one by one.
TEST_F(HealthTableTest, WhateverChanges_CountsAsOneWouldWhoLooksAtAllComponents) {
  constexpr size_t kComponents = 6;
  std::mt19937 random(1);
  const auto chance = [&] { return random() % 2 == 0; };
  for (size_t i = 0; i < kComponents; ++i) {
    ComponentConfig config = Named(absl::StrCat("c", i));
    config.autostart = chance();
    config.essential = chance();
    table_.Add(config, {i % 2 == 0 ? "even.v1.Even" : "odd.v1.Odd"},
               std::make_shared<TrialMailbox>(config.name, config.mailbox, time_));
  }
  std::vector<bool> past_limit(kComponents);
  std::map<std::string, bool> told = Snapshot();
  for (int step = 0; step < 2000; ++step) {
    const size_t i = random() % kComponents;
    HealthTable::Names changed;
    if (chance()) {
      changed = Update(i, [&](ComponentStatus& status) {
        status.state = chance() ? LifecycleState::kRunning : LifecycleState::kBackoff;
        status.draining = random() % 4 == 0;
        if (status.state == LifecycleState::kRunning) status.has_been_running = true;
      });
    } else {
      past_limit[i] = chance();
      changed = health().SetPastLimit(i, past_limit[i]);
    }
    for (const std::string& name : changed) told[name] = !told[name];
    bool ready = true, alive = true, started = true, even = false, odd = false;
    for (size_t each = 0; each < kComponents; ++each) {
      const bool serving = table_.IsServing(each);
      ASSERT_EQ(serving, *health().Serves(table_.name(each)));
      if (table_.essential(each) && !serving) ready = false;
      if (past_limit[each]) alive = false;
      if (table_.essential(each) && table_.config(each).autostart && !table_.HasBeenRunning(each)) {
        started = false;
      }
      (each % 2 == 0 ? even : odd) |= serving;
    }
    const auto all = Snapshot();
    ASSERT_EQ(told, all) << "who heard of each change knows the same";
    for (const auto& [name, serves] :
         {std::pair("", ready), std::pair("readiness", ready), std::pair("liveness", alive),
          std::pair("startup", started), std::pair("even.v1.Even", even),
          std::pair("odd.v1.Odd", odd)}) {
      ASSERT_EQ(serves, all.at(name)) << name;
    }
  }
}

TEST_F(HealthTableTest, WhenDraining_StaysAlive) {
  Add(Named("one"), LifecycleState::kStopped);
  health().Drain();
  EXPECT_TRUE(Snapshot().at("liveness"));
}

TEST_F(HealthTableTest, WhenOneHasNeverRun_HasNotStarted) {
  Add(Named("one"), LifecycleState::kRunning);
  Add(Named("two"), LifecycleState::kStarting);
  Publish(table_, 1, [](ComponentStatus& status) { status.has_been_running = false; });
  EXPECT_FALSE(Snapshot().at("startup"));
}

TEST_F(HealthTableTest, WhenOneThatHasNeverRunDoesNotStartWithTheHost_HasStarted) {
  ComponentConfig config = Named("one");
  config.autostart = false;
  Add(config, LifecycleState::kStopped);
  Publish(table_, 0, [](ComponentStatus& status) { status.has_been_running = false; });
  EXPECT_TRUE(Snapshot().at("startup"));
}

TEST_F(HealthTableTest, WhenOneThatIsNotEssentialHasNeverRun_HasStarted) {
  Add(Named("one"), LifecycleState::kFailed, /*essential=*/false);
  Publish(table_, 0, [](ComponentStatus& status) { status.has_been_running = false; });
  EXPECT_TRUE(Snapshot().at("startup"));
}

TEST_F(HealthTableTest, WhenOneHasRunAndFailed_StaysStarted) {
  Add(Named("one"), LifecycleState::kFailed);
  EXPECT_TRUE(Snapshot().at("startup"));
}

TEST_F(HealthTableTest, WhenAComponentIsCalledAsAnotherName_ServesWhenBothDo) {
  Add(Named("liveness"), LifecycleState::kRunning, /*essential=*/false);
  Add(Named("x.v1.X"), LifecycleState::kRunning);
  EXPECT_TRUE(Snapshot().at("liveness"));
  Update(0, [](ComponentStatus& status) { status.state = LifecycleState::kStopped; });
  EXPECT_FALSE(Snapshot().at("liveness"));
  EXPECT_TRUE(Snapshot().at("x.v1.X"));
}

}  // namespace
}  // namespace mainspring
