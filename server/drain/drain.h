// Drain: the one way in which a host ends. README.md of server/ tells why in this order.
#ifndef MAINSPRING_SERVER_DRAIN_DRAIN_H_
#define MAINSPRING_SERVER_DRAIN_DRAIN_H_

#include <functional>
#include <string>
#include <vector>

#include "mainspring/server/config/host_config.h"
#include "mainspring/server/drain/drain_report.h"
#include "mainspring/server/drain/drain_trigger.h"
#include "mainspring/server/lifecycle/supervision.h"
#include "mainspring/server/rpc/acceptor.h"
#include "mainspring/server/rpc/plane.h"
#include "mainspring/server/world/world.h"

namespace mainspring {

// What is drained. All must outlive the drain.
struct Drained {
  rpc::Plane& data;
  rpc::Plane& admin;
  // Null: none.
  rpc::Plane* probe;
  rpc::Acceptor& acceptor;
  Supervision& supervision;
  // Is filled in, for whoever reports the drain meanwhile.
  DrainReport& report;
  // Makes health say so.
  std::function<void()> begin;
  // Whether it came to this because an essential component was given up on.
  std::function<bool()> component_failed;
};

// How long a drain may take at the most, as the host is configured: past it, the exit guard ends
// the process. Its dependencies must be right.
absl::Duration LongestDrain(const HostConfig& config);

// Goes through the phases and returns the exit code; blocks. Where a component's thread does not
// come back, or the trigger is pulled a third time, the process ends in here, by
// world.terminate. In a test whose terminate returns, so does this, with kExitForced.
int RunDrain(const HostConfig& config, const World& world, DrainTrigger& trigger, Drained drained);

// The components whose threads are in something, with what and for how long; the supervisor where
// it has been for a second.
std::vector<StuckComponent> Busy(const Supervision& supervision, SteadyTime now);

// Ends the process by world.terminate, with kExitForced, and says why before, in the log and in the
// exit line, as far as that can be said within two seconds. `who_is_stuck` is asked where the
// report does not know yet. Any thread.
void EndByForce(const World& world, DrainReport& report, const std::string& trigger,
                const char* why, const std::function<std::vector<StuckComponent>()>& who_is_stuck);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_DRAIN_DRAIN_H_
