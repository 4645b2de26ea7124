#include "mainspring/server/supervisor/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/lifecycle/configs.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const SteadyTime kNoon = After(SteadyTime(), absl::Hours(12));

// Notes what is decided, and carries it out at once, but for its ends: these a test tells.
class EngineTest : public ::testing::Test, public Conductor {
 protected:
  // See HookedConfig.
  void Add(const std::string& name, const std::vector<std::string>& dependencies = {}) {
    configs_.push_back(testing::HookedConfig(name, dependencies));
  }

  Engine& engine() {
    if (engine_ == nullptr) {
      graph_ = std::make_unique<DependencyGraph>(*DependencyGraph::Build(configs_));
      std::vector<Engine::Member> members;
      for (const ComponentConfig& each : configs_) members.push_back({each.name, policy_});
      engine_ = std::make_unique<Engine>(*graph_, std::move(members), *this);
    }
    return *engine_;
  }

  // "start a: why", in the order in which it was decided, since the last time.
  std::vector<std::string> Settle() {
    EXPECT_TRUE(engine().Settle());
    return std::exchange(decisions_, {});
  }
  std::vector<std::string> Happens(size_t component, LifecycleChange change) {
    engine().Apply(component, change);
    return Settle();
  }
  // All of them, and what they wait for.
  void StartAll() {
    for (size_t i = 0; i < configs_.size(); ++i) engine().WantUp(i, "wanted");
    Settle();
    for (const size_t each : graph_->order()) Happens(each, LifecycleChange::kStarted);
  }

  bool LacksADependency(size_t component) const {
    const auto& edges = graph_->dependencies(component);
    return std::any_of(edges.begin(), edges.end(), [this](const auto& edge) {
      return edge.hard && IsDown(engine_->state(edge.component));
    });
  }
  // Goes down after them.
  bool WaitsForDependents(size_t component) const {
    const auto& edges = graph_->dependents(component);
    return std::any_of(edges.begin(), edges.end(), [this](const auto& edge) {
      return !IsDown(engine_->state(edge.component));
    });
  }

  std::vector<ComponentConfig> configs_;
  RestartPolicy policy_;
  std::unique_ptr<DependencyGraph> graph_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::string> decisions_;
  std::vector<size_t> moved_;

 private:
  void Start(size_t component, const std::string& why) override {
    decisions_.push_back(absl::StrCat("start ", engine_->name(component), ": ", why));
    engine_->Apply(component, LifecycleChange::kStart);
  }
  void Stop(size_t component, const std::string& why) override {
    decisions_.push_back(absl::StrCat("stop ", engine_->name(component), ": ", why));
    engine_->Apply(component, LifecycleChange::kStop);
  }
  void OnSettled(const std::vector<size_t>& moved) override { moved_ = moved; }
};

TEST_F(EngineTest, WhenWanted_StartsEachAfterWhatItNeeds) {
  Add("web", {"store"});
  Add("store");
  engine().WantUp(0, "asked to");
  engine().WantUp(1, "asked to");
  EXPECT_THAT(Settle(), ElementsAre("start store: asked to"));
  EXPECT_THAT(Happens(1, LifecycleChange::kStarted), ElementsAre("start web: asked to"));
  EXPECT_THAT(Happens(0, LifecycleChange::kStarted), IsEmpty());
  EXPECT_EQ(2u, engine().up());
}

TEST_F(EngineTest, WhenWhatItNeedsIsNotWanted_IsNotStarted) {
  Add("web", {"store"});
  Add("store");
  engine().WantUp(0, "asked to");
  EXPECT_THAT(Settle(), IsEmpty());
  EXPECT_TRUE(engine().is_wanted(0));
  EXPECT_EQ(Outlook::kNever, engine().outlook(0));
}

TEST_F(EngineTest, WhenADependencyIsStopped_StopsItsHardDependentsFirst) {
  Add("store");
  Add("web", {"store"});
  Add("log", {"?store"});
  StartAll();
  engine().WantDown(0, "asked to");
  EXPECT_THAT(Settle(), ElementsAre("stop web: its dependency \"store\" goes down"));
  EXPECT_THAT(Happens(1, LifecycleChange::kStopped), ElementsAre("stop store: asked to"));
  EXPECT_THAT(Happens(0, LifecycleChange::kStopped), IsEmpty());
  EXPECT_EQ(LifecycleState::kRunning, engine().state(2)) << "it depends on it softly";
  engine().WantUp(0, "asked to");
  Settle();
  EXPECT_THAT(Happens(0, LifecycleChange::kStarted),
              ElementsAre("start web: what it depends on runs again"));
}

TEST_F(EngineTest, WhenRestarted_GoesDownAndUpWithItsDependents) {
  Add("store");
  Add("web", {"store"});
  StartAll();
  engine().WantRestart(0, "asked to restart");
  EXPECT_THAT(Settle(), ElementsAre(StartsWith("stop web")));
  EXPECT_THAT(Happens(1, LifecycleChange::kStopped), ElementsAre("stop store: asked to restart"));
  EXPECT_THAT(Happens(0, LifecycleChange::kStopped), ElementsAre("start store: asked to restart"));
  EXPECT_THAT(Happens(0, LifecycleChange::kStarted), ElementsAre(StartsWith("start web")));
}

