// DependencyGraph: which component needs which, checked as a whole.
#ifndef MAINSPRING_SERVER_SUPERVISOR_DEPENDENCY_GRAPH_H_
#define MAINSPRING_SERVER_SUPERVISOR_DEPENDENCY_GRAPH_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/config/problems.h"

namespace mainspring {

// Components are numbered as they are configured. Constant, so any thread.
class DependencyGraph {
 public:
  struct Edge {
    size_t component;
    bool hard;
  };

  // Nothing, and all that is wrong is added to `problems`: a dependency that is no component, with
  // the nearest name that is; one named twice; a cycle, with its chain.
  static std::optional<DependencyGraph> Build(const std::vector<ComponentConfig>& components,
                                              Problems& problems);
  // INVALID_ARGUMENT: the same as a status.
  static absl::StatusOr<DependencyGraph> Build(const std::vector<ComponentConfig>& components);

  size_t size() const { return nodes_.size(); }
  // What `component` depends on.
  const std::vector<Edge>& dependencies(size_t component) const {
    return nodes_[component].dependencies;
  }
  // What depends on it.
  const std::vector<Edge>& dependents(size_t component) const {
    return nodes_[component].dependents;
  }
  // All of them, each after what it depends on.
  const std::vector<size_t>& order() const { return order_; }

  // All that depend on it through hard dependencies, in order().
  std::vector<size_t> HardDependents(size_t component) const;
  // The same, of several.
  std::vector<size_t> HardDependents(const std::vector<size_t>& components) const;
  // All that it depends on through hard dependencies, in order().
  std::vector<size_t> HardDependencies(size_t component) const;
  // Those that are essential where these are, because an essential one cannot do without them.
  std::vector<bool> Essential(std::vector<bool> essential) const;

 private:
  struct Node {
    std::vector<Edge> dependencies;
    std::vector<Edge> dependents;
  };

  std::vector<size_t> Reachable(std::vector<size_t> from, std::vector<Edge> Node::*edges) const;

  std::vector<Node> nodes_;
  std::vector<size_t> order_;
  std::vector<size_t> rank_;  // where each stands in order_
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_DEPENDENCY_GRAPH_H_
