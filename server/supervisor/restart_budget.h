// RestartBudget: what is left of a restart policy after the failures that there were.
#ifndef MAINSPRING_SERVER_SUPERVISOR_RESTART_BUDGET_H_
#define MAINSPRING_SERVER_SUPERVISOR_RESTART_BUDGET_H_

#include <deque>
#include <optional>

#include "absl/time/time.h"
#include "mainspring/server/config/restart_policy.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// One thread only.
class RestartBudget {
 public:
  explicit RestartBudget(const RestartPolicy& policy) : policy_(policy) {}

  // A failure at `now`, after having been RUNNING for `ran`: how long to wait before the restart,
  // or nothing where there is none. `random` is from [0, 1).
  std::optional<absl::Duration> OnFailure(SteadyTime now, absl::Duration ran, double random);

  // How many failures more there may be at `now` with a restart after each.
  int restarts_left(SteadyTime now) const;

  // From here on; what failed before counts still, as far as it remembers.
  void SetPolicy(const RestartPolicy& policy);

  // An operator vouches for it.
  void Reset();

 private:
  int FailuresWithinPeriod(SteadyTime now) const;

  RestartPolicy policy_;
  std::deque<SteadyTime> failures_;  // the last max_failures at most
  absl::Duration next_ = policy_.least_backoff;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_RESTART_BUDGET_H_