TEST_F(EngineTest, WhenOneThatIsRestartedIsStuck_IsNotStartedAgain) {
  Add("store");
  StartAll();
  engine().WantRestart(0, "asked to restart");
  Settle();
  EXPECT_THAT(Happens(0, LifecycleChange::kStuck), IsEmpty());
  EXPECT_EQ(LifecycleState::kFailed, engine().state(0));
}

TEST_F(EngineTest, WhenOneFails_IsStartedAgainAfterItsBackoffWhileDependentsGoOn) {
  Add("store");
  Add("web", {"store"});
  StartAll();
  EXPECT_EQ(policy_.least_backoff,
            engine().OnFailure(0, kNoon, absl::Seconds(1), 0.5).value_or(absl::ZeroDuration()));
  EXPECT_THAT(Happens(0, LifecycleChange::kFail), IsEmpty());
  EXPECT_EQ(LifecycleState::kRunning, engine().state(1));
  engine().EndBackoff(0);
  EXPECT_THAT(Settle(), ElementsAre("start store: started again after a failure"));
}

TEST_F(EngineTest, WhenItFailsTooOften_IsGivenUpOnUntilItIsWantedAgain) {
  policy_.max_failures = 2;
  Add("store");
  StartAll();
  EXPECT_TRUE(engine().OnFailure(0, kNoon, absl::Seconds(1), 0.5).has_value());
  EXPECT_EQ(0, engine().restarts_left(0, kNoon));
  EXPECT_FALSE(engine().OnFailure(0, kNoon, absl::Seconds(1), 0.5).has_value());
  EXPECT_THAT(Happens(0, LifecycleChange::kGiveUp), IsEmpty());
  engine().WantUp(0, "asked to start");
  EXPECT_THAT(Settle(), ElementsAre("start store: asked to start"));
  EXPECT_EQ(1, engine().restarts_left(0, kNoon)) << "with a new budget";
}

TEST_F(EngineTest, WhenOneThatWasGivenUpOnIsJustWanted_StaysFailed) {
  policy_.max_failures = 1;
  Add("store");
  StartAll();
  EXPECT_FALSE(engine().OnFailure(0, kNoon, absl::Seconds(1), 0.5).has_value());
  Happens(0, LifecycleChange::kGiveUp);
  engine().Want(0, "the host starts");
  EXPECT_THAT(Settle(), IsEmpty());
  EXPECT_EQ(LifecycleState::kFailed, engine().state(0));
}

TEST_F(EngineTest, WhenOneHasMoved_TellsOfItAndOfThoseWhoseOutlookThatChanges) {
  Add("store");
  Add("web", {"store"});
  Add("other");
  engine().WantUp(0, "asked to");
  engine().WantUp(1, "asked to");
  Settle();
  EXPECT_THAT(moved_, ::testing::UnorderedElementsAre(0, 1));
  Settle();
  EXPECT_THAT(moved_, IsEmpty());
}

TEST_F(EngineTest, WhenAStateDoesNotAllowAChange_Throws) {
  Add("store");
  try {
    engine().Apply(0, LifecycleChange::kStopped);
    FAIL() << "nothing was thrown";
  } catch (const std::logic_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("component \"store\": STOPPED does not allow \"stopped\""));
  }
}

// Whatever is wanted and whatever happens, in any order: what is settled keeps the rules.
TEST_F(EngineTest, WhenAnythingHappens_NoneStaysUpWithoutWhatItNeeds) {
  constexpr size_t kComponents = 8;
  std::mt19937 random(20261126);
  const auto below = [&](size_t bound) { return random() % bound; };
  for (int trial = 0; trial < 50; ++trial) {
    configs_.clear();
    engine_ = nullptr;
    for (size_t i = 0; i < kComponents; ++i) {
      std::vector<std::string> dependencies;
      for (size_t j = 0; j < i; ++j) {
        if (below(3) == 0) dependencies.push_back(absl::StrCat(below(3) == 0 ? "?" : "", j));
      }
      Add(absl::StrCat(i), dependencies);
    }
    for (int step = 0; step < 200; ++step) {
      const size_t component = below(kComponents);
      switch (below(5)) {
        case 0:
          engine().WantUp(component, "up");
          break;
        case 1:
          engine().WantDown(component, "down");
          break;
        case 2:
          engine().WantRestart(component, "restart");
          break;
        default: {
          // One of the things that its state allows and that the engine does not decide.
          const LifecycleChange changes[] = {LifecycleChange::kStarted, LifecycleChange::kFail,
                                             LifecycleChange::kGiveUp, LifecycleChange::kStopped,
                                             LifecycleChange::kStuck};
          const LifecycleChange change = changes[below(std::size(changes))];
          if (!NextState(engine().state(component), change).has_value()) continue;
          engine().Apply(component, change);
          if (change == LifecycleChange::kFail) engine().EndBackoff(component);
        }
      }
      Settle();
      for (size_t i = 0; i < kComponents; ++i) {
        EXPECT_FALSE(TakesCalls(engine().state(i)) && LacksADependency(i) && !WaitsForDependents(i))
            << i << " is " << Name(engine().state(i));
      }
    }
    // And all of it comes to rest.
    for (size_t i = 0; i < kComponents; ++i) engine().WantDown(i, "down");
    Settle();
    for (size_t round = 0; round < kComponents; ++round) {
      for (size_t i = 0; i < kComponents; ++i) {
        if (engine().state(i) == LifecycleState::kStopping) {
          Happens(i, LifecycleChange::kStopped);
        }
      }
    }
    EXPECT_EQ(0u, engine().up());
  }
}

}  // namespace
}  // namespace mainspring
