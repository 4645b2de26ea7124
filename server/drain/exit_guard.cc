#include "mainspring/server/drain/exit_guard.h"

#include <utility>

namespace mainspring {

absl::StatusOr<std::unique_ptr<ExitGuard>> ExitGuard::Start(
    DrainTrigger& trigger, SteadyTime deadline, std::function<void(const char* why)> act) {
  std::unique_ptr<ExitGuard> guard(new ExitGuard(trigger));
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start(
      "exit guard", [&trigger, deadline, act = std::move(act), off = &guard->called_off_] {
        const bool pulled = trigger.Await(DrainTrigger::kExitNow, deadline, off);
        if (off->load()) return;
        act(pulled ? "asked to exit at once" : "it did not end in time");
      });
  if (!thread.ok()) return thread.status();
  guard->thread_ = *std::move(thread);
  return guard;
}

ExitGuard::~ExitGuard() {
  called_off_.store(true);
  trigger_.LookAgain();
}

}  // namespace mainspring
