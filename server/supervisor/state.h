// LifecycleState: where a component is in its life.
#ifndef MAINSPRING_SERVER_SUPERVISOR_STATE_H_
#define MAINSPRING_SERVER_SUPERVISOR_STATE_H_

namespace mainspring {

enum class LifecycleState { kStopped, kStarting, kRunning, kStopping, kFailed };

// "RUNNING" and so on.
inline const char* Name(LifecycleState state) {
  switch (state) {
    case LifecycleState::kStopped:
      return "STOPPED";
    case LifecycleState::kStarting:
      return "STARTING";
    case LifecycleState::kRunning:
      return "RUNNING";
    case LifecycleState::kStopping:
      return "STOPPING";
    case LifecycleState::kFailed:
      return "FAILED";
  }
  return "UNKNOWN";
}

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_STATE_H_
