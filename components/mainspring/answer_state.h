// AnswerState: how far a call is that is answered once: whether it is over, and who waits for it.
#ifndef MAINSPRING_ANSWER_STATE_H_
#define MAINSPRING_ANSWER_STATE_H_

#include <atomic>

#include "mainspring/steady_time.h"

namespace mainspring {

// One thread asks, by AddCallback or Await, and any finishes it: the first one that does.
class AnswerState {
 public:
  // How it ends. Expired: its time was up, and what is answered afterwards goes nowhere.
  enum class End { kExpired, kAnswered };
  // Who was there to be told.
  enum class Waiter { kNone, kCallback, kOver };

  // Ends it, and wakes the plain thread that waits; kOver where it had ended before.
  Waiter Finish(End how) {
    const Phase to = how == End::kExpired ? Phase::kExpired : Phase::kAnswered;
    Phase before = Phase::kPending;
    while (!phase_.compare_exchange_weak(before, to, std::memory_order_acq_rel)) {
      if (IsOver(before)) return Waiter::kOver;
    }
    if (before == Phase::kAwaited) WakeThread();
    return before == Phase::kCallback ? Waiter::kCallback : Waiter::kNone;
  }

  // A callback waits from now on; false where it is over.
  bool AddCallback() {
    Phase expected = Phase::kPending;
    return phase_.compare_exchange_strong(expected, Phase::kCallback, std::memory_order_acq_rel);
  }

  // Blocks until it is over; false where it is not by `deadline`.
  bool Await(SteadyTime deadline);

  // Once it is, it stays so, and is over as it was.
  bool over() const { return IsOver(phase_.load(std::memory_order_acquire)); }
  bool expired() const { return phase_.load(std::memory_order_acquire) == Phase::kExpired; }

 private:
  enum class Phase { kPending, kAwaited, kCallback, kExpired, kAnswered };
  static bool IsOver(Phase phase) { return phase >= Phase::kExpired; }

  void WakeThread();

  std::atomic<Phase> phase_{Phase::kPending};
};

}  // namespace mainspring

#endif  // MAINSPRING_ANSWER_STATE_H_
