// ExitGuard: ends the process when what it guards, a start or a drain, does not end. From its
// making on, a thread of its own waits for the hard deadline, or for the trigger's third pull; it
// needs nothing that can hang.
#ifndef MAINSPRING_SERVER_DRAIN_EXIT_GUARD_H_
#define MAINSPRING_SERVER_DRAIN_EXIT_GUARD_H_

#include <atomic>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "mainspring/server/drain/drain_trigger.h"
#include "mainspring/steady_time.h"
#include "mainspring/thread.h"

namespace mainspring {

class ExitGuard {
 public:
  // `act` runs once, on the guard's thread, at `deadline` or at the third pull, unless the guard
  // was destroyed before. The trigger must outlive the guard.
  // RESOURCE_EXHAUSTED: no more threads.
  static absl::StatusOr<std::unique_ptr<ExitGuard>> Start(DrainTrigger& trigger,
                                                          SteadyTime deadline,
                                                          std::function<void(const char* why)> act);
  // Calls the guard off. Blocks while it acts.
  ~ExitGuard();
  ExitGuard(const ExitGuard&) = delete;
  ExitGuard& operator=(const ExitGuard&) = delete;

 private:
  explicit ExitGuard(DrainTrigger& trigger) : trigger_(trigger) {}

  DrainTrigger& trigger_;
  std::atomic<bool> called_off_{false};
  std::unique_ptr<Thread> thread_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_DRAIN_EXIT_GUARD_H_
