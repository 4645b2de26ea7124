// Scheduler: one thread that plays all threads of a host, on a clock of its own. What runs next is
// drawn from a seed, so that a run can be played again exactly.
#ifndef MAINSPRING_TESTS_SIMULATION_SCHEDULER_H_
#define MAINSPRING_TESTS_SIMULATION_SCHEDULER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "mainspring/runner.h"
#include "tests/components/mainspring/fakes.h"

namespace mainspring::simulation {

class Scheduler {
 public:
  explicit Scheduler(uint64_t seed) : random_(seed) {}

  testing::ManualTime& time() { return time_; }

  // From [0, 1).
  double Random() { return std::uniform_real_distribution<double>()(random_); }
  bool Chance(double probability) { return Random() < probability; }
  // From 0 to `count` - 1.
  size_t Pick(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }
  absl::Duration Within(absl::Duration longest) { return longest * Random(); }

  // Control loops that this turns, for Supervision.
  Launch launch();

  // Has `action` done so much later, by nobody in particular.
  void In(absl::Duration delay, std::function<void()> action) {
    actions_.emplace(After(time_.Now(), delay), std::move(action));
  }

  // Lets time pass until `until`, and everything happen that happens meanwhile.
  void Run(SteadyTime until);

  // Called by a component: its thread is taken up for so long, and the others go on. They go on
  // inside of this call, so of two components that block at once the later returns first.
  void Block(absl::Duration duration);
  // From here on nothing blocks, and what does returns.
  void Release() { released_ = true; }

 private:
  class LoopRunner;

  void Spin(const std::function<bool()>& done);
  bool Step();
  SteadyTime NextTime() const;

  std::mt19937_64 random_;
  testing::ManualTime time_;
  std::multimap<SteadyTime, std::function<void()>> actions_;
  std::vector<LoopRunner*> runners_;
  std::multiset<SteadyTime> blocked_until_;
  bool released_ = false;
};

}  // namespace mainspring::simulation

#endif  // MAINSPRING_TESTS_SIMULATION_SCHEDULER_H_
