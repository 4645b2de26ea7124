#include "mainspring/server/lifecycle/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/lifecycle/configs.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// web needs mail, mail needs store. What is decided happens at once.
class PlanTest : public ::testing::Test, public Conductor {
 protected:
  PlanTest() {
    engine_ = std::make_unique<Engine>(
        graph_, std::vector<Engine::Member>{{"web", {}}, {"mail", {}}, {"store", {}}}, *this);
  }
  void StartAll() {
    for (size_t i = 0; i < graph_.size(); ++i) engine_->WantUp(i, "wanted");
    engine_->Settle();
  }

  // "stop web", or what it is refused with.
  std::vector<std::string> PlanOf(Command command, size_t component, bool cascade = false) {
    Order order{command, component, "id", std::nullopt};
    order.cascade = cascade;
    const absl::StatusOr<std::vector<Step>> steps = Plan(order, *engine_);
    if (!steps.ok()) return {std::string(steps.status().message())};
    std::vector<std::string> text;
    for (const Step& step : *steps) {
      text.push_back(absl::StrCat(step.action == Step::Action::kStop ? "stop " : "start ",
                                  engine_->name(step.component)));
    }
    return text;
  }

  static constexpr size_t kWeb = 0;
  static constexpr size_t kStore = 2;
  const DependencyGraph graph_ = *DependencyGraph::Build({testing::HookedConfig("web", {"mail"}),
                                                          testing::HookedConfig("mail", {"store"}),
                                                          testing::HookedConfig("store")});
  std::unique_ptr<Engine> engine_;

 private:
  void Start(size_t component, const std::string&) override {
    engine_->Apply(component, LifecycleChange::kStart);
    engine_->Apply(component, LifecycleChange::kStarted);
  }
  void Stop(size_t component, const std::string&) override {
    engine_->Apply(component, LifecycleChange::kStop);
    engine_->Apply(component, LifecycleChange::kStopped);
  }
  void OnSettled(const std::vector<size_t>&) override {}
};

TEST_F(PlanTest, WhenOneIsStopped_ItsDependentsStopBeforeIt) {
  StartAll();
  EXPECT_THAT(PlanOf(Command::kStop, kStore, /*cascade=*/true),
              ElementsAre("stop web", "stop mail", "stop store"));
  EXPECT_THAT(PlanOf(Command::kStop, kWeb), ElementsAre("stop web"));
}

TEST_F(PlanTest, WhenOthersWouldStopTooAndItDoesNotCascade_NamesThem) {
  StartAll();
  EXPECT_THAT(PlanOf(Command::kStop, kStore),
              ElementsAre(HasSubstr("\"mail\", \"web\" depend on it and would stop too")));
}

TEST_F(PlanTest, WhenOneIsRestarted_WhatStopsForItComesBackInReverse) {
  StartAll();
  EXPECT_THAT(
      PlanOf(Command::kRestart, kStore, /*cascade=*/true),
      ElementsAre("stop web", "stop mail", "stop store", "start store", "start mail", "start web"));
}

TEST_F(PlanTest, WhenOneIsStarted_WhatItNeedsStartsBeforeIt) {
  EXPECT_THAT(PlanOf(Command::kStart, kWeb, /*cascade=*/true),
              ElementsAre("start store", "start mail", "start web"));
  EXPECT_THAT(PlanOf(Command::kStart, kWeb),
              ElementsAre(HasSubstr("needs \"store\", \"mail\", which do not run")));
}

TEST_F(PlanTest, WhenItRunsAlready_ThereIsNothingToStart) {
  StartAll();
  EXPECT_THAT(PlanOf(Command::kStart, kWeb), IsEmpty());
}

TEST_F(PlanTest, WhenThoseThatWentDownWithItAreWanted_TheyComeBackWithIt) {
  StartAll();
  engine_->WantDown(kStore, "asked to stop");
  engine_->Settle();
  EXPECT_THAT(PlanOf(Command::kStart, kStore),
              ElementsAre("start store", "start mail", "start web"));
}

TEST_F(PlanTest, WhenPlanned_NothingIsChanged) {
  StartAll();
  PlanOf(Command::kStop, kStore, /*cascade=*/true);
  engine_->Settle();
  EXPECT_EQ(3u, engine_->up());
}

}  // namespace
}  // namespace mainspring
