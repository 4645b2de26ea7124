// LifecycleState, and the one table of how it changes.
#ifndef MAINSPRING_SERVER_SUPERVISOR_STATE_H_
#define MAINSPRING_SERVER_SUPERVISOR_STATE_H_

#include <optional>

namespace mainspring {

// Where a component is in its life.
enum class LifecycleState {
  kStopped,   // no instance, none wanted
  kStarting,  // constructed and started; calls wait
  kRunning,   // serves
  kStopping,  // answers what it has accepted, then stops
  kBackoff,   // failed; started again after a while; calls wait
  kFailed,    // given up on, until an operator starts it
};

// What happens to a component.
enum class LifecycleChange {
  kStart,     // the host or an operator starts it, or its backoff is over
  kStarted,   // Start() returned OK
  kFail,      // did not start, or threw; is started again later
  kGiveUp,    // did so once too often
  kStop,      // the host or an operator stops it, or a dependency goes
  kFinished,  // it ended itself
  kStopped,   // Stop() returned
  kStuck,     // its thread did not come back in time
};

// The state that `change` leads to; nothing where it is not allowed in `from`.
std::optional<LifecycleState> NextState(LifecycleState from, LifecycleChange change);

// "RUNNING" and so on.
const char* Name(LifecycleState state);
// "start" and so on.
const char* Name(LifecycleChange change);

// Whether there is an instance, or soon will be, that calls may wait for.
inline bool TakesCalls(LifecycleState state) {
  return state == LifecycleState::kStarting || state == LifecycleState::kRunning ||
         state == LifecycleState::kBackoff;
}
// Whether there is an instance, that a restart would stop.
inline bool HasInstance(LifecycleState state) {
  return state == LifecycleState::kStarting || state == LifecycleState::kRunning ||
         state == LifecycleState::kStopping;
}
// Whether nothing will happen to the component unless somebody asks.
inline bool IsDown(LifecycleState state) {
  return state == LifecycleState::kStopped || state == LifecycleState::kFailed;
}

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_STATE_H_
