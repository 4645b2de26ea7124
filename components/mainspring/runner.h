// Runner: whatever turns a component's control loop. In a host it is a thread of the component's
// own; a simulation turns all loops itself, one step at a time.
#ifndef MAINSPRING_RUNNER_H_
#define MAINSPRING_RUNNER_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "mainspring/control_loop.h"

namespace mainspring {

// Destroyed, it ends the loop, and with it an instance that was not stopped; it may have to wait
// for the method that the component is in. Any thread.
class Runner {
 public:
  virtual ~Runner() = default;
  // The thread's number, as the kernel has it; 0 where there is none.
  virtual int thread_id() const = 0;
  // The processor time that it has taken.
  virtual absl::Duration cpu_time() const = 0;
};

// Starts a runner for one component. All that it is given outlives the runner.
using Launch = std::function<absl::StatusOr<std::unique_ptr<Runner>>(
    std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
    const Surroundings& surroundings, LifecycleObserver& observer)>;

}  // namespace mainspring

#endif  // MAINSPRING_RUNNER_H_
