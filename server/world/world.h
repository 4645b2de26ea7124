// World: what a host takes from outside itself, so that tests can put something else in its place.
#ifndef MAINSPRING_SERVER_WORLD_WORLD_H_
#define MAINSPRING_SERVER_WORLD_WORLD_H_

#include <unistd.h>

#include <functional>
#include <random>
#include <string>

#include "mainspring/component_thread.h"
#include "mainspring/runner.h"
#include "mainspring/server/observe/event_log.h"
#include "mainspring/server/observe/output.h"
#include "mainspring/server/world/last_exit.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// All that it points to must outlive the host.
struct World {
  const TimeSource* time = &TimeSource::Real();
  EventLog* log = &EventLog::Silent();
  // Makes what turns components' control loops.
  Launch launch = ComponentThread::Start;
  // From [0, 1); any thread. Nothing secret depends on it.
  std::function<double()> random = [] {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>()(generator);
  };
  // Ends the process at once, with this exit code: when all else hangs.
  std::function<void(int code)> terminate = [](int code) { _exit(code); };
  // Has the same happen after `delay`, unless it is asked again before: see ArmLastExit.
  std::function<void(absl::Duration delay, int code)> terminate_later = ArmLastExit;
  // Hears that the drain begins, and must not wait for it.
  std::function<void()> on_drain = [] {};
  // Gets the one line that tells how the host ended. Must not block for long.
  std::function<void(const std::string& line)> print_exit_line = [](const std::string& line) {
    Output(STDOUT_FILENO)
        .Write(line + "\n", std::chrono::steady_clock::now() + std::chrono::milliseconds(500));
  };
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_WORLD_WORLD_H_
