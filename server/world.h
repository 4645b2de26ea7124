// World: what a host takes from outside itself, so that tests can put something else in its place.
#ifndef MAINSPRING_SERVER_WORLD_H_
#define MAINSPRING_SERVER_WORLD_H_

#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

#include "mainspring/steady_time.h"
#include "server/observe/event_log.h"

namespace mainspring {

// All that it points to must outlive the host.
struct World {
  const TimeSource* time = &TimeSource::Real();
  EventLog* log;
  // Ends the process at once, with this exit code: when all else hangs.
  std::function<void(int code)> terminate = [](int code) { _exit(code); };
  // Gets the one line that tells how the host ended.
  std::function<void(const std::string& line)> print_exit_line = [](const std::string& line) {
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
  };
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_WORLD_H_
