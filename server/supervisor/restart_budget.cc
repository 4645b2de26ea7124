#include "mainspring/server/supervisor/restart_budget.h"

#include <algorithm>

namespace mainspring {

std::optional<absl::Duration> RestartBudget::OnFailure(SteadyTime now, absl::Duration ran,
                                                       double random) {
  if (policy_.kind == RestartKind::kTemporary) return std::nullopt;
  if (ran >= policy_.reset_after) next_ = policy_.least_backoff;
  failures_.push_back(now);
  if (FailuresWithinPeriod(now) >= policy_.max_failures) return std::nullopt;
  while (failures_.size() > static_cast<size_t>(policy_.max_failures)) failures_.pop_front();
  const absl::Duration backoff = next_;
  next_ = std::min(next_ * 2, policy_.most_backoff);
  return backoff * (1 + policy_.jitter * (2 * random - 1));
}

int RestartBudget::restarts_left(SteadyTime now) const {
  if (policy_.kind == RestartKind::kTemporary) return 0;
  return std::max(0, policy_.max_failures - 1 - FailuresWithinPeriod(now));
}

void RestartBudget::SetPolicy(const RestartPolicy& policy) {
  policy_ = policy;
  next_ = std::clamp(next_, policy_.least_backoff, policy_.most_backoff);
}

void RestartBudget::Reset() {
  failures_.clear();
  next_ = policy_.least_backoff;
}

int RestartBudget::FailuresWithinPeriod(SteadyTime now) const {
  return static_cast<int>(std::count_if(failures_.begin(), failures_.end(), [&](SteadyTime each) {
    return Between(each, now) <= policy_.period;
  }));
}

}  // namespace mainspring
