// Standings: what is to become of each component, as it and its neighbours in the dependency graph
// stand. The rules alone; who acts on them is the engine.
#ifndef MAINSPRING_SERVER_SUPERVISOR_STANDINGS_H_
#define MAINSPRING_SERVER_SUPERVISOR_STANDINGS_H_

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "mainspring/server/supervisor/dependency_graph.h"
#include "mainspring/server/supervisor/state.h"

namespace mainspring {

// When a component will be RUNNING, as things are.
enum class Outlook { kNever, kLater, kSoon };

// What is wanted of a component.
struct Wish {
  bool wanted = false;
  bool restarting = false;  // is to go down once although it is wanted
  bool again = false;       // an operator wants it started although it failed
};

// Each component counts those of its neighbours that stand in its way, so that a rule costs the
// same however many neighbours there are; a change costs one step for each neighbour. One thread
// only.
class Standings {
 public:
  // All are STOPPED, and not wanted.
  explicit Standings(DependencyGraph graph);

  const DependencyGraph& graph() const { return graph_; }
  // Another graph of the same components, and of new ones after them, which are STOPPED and not
  // wanted. How the others stand is what it was when they were last looked at.
  void SetGraph(DependencyGraph graph);

  LifecycleState state(size_t component) const { return all_[component].state; }
  void SetState(size_t component, LifecycleState state);

  const Wish& wish(size_t component) const { return all_[component].wish; }
  Wish& wish(size_t component) { return all_[component].wish; }

  // As they were when it was last looked at.
  bool goes_down(size_t component) const { return all_[component].goes_down; }
  Outlook outlook(size_t component) const { return all_[component].outlook; }
  // Works both out anew. Whether one of them has changed, so that neighbours are to be looked at.
  bool Look(size_t component);

  bool MayStop(size_t component) const;
  bool MayStart(size_t component) const;

 private:
  struct Standing {
    LifecycleState state = LifecycleState::kStopped;
    Wish wish;
    bool goes_down = true;
    Outlook outlook = Outlook::kNever;
    // Of its hard dependencies: those that go or are down, and those of each outlook.
    size_t lost = 0;
    std::array<size_t, 3> outlooks = {};
    // Of its dependencies and dependents: those that a start and a stop of it wait for.
    size_t start_waits_for = 0;
    size_t stop_waits_for = 0;
  };

  void CountAll();
  // Counts it in, or out, where its neighbours count it.
  void Count(size_t component, bool in);
  bool GoesDown(const Standing& standing) const;
  Outlook OutlookOf(const Standing& standing) const;

  DependencyGraph graph_;
  std::vector<Standing> all_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_STANDINGS_H_
