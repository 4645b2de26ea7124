// Engine: decides what is to be done next with each component of a host. It knows who depends on
// whom, what is wanted, how everybody is and what the restart policies leave; it has no thread, no
// clock, no mailbox and no log, and whatever it decides a Conductor does. So a test has a host's
// decisions as a value.
//
// It keeps no list of jobs. Each component is either wanted or not; from that, and from the states
// of its neighbours in the dependency graph, follows what is to be done, if anything, and it is
// looked at again whenever one of these has changed. So a start of the host, a stop, a cascade, a
// rollback and a dependent that comes back are one rule each, and a command only says what is
// wanted:
//
// clang-format off
//   goes down    it is not wanted, or is being restarted, or a hard dependency goes or is down
//   outlook      soon: it is wanted, and runs, or starts, or is about to, as all its hard
//                dependencies are; later: once something that has failed was started again; or never
//   is stopped   when it goes down, is up, and all dependents that go down are down
//   is started   when it is wanted, is down, its hard dependencies are RUNNING, and its soft ones
//                are too or will not be soon
// clang-format on
//
// A dependency that has failed and is started again shortly (BACKOFF) is not down: calls to it
// wait, and its dependents go on.
#ifndef MAINSPRING_SERVER_SUPERVISOR_ENGINE_H_
#define MAINSPRING_SERVER_SUPERVISOR_ENGINE_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "mainspring/server/config/restart_policy.h"
#include "mainspring/server/supervisor/dependency_graph.h"
#include "mainspring/server/supervisor/restart_budget.h"
#include "mainspring/server/supervisor/standings.h"
#include "mainspring/server/supervisor/state.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// Does what an engine decides. Called from within Engine::Settle alone.
class Conductor {
 public:
  virtual ~Conductor() = default;
  // Each says so with Engine::Apply before it returns.
  virtual void Start(size_t component, const std::string& why) = 0;
  virtual void Stop(size_t component, const std::string& why) = 0;
  // There is nothing to do for now. `moved`: of these state, wish or outlook have changed since the
  // last time. What is wanted in here is done before Settle returns.
  virtual void OnSettled(const std::vector<size_t>& moved) = 0;
};

// One thread only.
class Engine {
 public:
  // A component, by the number that it has in the graph.
  struct Member {
    std::string name;
    RestartPolicy restart;
  };

  // All are STOPPED, and not wanted. `conductor` must outlive the engine.
  Engine(DependencyGraph graph, std::vector<Member> members, Conductor& conductor);

  // What the components are from here on: as they were numbered, with new ones after them, which
  // are STOPPED and not wanted. One that is not there any more keeps its number, and nothing
  // depends on it. What follows is done in the next Settle. Not within one.
  void SetGraph(DependencyGraph graph, std::vector<Member> members);

  // What is wanted, and why, as logs and reasons put it. Takes effect in the next Settle.
  // Of one that has failed, nothing more.
  void Want(size_t component, const std::string& why) { SetWanted(component, true, why); }
  // Up: one that failed is started again, with a new restart budget.
  void WantUp(size_t component, const std::string& why);
  void WantDown(size_t component, const std::string& why);
  // Down once, and up again, with a new restart budget.
  void WantRestart(size_t component, const std::string& why);

  // It has failed, at `now`, after having been RUNNING for `ran`: how long its BACKOFF is, or
  // nothing where it is given up on. `random` is from [0, 1).
  std::optional<absl::Duration> OnFailure(size_t component, SteadyTime now, absl::Duration ran,
                                          double random);
  // That time is over.
  void EndBackoff(size_t component);

  // What has happened to a component, and the state that this leads to.
  // std::logic_error: its state does not allow that.
  LifecycleState Apply(size_t component, LifecycleChange change);

  // Has all done that follows from what has changed. False, and nothing is done here, where that is
  // under way already.
  bool Settle();

  const DependencyGraph& graph() const { return standings_.graph(); }
  const std::string& name(size_t component) const { return units_[component].name; }
  LifecycleState state(size_t component) const { return standings_.state(component); }
  bool is_wanted(size_t component) const { return standings_.wish(component).wanted; }
  // Why it was last wanted or not wanted.
  const std::string& why(size_t component) const { return units_[component].why; }
  // As of the last Settle.
  bool goes_down(size_t component) const { return standings_.goes_down(component); }
  Outlook outlook(size_t component) const { return standings_.outlook(component); }
  int restarts_left(size_t component, SteadyTime now) const {
    return units_[component].budget.restarts_left(now);
  }
  // How many are not down.
  size_t up() const { return up_; }

 private:
  struct Unit {
    explicit Unit(Member member) : name(std::move(member.name)), budget(member.restart) {}

    std::string name;
    RestartBudget budget;
    std::string why;
    // Whether it is in the list of that name.
    bool looks = false;
    bool acts = false;
    bool moved = false;
  };

  void SetWanted(size_t component, bool wanted, const std::string& why);
  // It, and what it touches, is looked at in the next Settle.
  void Touch(size_t component);
  void Move(size_t component);
  void Look(size_t component);
  void Act(size_t component);
  std::string WhyDown(size_t component) const;

  Conductor& conductor_;
  Standings standings_;
  std::vector<Unit> units_;
  std::deque<size_t> looks_;
  std::deque<size_t> acts_;
  std::vector<size_t> moved_;
  bool settling_ = false;
  size_t up_ = 0;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_ENGINE_H_
