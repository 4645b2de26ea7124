// SupervisorObserver: hears what a supervisor does, after it is in the component table.
#ifndef MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_OBSERVER_H_
#define MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_OBSERVER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "mainspring/server/supervisor/state.h"

namespace mainspring {

// Whether calls reach a component that is up, or, with kUnserve until kServe, had better not, as it
// says itself; and whether there is such a component at all, with kAdd until kRemove.
enum class TrafficChange { kPause, kResume, kDrain, kUndrain, kUnserve, kServe, kAdd, kRemove };

// Called on the supervisor's thread.
class SupervisorObserver {
 public:
  virtual ~SupervisorObserver() = default;
  virtual void OnStateChange(size_t component, LifecycleState from, LifecycleChange change) = 0;
  virtual void OnTrafficChange(size_t component, TrafficChange change, const std::string& why) = 0;
  // A component that drains takes no more calls from here on. Perhaps not for the first time.
  virtual void OnClosed(size_t component) = 0;
  // As Conductor's. What is wanted of the supervisor in here is done before its Settle returns.
  virtual void OnSettled(const std::vector<size_t>& moved) = 0;
  // The host stops, or its start has failed: from here on all is stopped, whoever wants it.
  virtual void OnEnding() = 0;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_OBSERVER_H_
