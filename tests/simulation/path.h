// Path: what a watcher of WatchComponents learned, and whether that can have been.
#ifndef MAINSPRING_TESTS_SIMULATION_PATH_H_
#define MAINSPRING_TESTS_SIMULATION_PATH_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mainspring/lifecycle/v1/lifecycle.pb.h"
#include "mainspring/server/supervisor/dependency_graph.h"
#include "mainspring/server/supervisor/restart_budget.h"

namespace mainspring::simulation {

class Path {
 public:
  using State = lifecycle::v1::Component::State;

  explicit Path(const std::vector<ComponentConfig>& components)
      : components_(components), graph_(*DependencyGraph::Build(components)) {}

  void Follow(const lifecycle::v1::WatchComponentsResponse& update);

  const std::string& incarnation() const { return incarnation_; }
  uint64_t sequence() const { return sequence_; }
  State state(const std::string& component) const { return known_.at(component).state; }
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Known {
    State state = lifecycle::v1::Component::STOPPED;
    uint64_t generation = 0;
    std::vector<absl::Time> restarts;  // by itself, since an operator last had a hand in it
  };

  void Follow(const lifecycle::v1::Event& event);
  void FollowTraffic(const lifecycle::v1::Event& event, const Known& known);
  void CheckDependencies(const lifecycle::v1::Event& event);
  void CheckBudget(const lifecycle::v1::Event& event, Known& known);
  void Violation(const std::string& what);

  const std::vector<ComponentConfig>& components_;
  const DependencyGraph graph_;
  std::string incarnation_;
  uint64_t sequence_ = 0;
  std::map<std::string, Known> known_;
  std::vector<std::string> violations_;
};

}  // namespace mainspring::simulation

#endif  // MAINSPRING_TESTS_SIMULATION_PATH_H_
