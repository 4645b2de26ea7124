// Commands: carries out commands to start, stop and restart. Each becomes an operation, which tells
// a supervisor what is wanted and follows what comes of it.
#ifndef MAINSPRING_SERVER_LIFECYCLE_COMMANDS_H_
#define MAINSPRING_SERVER_LIFECYCLE_COMMANDS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/context.h"
#include "mainspring/server/lifecycle/command_log.h"
#include "mainspring/server/lifecycle/operations.h"
#include "mainspring/server/supervisor/supervisor.h"

namespace mainspring {

// The supervisor's thread only.
class Commands {
 public:
  // `incarnation`: see SupervisionOptions. `draining`: see HostControl. The context and the
  // supervisor must outlive it.
  Commands(Context& context, Supervisor& supervisor, CommandLog log, std::string incarnation,
           std::function<bool()> draining);

  // Calls back once, when the operation is over; one that is refused, or is a dry run, at once.
  // `caller`: from NewCaller, for Leave.
  // The operation's status, where it is refused: ALREADY_EXISTS: the request id is that of another
  // command. UNAVAILABLE: the host drains. RESOURCE_EXHAUSTED: too many. ABORTED: the generation is
  // not the one that was expected. And what Plan says. Of one that was begun: UNAVAILABLE: a
  // component failed, or cannot start. DEADLINE_EXCEEDED: it is stuck. ABORTED: a later stop took
  // its place. CANCELLED: all callers left before it began.
  void Submit(Order order, uint64_t caller, OperationCallback callback);
  uint64_t NewCaller() { return ++last_caller_; }
  // The caller has gone. What has begun goes on without it.
  void Leave(uint64_t caller);

  // OK, or UNAVAILABLE where the host drains, so that nobody is obeyed any more.
  absl::Status CheckObeys() const;
  // OK, or ABORTED where the component is not of the generation that a request expects.
  absl::Status CheckGeneration(size_t component, uint64_t expected) const;

  // Null: none is known by that request id.
  const Operation* Find(const std::string& request_id) const {
    return operations_.Find(request_id);
  }

  // See SupervisorObserver.
  void OnStateChange(size_t component, LifecycleChange change);
  void OnSettled(const std::vector<size_t>& moved);
  void OnEnding();

 private:
  const Engine& engine() const { return supervisor_.engine(); }

  // The operation that has the order's request id, which is its own.
  void Repeat(const Operation& known, const Order& order, uint64_t caller,
              OperationCallback callback);
  // All components that have to do with it.
  std::vector<size_t> TouchedBy(const Order& order) const;
  // Puts the order behind what is in its way, or to an equal one that waits there. False: nothing
  // is.
  bool Waits(const Order& order);
  absl::StatusOr<std::vector<Step>> PlanNow(const Order& order) const;
  // Makes what it stops lame ducks: not healthy from here on. Until when their clients have time.
  SteadyTime BeginLameDuck(Operation& operation);
  void EndLameDuck(uint64_t number);
  // The operation is done with the component.
  void EndLeaving(Operation& operation, size_t component);
  // At once, or when the clients of what it stops have had the time to leave.
  void CarryAfter(SteadyTime lame_duck, Operation& operation);
  void Carry(Operation& operation);
  void CarryStart(const Operation& operation);
  // Ends those under way that would start what it stops.
  void TakeOver(const Operation& stop);
  void CheckOperation(Operation& operation, size_t component);
  void End(Operation& operation, absl::Status status);
  void ResumeWaiting();

  Context& context_;
  Supervisor& supervisor_;
  const CommandLog log_;
  const std::string incarnation_;
  const std::function<bool()> draining_;
  Operations operations_;
  std::vector<size_t> carried_;  // components of what has begun since the last OnSettled
  bool ending_ = false;
  uint64_t last_request_ = 0;
  uint64_t last_caller_ = 0;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_COMMANDS_H_
