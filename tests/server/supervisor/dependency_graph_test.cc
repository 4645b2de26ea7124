#include "mainspring/server/supervisor/dependency_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// A component and what it depends on, hard; "?x" is soft.
ComponentConfig Of(const std::string& name, const std::vector<std::string>& dependencies = {}) {
  ComponentConfig config;
  config.name = name;
  for (const std::string& each : dependencies) {
    const bool hard = each[0] != '?';
    config.depends_on.push_back({hard ? each : each.substr(1), hard});
  }
  return config;
}

DependencyGraph GraphOf(const std::vector<ComponentConfig>& components) {
  auto graph = DependencyGraph::Build(components);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return *graph;
}

std::string ErrorOf(const std::vector<ComponentConfig>& components) {
  const auto graph = DependencyGraph::Build(components);
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, graph.status().code());
  return std::string(graph.status().message());
}

TEST(DependencyGraph, WhenOneNeedsAnother_ComesAfterIt) {
  const DependencyGraph graph = GraphOf({Of("mail", {"store"}), Of("store")});
  EXPECT_EQ(2u, graph.size());
  EXPECT_THAT(graph.order(), ElementsAre(1, 0));
  ASSERT_EQ(1u, graph.dependencies(0).size());
  EXPECT_EQ(1u, graph.dependencies(0)[0].component);
  EXPECT_TRUE(graph.dependencies(0)[0].hard);
  ASSERT_EQ(1u, graph.dependents(1).size());
  EXPECT_EQ(0u, graph.dependents(1)[0].component);
  EXPECT_THAT(graph.dependents(0), IsEmpty());
}

TEST(DependencyGraph, WhenThereIsNothing_IsEmpty) {
  const DependencyGraph graph = GraphOf({});
  EXPECT_EQ(0u, graph.size());
  EXPECT_THAT(graph.order(), IsEmpty());
}

TEST(DependencyGraph, WhenNothingDependsOnAnything_KeepsTheOrderOfTheConfiguration) {
  EXPECT_THAT(GraphOf({Of("c"), Of("a"), Of("b")}).order(), ElementsAre(0, 1, 2));
}

TEST(DependencyGraph, WhenItIsADiamond_HasEachOnce) {
  const DependencyGraph graph = GraphOf({Of("top", {"left", "right"}), Of("left", {"bottom"}),
                                         Of("right", {"bottom"}), Of("bottom")});
  EXPECT_THAT(graph.order(), ElementsAre(3, 1, 2, 0));
  EXPECT_THAT(graph.HardDependents(3), ElementsAre(1, 2, 0));
  EXPECT_THAT(graph.HardDependencies(0), ElementsAre(3, 1, 2));
  EXPECT_THAT(graph.HardDependents(0), IsEmpty());
}

TEST(DependencyGraph, WhenADependencyIsSoft_IsOrderedButNotReached) {
  const DependencyGraph graph = GraphOf({Of("a", {"?b"}), Of("b", {"c"}), Of("c")});
  EXPECT_THAT(graph.order(), ElementsAre(2, 1, 0));
  EXPECT_FALSE(graph.dependencies(0)[0].hard);
  EXPECT_THAT(graph.HardDependents(2), ElementsAre(1));
  EXPECT_THAT(graph.HardDependencies(0), IsEmpty());
}

TEST(DependencyGraph, WhenAWayIsHardAndAnotherSoft_ReachesByTheHardOne) {
  const DependencyGraph graph = GraphOf({Of("a", {"?c", "b"}), Of("b", {"c"}), Of("c")});
  EXPECT_THAT(graph.HardDependencies(0), ElementsAre(2, 1));
}

TEST(DependencyGraph, WhenADependencyIsUnknown_NamesTheNearest) {
  EXPECT_EQ(
      "components[mail].depends_on[0].component: \"stroe\" is no component; did you mean "
      "\"store\"?",
      ErrorOf({Of("mail", {"stroe"}), Of("store")}));
  EXPECT_EQ("components[mail].depends_on[0].component: \"xxxxxxx\" is no component",
            ErrorOf({Of("mail", {"xxxxxxx"}), Of("store")}));
}

