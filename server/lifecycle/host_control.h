// HostControl: what the component that answers Lifecycle asks of its host.
#ifndef MAINSPRING_SERVER_LIFECYCLE_HOST_CONTROL_H_
#define MAINSPRING_SERVER_LIFECYCLE_HOST_CONTROL_H_

#include <functional>

#include "mainspring/lifecycle/v1/lifecycle.pb.h"

namespace mainspring {

// Called on the supervisor's thread; must not block.
struct HostControl {
  // Lifecycle.Drain and Lifecycle.ShutdownNow.
  std::function<void()> drain = [] {};
  std::function<void()> shut_down_now = [] {};
  // Whether a drain has begun.
  std::function<bool()> draining = [] { return false; };
  // Phase, trigger, time in it, connections and calls in flight; Lifecycle adds queues and
  // components that are up.
  std::function<lifecycle::v1::DrainProgress()> drain_progress = [] {
    return lifecycle::v1::DrainProgress();
  };
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_HOST_CONTROL_H_
