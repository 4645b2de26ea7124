// Membership: who a host's components are, changed while it runs: step by step, each awaited. For
// coroutines of the component that answers Config.
#ifndef MAINSPRING_SERVER_RECONFIGURE_MEMBERSHIP_H_
#define MAINSPRING_SERVER_RECONFIGURE_MEMBERSHIP_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/context.h"
#include "mainspring/coroutine.h"
#include "mainspring/reply.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/supervisor/component_table.h"

namespace mainspring {

class Supervision;

// One thread only: the component's.
class Membership {
 public:
  // What it has done by a supervision: see there.
  struct Control {
    std::function<void(const std::vector<ComponentConfig>& wanted, Reply<Nothing> reply)> adopt;
    std::function<void(size_t component, Reply<Nothing> reply)> forget;
    std::function<void(size_t component)> end_thread;
    // Answers once the supervisor has heard all that it was told before.
    std::function<void(Reply<Nothing> reply)> pass;
  };
  // It must outlive it.
  static Control ControlOf(Supervision& supervision);

  // All must outlive it.
  Membership(Context& context, const ComponentTable& table, Control control,
             std::function<bool()> draining);

  // From here on these are there. Answers when those that are not have stopped and gone; those that
  // join are about to start. UNAVAILABLE: the host drains; RESOURCE_EXHAUSTED: no more threads;
  // FAILED_PRECONDITION: a thread of the same name does not come back.
  Task<absl::Status> Adopt(std::vector<ComponentConfig> wanted);
  // Until they run, or will not for now. ABORTED: essential ones do not; the text says which, and
  // why.
  Task<absl::Status> AwaitStarted(std::vector<std::string> names);
  // What components have said of themselves is in the table from here on.
  Task<absl::Status> Pass();

 private:
  Task<absl::Status> SeeOff(size_t component);
  // The supervisor; its answer.
  static Task<absl::Status> Ask(std::function<void(Reply<Nothing> reply)> question);

  Context& context_;
  const ComponentTable& table_;
  const Control control_;
  const std::function<bool()> draining_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RECONFIGURE_MEMBERSHIP_H_