TEST(DependencyGraph, WhenOneIsNamedTwice_SaysSo) {
  EXPECT_EQ("components[a].depends_on[1].component: \"b\" is given twice",
            ErrorOf({Of("a", {"b", "?b"}), Of("b")}));
}

TEST(DependencyGraph, WhenOneDependsOnItself_NamesTheCircle) {
  EXPECT_EQ("components[a].depends_on: components depend on each other in a circle: \"a\" -> \"a\"",
            ErrorOf({Of("a", {"a"})}));
}

TEST(DependencyGraph, WhenThereIsALongCircle_NamesItsChainAlone) {
  EXPECT_EQ(
      "components[b].depends_on: components depend on each other in a circle: \"b\" -> \"c\" -> "
      "\"d\" -> \"b\"",
      ErrorOf({Of("outside", {"a"}), Of("a", {"b"}), Of("b", {"c"}), Of("c", {"free", "d"}),
               Of("d", {"b"}), Of("free")}));
}

TEST(DependencyGraph, WhenTheCircleIsSoft_IsRefusedToo) {
  EXPECT_EQ(
      "components[a].depends_on: components depend on each other in a circle: \"a\" -> \"b\" -> "
      "\"a\"",
      ErrorOf({Of("a", {"?b"}), Of("b", {"?a"})}));
}

TEST(DependencyGraph, WhenMuchIsWrong_TellsAllAtOnce) {
  EXPECT_EQ(
      "components[a].depends_on[0].component: \"nobody\" is no component; "
      "components[b].depends_on[1].component: \"c\" is given twice; "
      "components[b].depends_on: components depend on each other in a circle: \"b\" -> \"c\" -> "
      "\"b\"",
      ErrorOf({Of("a", {"nobody"}), Of("b", {"c", "c"}), Of("c", {"b"})}));
}

TEST(DependencyGraph, WhenItIsLong_IsOrderedWithoutRecursion) {
  std::vector<ComponentConfig> chain;
  for (int i = 0; i < 20000; ++i) {
    chain.push_back(i == 0 ? Of("0") : Of(absl::StrCat(i), {absl::StrCat(i - 1)}));
  }
  const DependencyGraph graph = GraphOf(chain);
  EXPECT_EQ(19999u, graph.HardDependents(0).size());
  EXPECT_TRUE(std::is_sorted(graph.order().begin(), graph.order().end()));
  chain[0].depends_on = {{"19999"}};
  EXPECT_NE("", ErrorOf(chain));
}

TEST(DependencyGraph, WhateverItIs_EachComesAfterWhatItDependsOn) {
  std::minstd_rand random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<ComponentConfig> components;
    const size_t size = 1 + random() % 12;
    for (size_t i = 0; i < size; ++i) {
      ComponentConfig config = Of(absl::StrCat(i));
      for (size_t j = 0; j < i; ++j) {
        if (random() % 3 == 0) config.depends_on.push_back({absl::StrCat(j), random() % 2 == 0});
      }
      components.push_back(config);
    }
    std::shuffle(components.begin(), components.end(), random);
    const DependencyGraph graph = GraphOf(components);
    ASSERT_EQ(size, graph.order().size());
    std::vector<size_t> rank(size);
    for (size_t i = 0; i < size; ++i) rank[graph.order()[i]] = i;
    for (size_t i = 0; i < size; ++i) {
      for (const auto& edge : graph.dependencies(i)) EXPECT_LT(rank[edge.component], rank[i]);
      const std::vector<size_t> needed = graph.HardDependencies(i);
      for (size_t each : needed) {
        const std::vector<size_t> back = graph.HardDependents(each);
        EXPECT_NE(back.end(), std::find(back.begin(), back.end(), i));
      }
    }
  }
}

}  // namespace
}  // namespace mainspring
