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
#include "server/supervisor/host_control.h"
#include "server/supervisor/operations.h"
#include "server/supervisor/restart_budget.h"
#include "server/supervisor/standings.h"
#include "server/supervisor/watchers.h"

namespace mainspring {

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
  struct Unit {
    explicit Unit(const RestartPolicy& policy) : budget(policy) {}

    RestartBudget budget;
    SteadyTime running_since;
    std::optional<TimerId> timer;  // of the state that it is in
    std::string why;               // the last command's reason
    bool hung = false;             // its thread has not reported what it was told to do
    bool stall_told = false;
    bool past_limit = false;
    bool starting_up = false;  // not yet seen to be RUNNING, or not going to be
    bool moved = false;        // its state or its standing has changed since the last check
    bool undrain = false;      // once it is down
    size_t leaving = 0;        // operations that are about to stop it
    // Until then its clients are given the time to leave.
    SteadyTime lame_duck_until = SteadyTime::min();
    size_t refused = 0;  // at its last stop
    std::vector<Reply<lifecycle::v1::DrainComponentResponse>> drains;
    uint64_t asking = 0;  // who asks for them whether it is drained; zero: nobody
  };

  // supervisor.cc: how states come about.
  LifecycleState state(size_t component) const { return standings_.state(component); }
  Wish& wish(size_t component) { return standings_.wish(component); }
  void Change(size_t component, LifecycleChange change, std::string reason);
  // Something that is no change of its state. Whether anybody who follows its health was told.
  bool Happened(size_t component, EventKind kind, const std::string& why);
  // What callers of a component get that is not there for them.
  absl::Status Unavailable(size_t component) const;
  void EnterStarting(size_t component);
  void EnterRunning(size_t component);
  void EnterStopping(size_t component, const absl::Status& why);
  void EnterBackoff(size_t component);
  void LeaveRunning(size_t component, LifecycleState to);
  void StartTimedOut(size_t component);
  void StopTimedOut(size_t component);
  HungComponent WhereItHangs(size_t component) const;
  void FailedOnce(size_t component, const std::string& reason, const FailureRecord& record);
  void SetTimer(size_t component, absl::Duration delay, Callback callback);

  std::string WhyDown(size_t component) const;
  void SetWanted(size_t component, bool wanted, const std::string& why);
  // Looks at it, and at what it touches, in the next Settle.
  void Touch(size_t component);
  // Does all that follows from what was touched.
  void Settle();
  void Look(size_t component);
  void Act(size_t component);
  // What waits for it looks at it in the next Settle.
  void Moved(size_t component);

  void WantNothing(const std::string& why);
  void CheckDown();
  void CheckStalls();

  // startup.cc: the host's own start.
  void ForgetStartup();
  void CheckStartup();
  absl::Status NotStarted(size_t component) const;

  // commands.cc: what operators have started and stopped.
  template <class Response>
  void Give(Command command, const auto& request, Reply<Response> reply);
  void Submit(Order order, uint64_t caller, OperationCallback callback);
  // The caller has gone.
  void Leave(uint64_t caller);
  // All components that have to do with it.
  std::vector<size_t> TouchedBy(const Order& order) const;
  // Whether it may be carried out now, and how.
  absl::StatusOr<std::vector<Step>> Plan(const Order& order) const;
  absl::Status PlanStart(const Order& order, std::vector<Step>& steps) const;
  absl::Status PlanStop(const Order& order, std::vector<Step>& steps) const;
  // At once, or when the clients of what it stops have had the time to leave.
  void CarryAfter(SteadyTime lame_duck, Operation& operation);
  void Carry(Operation& operation);
  void TakeOver(const Operation& stop);
  void Progress(size_t component, LifecycleChange change);
  // Ends those that wait for what will not come, or has not gone.
  void CheckOperations();
  void CheckOperation(Operation& operation, size_t component);
  void End(Operation& operation, absl::Status status);
  void ResumeWaiting();
  // Whether it is too late for commands.
  bool drains() const;
  static absl::Status Ending();
  void LogOutcome(const char* command, const std::string& component, const std::string& request_id,
                  const absl::Status& status);

  // traffic.cc: which calls reach a component that is up.
  // Its number, where it has the generation that was expected and is RUNNING.
  absl::StatusOr<size_t> FindRunning(const char* command, const auto& request);
  absl::Status TakesTraffic(size_t component, const auto& request) const;
  template <class Response>
  void Obey(const char* command, size_t component, Reply<Response>& reply);
  void Unpause(size_t component, const std::string& why);
  void Undrain(size_t component, const std::string& why);
  // As was asked for, once it is no longer up.
  void EndDrainOfDown(size_t component);
  void OpenOrClose(size_t component);
  // What the operation stops is not healthy from here on; until when its clients have time.
  SteadyTime BeginLameDuck(Operation& operation);
  void EndLameDuck(uint64_t operation);
  // The operation is done with the component.
  void EndLeaving(Operation& operation, size_t component);
  void CloseDrained(size_t component);
  // Again and again, for as long as it is `asking` who does so and somebody waits.
  void AskWhetherDrained(size_t component, uint64_t asking);
  void AbortDrains(size_t component, const char* why);

  // inquiries.cc: what there is.
  absl::StatusOr<size_t> Find(const std::string& name) const;
  lifecycle::v1::Component DescribeOne(size_t component) const;
  // Without its recent failures.
  lifecycle::v1::Component Summarize(size_t component) const;
  lifecycle::v1::DrainProgress Progress() const;
  void ReportDrain();

  SupervisorParts parts_;
  std::deque<Unit> units_;  // stay where they are
  Standings standings_;
  EventHistory history_;
  Watchers watchers_;
  Operations operations_;
  uint64_t last_request_ = 0;
  uint64_t last_caller_ = 0;
  uint64_t last_asking_ = 0;

  std::deque<size_t> looks_;
  std::deque<size_t> acts_;
  std::vector<char> to_look_;
  std::vector<char> to_act_;
  std::vector<size_t> moved_;
  bool settling_ = false;

  StartCallback start_callback_;
  size_t starting_up_ = 0;             // so many are
  std::vector<size_t> startup_moved_;  // of those, what has moved
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
