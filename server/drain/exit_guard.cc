#include "server/drain/exit_guard.h"

#include <utility>

namespace mainspring {

ExitGuard::ExitGuard(DrainTrigger& trigger, SteadyTime deadline,
                     std::function<void(const char* why)> act)
    : trigger_(trigger) {
  absl::StatusOr<std::unique_ptr<Thread>> thread =
      Thread::Start("exit guard", [&trigger, deadline, act] {
        const bool pulled = trigger.Await(DrainTrigger::kExitNow, deadline);
        if (pulled) return act("asked to exit at once");
        if (!trigger.released()) act("the drain did not end in time");
      });
  if (thread.ok()) {
    thread_ = *std::move(thread);
  } else {
    act("no thread for the exit guard");
  }
}

ExitGuard::~ExitGuard() { trigger_.Release(); }

}  // namespace mainspring
