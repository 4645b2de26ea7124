// Supervisor: the only writer of lifecycle states. It does what its engine decides: over the
// components' mailboxes it starts and stops instances, with timers it notices who does not come
// back, and it keeps the component table, the log, health and an observer up to date.
//
// It lives on the thread of the component that answers Lifecycle, and knows nothing of that.
#ifndef MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_H_
#define MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "mainspring/context.h"
#include "mainspring/control_loop.h"
#include "mainspring/server/observe/event_log.h"
#include "mainspring/server/supervisor/component_table.h"
#include "mainspring/server/supervisor/dependency_graph.h"
#include "mainspring/server/supervisor/engine.h"
#include "mainspring/server/supervisor/health_hooks.h"
#include "mainspring/server/supervisor/stall_watch.h"
#include "mainspring/server/supervisor/stop_report.h"
#include "mainspring/server/supervisor/supervisor_observer.h"

namespace mainspring {

// One thread only: that of the component whose context it is given.
class Supervisor final : private Conductor {
 public:
  using StartCallback = absl::AnyInvocable<void(absl::Status)>;
  using StopCallback = absl::AnyInvocable<void(StopReport)>;

  // All that it points to must outlive it.
  struct Options {
    ComponentTable& table;
    DependencyGraph graph;  // of the table's components
    EventLog& log;
    HealthHooks health;
    // From [0, 1): the jitter of backoffs.
    std::function<double()> random;
  };

  // Both must outlive it.
  Supervisor(Context& context, Options options, SupervisorObserver& observer);

  // First of all: closes the mailboxes, and looks for stalls from then on.
  void Begin();
  // Starts all that is configured to start with the host. Calls back with OK when each is RUNNING,
  // or is not essential and cannot be for now. Where an essential one does not start, what was
  // started is stopped again first.
  void StartAll(StartCallback callback);
  // Gives up a StartAll that has not ended, or not begun; it calls back with OK.
  void AbandonStart();
  // Stops everything, for good. Calls back when all is down.
  void StopAll(StopCallback callback);

  // Who the components are from here on.
  struct Roster {
    struct Joining {
      ComponentConfig config;
      std::vector<std::string> services;
      std::shared_ptr<MailboxBase> mailbox;
      std::shared_ptr<AnyReplicaSet> set;
    };
    // That are not here yet. The one of a name that was gets its number again.
    std::vector<Joining> joining;
    // That are here, with the settings that they have from here on: all that do not leave.
    std::vector<std::pair<size_t, ComponentConfig>> staying;
  };
  // Those that join are started, unless they are configured not to be; the rest, which leaves, is
  // stopped when its clients have had their time, and is here until it is forgotten.
  // UNAVAILABLE: the host stops. INVALID_ARGUMENT: the dependencies; nothing has changed.
  absl::Status Adopt(const Roster& roster);
  // One that has left and is down.
  void Forget(size_t component);
  // OK, or FAILED_PRECONDITION where it leaves, or has left.
  absl::Status CheckStays(size_t component) const;

  // What components report.
  void Started(size_t component, uint64_t generation, const absl::Status& status);
  void Stopped(size_t component, uint64_t generation, size_t refused);
  void Failed(size_t component, uint64_t generation, const Failure& failure);
  void Finished(size_t component, uint64_t generation);
  // The instance says that it serves, or does not for now; it is as healthy as that.
  void SetServing(size_t component, uint64_t generation, bool serving, const std::string& why);

  // What is wanted: see Engine. It is done in the next Settle.
  void WantUp(size_t component, const std::string& why);
  void WantDown(size_t component, const std::string& why);
  void WantRestart(size_t component, const std::string& why);
  void Settle();

