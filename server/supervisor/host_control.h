// HostControl: what the supervisor and its host want of each other.
#ifndef MAINSPRING_SERVER_SUPERVISOR_HOST_CONTROL_H_
#define MAINSPRING_SERVER_SUPERVISOR_HOST_CONTROL_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "mainspring/lifecycle/v1/lifecycle.pb.h"

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
  // The state of a component has changed, or whether it takes calls. Whether anybody follows its
  // health and was told.
  std::function<bool(size_t component)> on_change = [](size_t) { return false; };
  // It is past its stall limit, or no longer.
  std::function<void(size_t component, bool past_limit)> on_stall = [](size_t, bool) {};
  // An essential component has been given up on.
  std::function<void(const std::string& reason)> on_essential_failure = [](const std::string&) {};
  // Lifecycle.Drain and Lifecycle.ShutdownNow.
  std::function<void()> drain = [] {};
  std::function<void()> shut_down_now = [] {};
  // Whether a drain has begun.
  std::function<bool()> draining = [] { return false; };
  // Phase, trigger, time in it, connections and calls in flight; the supervisor adds its part.
  std::function<lifecycle::v1::DrainProgress()> drain_progress = [] {
    return lifecycle::v1::DrainProgress();
  };
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_HOST_CONTROL_H_
