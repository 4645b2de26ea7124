// StallWatch: notices whose thread has been in one thing for too long, and whose no longer is. What
// is too long is in the configuration; what a thread is in, ThreadStatus tells.
#ifndef MAINSPRING_SERVER_SUPERVISOR_STALL_WATCH_H_
#define MAINSPRING_SERVER_SUPERVISOR_STALL_WATCH_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "mainspring/server/observe/event_log.h"
#include "mainspring/server/supervisor/component_table.h"

namespace mainspring {

// One thread only.
class StallWatch {
 public:
  // `on_stall`: see HealthHooks. The table and the log must outlive it.
  StallWatch(const ComponentTable& table, EventLog& log,
             std::function<void(size_t component, bool past_limit)> on_stall);

  // How often to look, as components are configured now: several times within the shortest of all
  // warnings and limits.
  absl::Duration interval() const;
  // Looks at all: logs whose stall has begun or is over, and calls `on_stall` for who passes its
  // limit or no longer does.
  void Look();

 private:
  struct Told {
    bool stalled = false;
    bool past_limit = false;
  };

  void LookAt(size_t component);

  const ComponentTable& table_;
  EventLog& log_;
  const std::function<void(size_t component, bool past_limit)> on_stall_;
  std::vector<Told> told_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_STALL_WATCH_H_
