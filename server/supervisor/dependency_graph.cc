#include "mainspring/server/supervisor/dependency_graph.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/server/config/nearest_name.h"

namespace mainspring {
namespace {

// Some cycle among those that could not be put in order: each of them depends on another of them.
// It ends with what it begins with.
std::vector<size_t> CycleAmong(const DependencyGraph& graph, const std::vector<size_t>& waits_for) {
  size_t at = 0;
  while (waits_for[at] == 0) ++at;
  std::vector<size_t> path;
  while (std::find(path.begin(), path.end(), at) == path.end()) {
    path.push_back(at);
    at = std::find_if(graph.dependencies(at).begin(), graph.dependencies(at).end(),
                      [&](const auto& edge) { return waits_for[edge.component] != 0; })
             ->component;
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), at));
  path.push_back(at);
  return path;
}

}  // namespace

absl::StatusOr<DependencyGraph> DependencyGraph::Build(
    const std::vector<ComponentConfig>& components) {
  Problems problems;
  std::optional<DependencyGraph> graph = Build(components, problems);
  if (!graph.has_value()) return problems.status();
  return *std::move(graph);
}

std::optional<DependencyGraph> DependencyGraph::Build(
    const std::vector<ComponentConfig>& components, Problems& problems) {
  DependencyGraph graph;
  graph.nodes_.resize(components.size());
  std::unordered_map<std::string, size_t> numbers;
  std::vector<std::string> names;
  for (size_t i = 0; i < components.size(); ++i) {
    numbers.emplace(components[i].name, i);
    names.push_back(components[i].name);
  }

  bool is_right = true;
  for (size_t i = 0; i < components.size(); ++i) {
    std::unordered_set<std::string> seen;
    for (size_t j = 0; j < components[i].depends_on.size(); ++j) {
      const Dependency& dependency = components[i].depends_on[j];
      const std::string path =
          absl::StrCat(ComponentPath(components, i), ".depends_on[", j, "].component");
      const auto found = numbers.find(dependency.component);
      if (found == numbers.end()) {
        problems.Add(path, "\"", absl::CHexEscape(dependency.component.substr(0, 64)),
                     "\" is no component", DidYouMean(dependency.component, names));
        is_right = false;
      } else if (!seen.insert(dependency.component).second) {
        problems.Add(path, "\"", dependency.component, "\" is given twice");
        is_right = false;
      } else {
        graph.nodes_[i].dependencies.push_back({found->second, dependency.hard});
        graph.nodes_[found->second].dependents.push_back({i, dependency.hard});
      }
    }
  }

  // Kahn's algorithm (Communications of the ACM 5, 1962).
  std::vector<size_t> waits_for;
  for (const Node& node : graph.nodes_) waits_for.push_back(node.dependencies.size());
  for (size_t i = 0; i < components.size(); ++i) {
    if (waits_for[i] == 0) graph.order_.push_back(i);
  }
  for (size_t next = 0; next < graph.order_.size(); ++next) {
    for (const Edge& edge : graph.nodes_[graph.order_[next]].dependents) {
      if (--waits_for[edge.component] == 0) graph.order_.push_back(edge.component);
    }
  }
  if (graph.order_.size() != components.size()) {
    const std::vector<size_t> cycle = CycleAmong(graph, waits_for);
    problems.Add(absl::StrCat(ComponentPath(components, cycle.front()), ".depends_on"),
                 "components depend on each other in a circle: ",
                 absl::StrJoin(cycle, " -> ", [&](std::string* out, size_t each) {
                   absl::StrAppend(out, "\"", components[each].name, "\"");
                 }));
    is_right = false;
  }
  if (!is_right) return std::nullopt;
  graph.rank_.resize(graph.order_.size());
  for (size_t rank = 0; rank < graph.order_.size(); ++rank) graph.rank_[graph.order_[rank]] = rank;
  return graph;
}

std::vector<size_t> DependencyGraph::HardDependents(size_t component) const {
  return Reachable({component}, &Node::dependents);
}

std::vector<size_t> DependencyGraph::HardDependents(const std::vector<size_t>& components) const {
  return Reachable(components, &Node::dependents);
}

std::vector<size_t> DependencyGraph::HardDependencies(size_t component) const {
  return Reachable({component}, &Node::dependencies);
}

std::vector<bool> DependencyGraph::Essential(std::vector<bool> essential) const {
  for (auto each = order_.rbegin(); each != order_.rend(); ++each) {
    if (!essential[*each]) continue;
    for (const Edge& edge : dependencies(*each)) {
      if (edge.hard) essential[edge.component] = true;
    }
  }
  return essential;
}

std::vector<size_t> DependencyGraph::Reachable(std::vector<size_t> from,
                                               std::vector<Edge> Node::*edges) const {
  std::vector<size_t> found;
  std::unordered_set<size_t> seen(from.begin(), from.end());
  std::vector<size_t> next = std::move(from);
  while (!next.empty()) {
    const size_t at = next.back();
    next.pop_back();
    for (const Edge& edge : nodes_[at].*edges) {
      if (!edge.hard || !seen.insert(edge.component).second) continue;
      found.push_back(edge.component);
      next.push_back(edge.component);
    }
  }
  std::sort(found.begin(), found.end(),
            [this](size_t left, size_t right) { return rank_[left] < rank_[right]; });
  return found;
}

}  // namespace mainspring
