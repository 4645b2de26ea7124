// Loops: the control loops of a supervision, which a test turns, on a clock of its own, with no
// thread.
#ifndef MAINSPRING_TESTS_SERVER_LIFECYCLE_LOOPS_H_
#define MAINSPRING_TESTS_SERVER_LIFECYCLE_LOOPS_H_

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "mainspring/control_loop.h"
#include "mainspring/runner.h"
#include "tests/components/mainspring/fakes.h"

namespace mainspring::testing {

// The control loops of a supervision, turned in turns.
class Loops {
 public:
  explicit Loops(ManualTime& time) : time_(time) {}

  // What takes the place of ComponentThread::Start.
  mainspring::Launch launch() {
    return [this](std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
                  const Surroundings& surroundings,
                  LifecycleObserver& observer) -> absl::StatusOr<std::unique_ptr<Runner>> {
      const std::string name = mailbox->component();
      if (no_threads_left_for_ == name) return absl::ResourceExhaustedError("no more threads");
      loops_[name] = {std::make_unique<ControlLoop>(std::move(mailbox), std::move(factory),
                                                    surroundings, observer)};
      return std::make_unique<OneLoop>(*this, name);
    };
  }

  // Does all that can be done without time passing. From within a component's hook, all but what
  // that component would do: its thread is in the hook.
  void Settle() {
    for (bool ran = true; ran;) {
      ran = false;
      for (auto& [name, turned] : loops_) {
        if (turned.busy || held_.count(name) != 0) continue;
        // Without time passing.
        if (++turns_ > kMostTurns) throw std::logic_error("the components go round in circles");
        turned.busy = true;
        const bool had_something = turned.loop->RunNext();
        turned.busy = false;
        if (!had_something) continue;
        ran = true;
        ++work_;
      }
    }
  }

  // Time passes; what is due meanwhile is done when it is due.
  void Advance(absl::Duration duration) {
    const SteadyTime end = After(time_.Now(), duration);
    Settle();
    while (true) {
      const SteadyTime next = NextWake();
      if (next > end) break;
      if (next > time_.Now()) PassUntil(next);
      Settle();
    }
    // A hook may have let more time pass.
    if (end > time_.Now()) PassUntil(end);
    Settle();
  }

  // Its thread does nothing until it is let go.
  void Hold(const std::string& component) { held_.insert(component); }
  void LetGo(const std::string& component) {
    held_.erase(component);
    Settle();
  }
  void RunOutOfThreadsAt(const std::string& component) { no_threads_left_for_ = component; }
  size_t size() const { return loops_.size(); }
  // How much the loops have had to do so far: calls, timers, callbacks.
  int work() const { return work_; }

 private:
  static constexpr int kMostTurns = 100'000;

  struct Turned {
    std::unique_ptr<ControlLoop> loop;
    bool busy = false;
  };

  struct OneLoop final : Runner {
    OneLoop(Loops& loops, std::string name) : loops(loops), name(std::move(name)) {}
    ~OneLoop() override { loops.loops_.erase(name); }
    int thread_id() const override { return 4711; }
    absl::Duration cpu_time() const override { return absl::Seconds(3); }
    Loops& loops;
    const std::string name;
  };

  void PassUntil(SteadyTime time) {
    time_.AdvanceTo(time);
    turns_ = 0;
  }

  SteadyTime NextWake() const {
    SteadyTime next = kNever;
    for (const auto& [name, turned] : loops_) {
      if (turned.busy || held_.count(name) != 0) continue;
      next = std::min(next, turned.loop->next_wake());
    }
    return next;
  }

  ManualTime& time_;
  std::map<std::string, Turned> loops_;
  std::set<std::string> held_;
  std::string no_threads_left_for_;
  int turns_ = 0;
  int work_ = 0;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_LIFECYCLE_LOOPS_H_
