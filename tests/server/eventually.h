// Eventually: waits for what nobody tells us of.
#ifndef MAINSPRING_TESTS_SERVER_EVENTUALLY_H_
#define MAINSPRING_TESTS_SERVER_EVENTUALLY_H_

#include "absl/time/time.h"
#include "mainspring/mutex.h"
#include "mainspring/steady_time.h"

namespace mainspring::testing {

// Longer than anything takes that works.
inline constexpr absl::Duration kPatience = absl::Seconds(30);

inline SteadyTime Soon(absl::Duration limit = kPatience) {
  return After(std::chrono::steady_clock::now(), limit);
}

// Asks `predicate` again and again, until it holds: true; or `limit` has passed: false.
template <class Predicate>
[[nodiscard]] bool Eventually(Predicate predicate, absl::Duration limit = kPatience) {
  Mutex mutex;
  CondVar never;
  const SteadyTime deadline = Soon(limit);
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    MutexLock lock(mutex);
    never.WaitUntil(mutex, Soon(absl::Milliseconds(1)));
  }
  return true;
}

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_EVENTUALLY_H_
