#include "mainspring/server/supervisor/standings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

constexpr LifecycleState kStates[] = {LifecycleState::kStopped, LifecycleState::kStarting,
                                      LifecycleState::kRunning, LifecycleState::kStopping,
                                      LifecycleState::kBackoff, LifecycleState::kFailed};

// Of components that are called by their numbers.
DependencyGraph Numbered(const std::vector<std::vector<Dependency>>& dependencies) {
  std::vector<ComponentConfig> configs(dependencies.size());
  for (size_t i = 0; i < configs.size(); ++i) {
    configs[i].name = absl::StrCat(i);
    configs[i].depends_on = dependencies[i];
  }
  return *DependencyGraph::Build(configs);
}

// 1 needs 0.
class PairTest : public ::testing::Test {
 protected:
  void LookAtAll() {
    standings_.Look(0);
    standings_.Look(1);
  }
  const DependencyGraph graph_ = Numbered({{}, {{"0", true}}});
  Standings standings_{graph_};
};

TEST_F(PairTest, WhenBothAreWanted_TheDependencyIsStartedFirst) {
  EXPECT_FALSE(standings_.MayStart(0)) << "nobody wants it";
  for (size_t each : {0, 1}) standings_.wish(each).wanted = true;
  EXPECT_TRUE(standings_.Look(0));
  EXPECT_FALSE(standings_.Look(0)) << "nothing has changed since";
  EXPECT_TRUE(standings_.MayStart(0));
  EXPECT_FALSE(standings_.MayStart(1));
  EXPECT_EQ(Outlook::kSoon, standings_.outlook(0));
  standings_.SetState(0, LifecycleState::kRunning);
  LookAtAll();
  EXPECT_TRUE(standings_.MayStart(1));
}

TEST_F(PairTest, WhenTheDependencyIsNotWanted_TheDependentIsStoppedFirst) {
  for (size_t each : {0, 1}) {
    standings_.wish(each).wanted = true;
    standings_.SetState(each, LifecycleState::kRunning);
  }
  LookAtAll();
  EXPECT_FALSE(standings_.MayStop(0));
  standings_.wish(0).wanted = false;
  LookAtAll();
  EXPECT_TRUE(standings_.goes_down(1));
  EXPECT_FALSE(standings_.MayStop(0));
  EXPECT_TRUE(standings_.MayStop(1));
  standings_.SetState(1, LifecycleState::kStopped);
  EXPECT_TRUE(standings_.MayStop(0));
}

// The rules, gone through neighbour by neighbour, as supervisor.h has them in words.
class Plain {
 public:
  Plain(const DependencyGraph& graph, const Standings& standings)
      : graph_(graph), standings_(standings) {}

  bool GoesDown(size_t component) const {
    const Wish& wish = standings_.wish(component);
    const auto& edges = graph_.dependencies(component);
    return !wish.wanted || wish.restarting ||
           std::any_of(edges.begin(), edges.end(), [&](const auto& edge) {
             return edge.hard && (standings_.goes_down(edge.component) ||
                                  IsDown(standings_.state(edge.component)));
           });
  }
  Outlook OutlookOf(size_t component) const {
    const Wish& wish = standings_.wish(component);
    const LifecycleState state = standings_.state(component);
    if (!wish.wanted) return Outlook::kNever;
    if (state == LifecycleState::kRunning || state == LifecycleState::kStarting) {
      return Outlook::kSoon;
    }
    if (state == LifecycleState::kBackoff && !wish.again) return Outlook::kLater;
    if (state == LifecycleState::kFailed && !wish.again) return Outlook::kNever;
    Outlook outlook = Outlook::kSoon;
    for (const auto& edge : graph_.dependencies(component)) {
      if (edge.hard) outlook = std::min(outlook, standings_.outlook(edge.component));
    }
    return outlook;
  }
  bool MayStop(size_t component) const {
    const auto& edges = graph_.dependents(component);
    return standings_.goes_down(component) && TakesCalls(standings_.state(component)) &&
           std::all_of(edges.begin(), edges.end(), [&](const auto& edge) {
             return IsDown(standings_.state(edge.component)) ||
                    (!edge.hard && !standings_.goes_down(edge.component));
           });
  }
  bool MayStart(size_t component) const {
    const LifecycleState state = standings_.state(component);
    const bool startable =
        state == LifecycleState::kStopped ||
        (standings_.wish(component).again &&
         (state == LifecycleState::kBackoff || state == LifecycleState::kFailed));
    const auto& edges = graph_.dependencies(component);
    return startable && !standings_.goes_down(component) &&
           std::all_of(edges.begin(), edges.end(), [&](const auto& edge) {
             return standings_.state(edge.component) == LifecycleState::kRunning ||
                    (!edge.hard && standings_.outlook(edge.component) != Outlook::kSoon);
           });
  }

 private:
  const DependencyGraph& graph_;
  const Standings& standings_;
};

TEST(Standings, WhateverChanges_CountsAsOneWouldWhoLooksAtAllNeighbours) {
  std::mt19937 random(1);
  const auto pick = [&](size_t count) { return random() % count; };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<Dependency>> dependencies(1 + pick(8));
    for (size_t i = 0; i < dependencies.size(); ++i) {
      for (size_t on = 0; on < i; ++on) {
        if (pick(2) == 0) dependencies[i].push_back({absl::StrCat(on), pick(2) == 0});
      }
    }
    const DependencyGraph graph = Numbered(dependencies);
    Standings standings(graph);
    const Plain plain(graph, standings);
    for (int step = 0; step < 100; ++step) {
      const size_t component = pick(graph.size());
      switch (pick(3)) {
        case 0:
          standings.SetState(component, kStates[pick(std::size(kStates))]);
          break;
        case 1:
          standings.wish(component) = {pick(2) == 0, pick(2) == 0, pick(2) == 0};
          break;
        default: {
          const bool goes_down = plain.GoesDown(component);
          const Outlook outlook = plain.OutlookOf(component);
          standings.Look(component);
          ASSERT_EQ(goes_down, standings.goes_down(component));
          ASSERT_EQ(outlook, standings.outlook(component));
        }
      }
      for (size_t i = 0; i < graph.size(); ++i) {
        ASSERT_EQ(plain.MayStop(i), standings.MayStop(i));
        ASSERT_EQ(plain.MayStart(i), standings.MayStart(i));
      }
    }
  }
}

}  // namespace
}  // namespace mainspring
