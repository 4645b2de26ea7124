#include "tests/simulation/scheduler.h"

#include <algorithm>
#include <utility>

namespace mainspring::simulation {

class Scheduler::LoopRunner final : public Runner {
 public:
  LoopRunner(Scheduler& scheduler, std::unique_ptr<ControlLoop> loop)
      : scheduler_(scheduler), loop_(std::move(loop)) {
    scheduler_.runners_.push_back(this);
  }
  ~LoopRunner() override {
    std::erase(scheduler_.runners_, this);
    while (loop_->RunNext()) {
    }
  }

  int thread_id() const override { return 0; }
  absl::Duration cpu_time() const override { return absl::ZeroDuration(); }

  // False where there is nothing to do, or it is inside of something.
  bool RunNext() {
    if (std::exchange(busy_, true)) return false;
    const bool ran = loop_->RunNext();
    busy_ = false;
    return ran;
  }
  SteadyTime next_wake() const { return busy_ ? kNever : loop_->next_wake(); }
  bool busy() const { return busy_; }

 private:
  Scheduler& scheduler_;
  const std::unique_ptr<ControlLoop> loop_;
  bool busy_ = false;
};

Launch Scheduler::launch() {
  return [this](std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
                const Surroundings& surroundings,
                LifecycleObserver& observer) -> absl::StatusOr<std::unique_ptr<Runner>> {
    return std::make_unique<LoopRunner>(
        *this, std::make_unique<ControlLoop>(std::move(mailbox), std::move(factory), surroundings,
                                             observer));
  };
}

void Scheduler::Run(SteadyTime until) {
  Spin([&] { return time_.Now() >= until; });
}

void Scheduler::Block(absl::Duration duration) {
  const SteadyTime until = After(time_.Now(), duration);
  const auto entry = blocked_until_.insert(until);
  Spin([&] { return released_ || time_.Now() >= until; });
  blocked_until_.erase(entry);
}

void Scheduler::Spin(const std::function<bool()>& done) {
  while (!done()) {
    if (Step()) {
      // Whatever is done takes time, now and then a lot of it.
      time_.Advance(Chance(0.02) ? Within(absl::Milliseconds(20)) : Within(absl::Microseconds(20)));
      continue;
    }
    const SteadyTime next = NextTime();
    if (next == kNever) return;
    time_.AdvanceTo(next);
  }
}

bool Scheduler::Step() {
  if (!actions_.empty() && actions_.begin()->first <= time_.Now()) {
    const auto action = std::move(actions_.begin()->second);
    actions_.erase(actions_.begin());
    action();
    return true;
  }
  const size_t first = Pick(runners_.size());
  for (size_t i = 0; i < runners_.size(); ++i) {
    if (runners_[(first + i) % runners_.size()]->RunNext()) return true;
  }
  return false;
}

// When something happens that does not happen now.
SteadyTime Scheduler::NextTime() const {
  SteadyTime next = actions_.empty() ? kNever : actions_.begin()->first;
  for (const LoopRunner* runner : runners_) {
    // One that is late already waits for something else than time.
    if (runner->next_wake() > time_.Now()) next = std::min(next, runner->next_wake());
  }
  const auto unblocked = blocked_until_.upper_bound(time_.Now());
  return unblocked == blocked_until_.end() ? next : std::min(next, *unblocked);
}

}  // namespace mainspring::simulation