  // Which calls reach a component that is up. A paused one takes calls, and serves them later.
  void Pause(size_t component, const std::string& why);
  void Resume(size_t component, const std::string& why);
  // Not healthy at once, and closed when whoever follows its health has had the time to leave; a
  // drain outlasts failures.
  void Drain(size_t component, const std::string& why);
  void Undrain(size_t component, const std::string& why);
  // The whole host drains: components are told.
  void DrainHost();
  // Ends its drain once it no longer takes calls, as it stops or has stopped: which may be now.
  void UndrainWhenStopped(size_t component);
  // Whether its clients are given time before a stop.
  bool HasLameDuck(size_t component) const {
    return state(component) == LifecycleState::kRunning &&
           table_.config(component).lame_duck > absl::ZeroDuration();
  }
  // From here on it is not healthy, though it serves, because it is to be stopped. Returns until
  // when its clients have time to leave: in the past where nobody follows its health. One
  // EndLeaving for each.
  SteadyTime BeginLeaving(size_t component);
  void EndLeaving(size_t component);

  const Engine& engine() const { return engine_; }
  // As the table has it.
  const ComponentStatus& status(size_t component) const { return units_[component].status; }
  // Why a component is not RUNNING, naming that which is in the way, of it or of what it needs.
  absl::Status NotStarted(size_t component) const;

 private:
  struct Unit {
    ComponentStatus status;  // as it is in the table
    SteadyTime running_since;
    std::optional<TimerId> timer;       // of the state that it is in
    bool stuck = false;                 // its thread has not reported what it was told to do
    bool starting_up = false;           // not yet seen to be RUNNING, or not going to be
    bool undrain_when_stopped = false;  // see UndrainWhenStopped
    size_t leaving = 0;                 // so many are about to stop it
    // Until then its clients are given the time to leave.
    SteadyTime lame_duck_until = SteadyTime::min();
    size_t refused = 0;  // at its last stop
  };

  LifecycleState state(size_t component) const { return engine_.state(component); }
  // Changes its status, and publishes it.
  template <class Change>
  void Update(size_t component, Change change) {
    change(units_[component].status);
    table_.Publish(component, units_[component].status);
  }
  // Something that is no change of its state. Whether anybody who follows its health was told.
  bool Happened(size_t component, TrafficChange change, const std::string& why);
  // What callers of a component get that is not there for them.
  absl::Status Unavailable(size_t component) const;
  // UNAVAILABLE, with the state that it is in and `why`; `reason` is of ErrorInfo's.
  absl::Status Refusal(absl::string_view reason, size_t component, absl::string_view why) const;

  // Conductor.
  void Start(size_t component, const std::string& why) override;
  void Stop(size_t component, const std::string& why) override;
  void OnSettled(const std::vector<size_t>& moved) override;

  // supervisor.cc: how states come about.
  static std::vector<Engine::Member> MembersOf(const ComponentTable& table);
  void WatchStalls();
  void Change(size_t component, LifecycleChange change, const std::string& reason);
  void Enter(size_t component, LifecycleState state);
  void EnterStarting(size_t component);
  void EnterRunning(size_t component);
  void EnterStopping(size_t component);
  void TellDependents(size_t component, bool runs);
  void StartTimedOut(size_t component);
  void StopTimedOut(size_t component);
  StuckComponent WhereItIsStuck(size_t component) const;
  void FailedOnce(size_t component, const std::string& reason, const FailureRecord& record);
  void SetTimer(size_t component, absl::Duration delay, Callback callback);

  // traffic.cc
  void CloseDrained(size_t component);
  void EndDrainOfStopped(size_t component);
  void OpenOrClose(size_t component);

  // roster.cc
  std::vector<ComponentConfig> Configs() const;
  void Join(size_t component);
  void Leave(size_t component);
  void SetGraph(DependencyGraph graph, const std::vector<ComponentConfig>& configs);

  // start_stop.cc: of the host.
  void WantNothing(const std::string& why);
  void ForgetStartup();
  void CheckStartup();
  void CheckDown();

  Context& context_;
  const Options options_;
  ComponentTable& table_;
  SupervisorObserver& observer_;
  Engine engine_;
  StallWatch stalls_;
  std::optional<TimerId> stall_timer_;
  std::deque<Unit> units_;

  StartCallback start_callback_;
  size_t starting_up_ = 0;             // so many are
  std::vector<size_t> startup_moved_;  // of those, what has moved
  std::optional<absl::Status> start_error_;
  bool start_abandoned_ = false;
  StopCallback stop_callback_;
  bool ending_ = false;
  bool host_drains_ = false;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_H_
