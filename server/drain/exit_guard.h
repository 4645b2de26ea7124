// ExitGuard: ends the process when a drain does not. From its making on, a thread of its own waits
// for the hard deadline, or for the trigger's third pull; it needs nothing that can hang.
#ifndef MAINSPRING_SERVER_DRAIN_EXIT_GUARD_H_
#define MAINSPRING_SERVER_DRAIN_EXIT_GUARD_H_

#include <functional>
#include <memory>

#include "mainspring/steady_time.h"
#include "mainspring/thread.h"
#include "server/drain/drain_trigger.h"

namespace mainspring {

class ExitGuard {
 public:
  // `act` runs once, on the guard's thread, at `deadline` or at the third pull, unless the guard
  // was destroyed before. Where the system gives no more threads it runs at once: a drain that
  // nobody guards may never end.
  ExitGuard(DrainTrigger& trigger, SteadyTime deadline, std::function<void(const char* why)> act);
  // Calls the guard off. Blocks while it acts.
  ~ExitGuard();
  ExitGuard(const ExitGuard&) = delete;
  ExitGuard& operator=(const ExitGuard&) = delete;

 private:
  DrainTrigger& trigger_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_DRAIN_EXIT_GUARD_H_
