// Supervisor: the component whose request enum is mainspring.lifecycle.v1.Lifecycle, and the only
// writer of lifecycle states.
//
// It keeps no list of jobs. Each component is either wanted or not; from that, and from the states
// of its neighbours in the dependency graph, follows what is to be done next, if anything, and it
// is looked at again whenever one of these has changed. So a start of the host, a stop, a cascade,
// a rollback and a dependent that comes back are one rule each, and a command only says what is
// wanted:
//
//   goes down     it is not wanted, or is being restarted, or a hard dependency goes or is down
//   outlook       soon: it is wanted, and runs, or starts, or is about to, as all its hard
//   dependencies
//                 are; later: once something that has failed was started again; or never
//   is stopped    when it goes down, is up, and all dependents that go down are down
//   is started    when it is wanted, is down, its hard dependencies are RUNNING, and its soft ones
//                 are too or will not be soon
//
// A dependency that has failed and is started again shortly (BACKOFF) is not down: calls to it
// wait, and its dependents go on.
#ifndef MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_H_
#define MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_H_

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "mainspring/control_loop.h"
#include "mainspring/lifecycle/v1/lifecycle.component.pb.h"
#include "server/observe/event_log.h"
#include "server/supervisor/component_table.h"
#include "server/supervisor/dependency_graph.h"
#include "server/supervisor/event_history.h"
#include "server/supervisor/operations.h"
#include "server/supervisor/restart_budget.h"
#include "server/supervisor/watchers.h"

namespace mainspring {

// At its stop timeout the control loop refuses the rest of its queue; only after this as well is a
// component's thread taken not to come back.
inline constexpr absl::Duration kStopGrace = absl::Milliseconds(200);

// A component whose thread did not come back in time.
struct HungComponent {
  std::string component;
  std::string method;  // what it is in: see ComponentView
  absl::Duration age;
};

struct StopReport {
  size_t refused_calls = 0;  // answered UNAVAILABLE because time was up
  std::vector<HungComponent> hung;
};

// What the supervisor asks of its host. Called on the supervisor's thread; must not block.
struct HostControl {
  // States have changed.
  std::function<void()> on_change = [] {};
  // An essential component has been given up on.
  std::function<void(const std::string& reason)> on_essential_failure = [](const std::string&) {};
  // Lifecycle.Drain and Lifecycle.ShutdownNow.
  std::function<void()> drain = [] {};
  std::function<void()> shut_down_now = [] {};
  // Phase, trigger, time in it, connections and calls in flight; the supervisor adds its part.
  std::function<lifecycle::v1::DrainProgress()> drain_progress = [] {
    return lifecycle::v1::DrainProgress();
  };
};

// What a supervisor is made of. All that it points to must outlive it.
struct SupervisorParts {
  ComponentTable& table;
  const DependencyGraph& graph;
  EventLog& log;
  HostControl control;
  // From [0, 1): the jitter of backoffs.
  std::function<double()> random;
  // Tells this host's sequence numbers from those of its next start.
  std::string incarnation;
  std::string version;
  absl::Time start_time;
  size_t event_history;
  size_t max_watchers;
};

class Supervisor final : public lifecycle::v1::LifecycleComponent {
 public:
  using StartCallback = absl::AnyInvocable<void(absl::Status)>;
  using StopCallback = absl::AnyInvocable<void(StopReport)>;

  Supervisor(Context& context, const SupervisorParts& parts);

  absl::Status Start() override;

  // Everything below: the supervisor's thread only.

  // Starts all that is configured to start with the host. Calls back with OK when each is RUNNING,
  // or is not essential and cannot be for now. Where an essential one does not start, what was
  // started is stopped again first.
  void StartAll(StartCallback callback);
  // Gives a StartAll that is not over, or has not begun, up; it calls back with OK.
  void AbandonStart();
  // Stops everything, for good. Calls back when all is down.
  void StopAll(StopCallback callback);
  // The host drains: what waits in paused components is served.
  void EndPauses();
  // The drain is over: ends the streams that report it.
  void EndDrainStreams();

  // What components report.
  void Started(size_t component, uint64_t generation, const absl::Status& status);
  void Stopped(size_t component, uint64_t generation, size_t refused);
  void Failed(size_t component, uint64_t generation, const Failure& failure);
  void Finished(size_t component, uint64_t generation);

  // Lifecycle.
  void ListComponents(lifecycle::v1::ListComponentsRequest request,
                      Reply<lifecycle::v1::ListComponentsResponse> reply) override;
  void GetComponent(lifecycle::v1::GetComponentRequest request,
                    Reply<lifecycle::v1::GetComponentResponse> reply) override;
  void StartComponent(lifecycle::v1::StartComponentRequest request,
                      Reply<lifecycle::v1::StartComponentResponse> reply) override;
  void StopComponent(lifecycle::v1::StopComponentRequest request,
                     Reply<lifecycle::v1::StopComponentResponse> reply) override;
  void RestartComponent(lifecycle::v1::RestartComponentRequest request,
                        Reply<lifecycle::v1::RestartComponentResponse> reply) override;
  void PauseComponent(lifecycle::v1::PauseComponentRequest request,
                      Reply<lifecycle::v1::PauseComponentResponse> reply) override;
  void ResumeComponent(lifecycle::v1::ResumeComponentRequest request,
                       Reply<lifecycle::v1::ResumeComponentResponse> reply) override;
  void DrainComponent(lifecycle::v1::DrainComponentRequest request,
                      Reply<lifecycle::v1::DrainComponentResponse> reply) override;
  void UndrainComponent(lifecycle::v1::UndrainComponentRequest request,
                        Reply<lifecycle::v1::UndrainComponentResponse> reply) override;
  void WatchComponents(lifecycle::v1::WatchComponentsRequest request,
                       ReplyStream<lifecycle::v1::WatchComponentsResponse> replies) override;
  void GetOperation(lifecycle::v1::GetOperationRequest request,
                    Reply<lifecycle::v1::GetOperationResponse> reply) override;
  void Drain(lifecycle::v1::DrainRequest request,
             ReplyStream<lifecycle::v1::DrainResponse> replies) override;
  void GetDrainStatus(lifecycle::v1::GetDrainStatusRequest request,
                      Reply<lifecycle::v1::GetDrainStatusResponse> reply) override;
  void ShutdownNow(lifecycle::v1::ShutdownNowRequest request,
                   Reply<lifecycle::v1::ShutdownNowResponse> reply) override;

 private:
  // When a component will be RUNNING, as things are.
  enum class Outlook { kNever, kLater, kSoon };

  struct Unit {
    explicit Unit(const RestartPolicy& policy) : budget(policy) {}

    RestartBudget budget;
    SteadyTime running_since;
    std::optional<TimerId> timer;  // of the state that it is in
    std::string why;               // the last command's reason
    bool goes_down = true;
    Outlook outlook = Outlook::kNever;
    bool restarting = false;  // is to go down once although it is wanted
    bool again = false;       // an operator wants it started although it failed
    bool hung = false;        // its thread has not reported what it was told to do
    bool stall_told = false;
    size_t refused = 0;  // at its last stop
    std::vector<Reply<lifecycle::v1::DrainComponentResponse>> drains;
  };

  // supervisor.cc: how states come about.
  LifecycleState state(size_t component) const { return parts_.table.status(component).state; }
  void Change(size_t component, LifecycleChange change, std::string reason);
  void EnterStarting(size_t component);
  void EnterRunning(size_t component);
  void EnterStopping(size_t component, const absl::Status& why);
  void EnterBackoff(size_t component);
  void LeaveRunning(size_t component);
  void StartTimedOut(size_t component);
  void StopTimedOut(size_t component);
  HungComponent WhereItHangs(size_t component) const;
  void FailedOnce(size_t component, const std::string& reason, const FailureRecord& record);
  void SetTimer(size_t component, absl::Duration delay, Callback callback);

  bool GoesDown(size_t component) const;
  Outlook OutlookOf(size_t component) const;
  bool MayStop(size_t component) const;
  bool MayStart(size_t component) const;
  std::string WhyDown(size_t component) const;
  void SetWanted(size_t component, bool wanted, const std::string& why);
  // Looks at it, and at what it touches, in the next Settle.
  void Touch(size_t component);
  // Does all that follows from what was touched.
  void Settle();
  void Look(size_t component);
  void Act(size_t component);

  void WantNothing(const std::string& why);
  void CheckStartup();
  void CheckDown();
  void CheckStalls();
  absl::Status NotStarted(size_t component) const;

  // commands.cc: what operators ask for.
  template <class Response>
  void Give(Command command, const auto& request, Reply<Response> reply);
  void Submit(Order order, OperationCallback callback);
  bool MustWait(const Order& order) const;
  // Whether it may be carried out now, and how.
  absl::StatusOr<std::vector<Step>> Plan(const Order& order) const;
  absl::Status PlanStart(const Order& order, std::vector<Step>& steps) const;
  absl::Status PlanStop(const Order& order, std::vector<Step>& steps) const;
  void Carry(const Order& order, const std::vector<Step>& steps);
  void TakeOver(const Order& order, const std::vector<Step>& steps);
  void Progress(size_t component, LifecycleChange change);
  void CheckOperations();
  void End(Operation& operation, absl::Status status);
  static absl::Status Ending();
  void ResumeWaiting();

  absl::StatusOr<size_t> Find(const std::string& name) const;
  // Its number, where it has the generation that was expected and is RUNNING.
  absl::StatusOr<size_t> FindRunning(const auto& request) const;
  lifecycle::v1::Component DescribeOne(size_t component) const;
  void Unpause(size_t component);
  // Whether it is too late for commands.
  bool drains() const;
  void AskWhetherDrained(size_t component);
  void FinishDrains(size_t component);
  lifecycle::v1::DrainProgress Progress() const;
  void ReportDrain();

  SupervisorParts parts_;
  std::deque<Unit> units_;  // stay where they are
  EventHistory history_;
  Watchers watchers_;
  Operations operations_;
  uint64_t last_request_ = 0;

  std::deque<size_t> looks_;
  std::deque<size_t> acts_;
  std::vector<char> to_look_;
  std::vector<char> to_act_;
  bool settling_ = false;

  StartCallback start_callback_;
  std::set<size_t> starting_up_;  // not yet seen to be RUNNING, or not going to be
  std::optional<absl::Status> start_error_;
  bool start_abandoned_ = false;
  StopCallback stop_callback_;
  bool ending_ = false;
  size_t up_ = 0;  // components that are not down

  std::vector<ReplyStream<lifecycle::v1::DrainResponse>> drain_streams_;
  std::optional<TimerId> drain_timer_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_H_
