// RestartPolicy: whether and when a component that failed is started again.
//
// After Erlang/OTP's restart types and intensity, and systemd's start limit, with what neither has:
// a backoff that grows, is jittered, and forgets.
#ifndef MAINSPRING_SERVER_CONFIG_RESTART_POLICY_H_
#define MAINSPRING_SERVER_CONFIG_RESTART_POLICY_H_

#include "absl/time/time.h"

namespace mainspring {

enum class RestartKind {
  kPermanent,  // always, even where it ended itself
  kTransient,  // where it failed
  kTemporary,  // never
};

struct RestartPolicy {
  RestartKind kind = RestartKind::kPermanent;
  // The failure that makes it so many within the period is the last: the component is FAILED.
  int max_failures = 5;
  absl::Duration period = absl::Seconds(60);
  // Before the first restart; then twice as long each time.
  absl::Duration least_backoff = absl::Milliseconds(200);
  absl::Duration most_backoff = absl::Seconds(30);
  // Of the backoff, more or less: so that what failed together does not come back together.
  double jitter = 0.2;
  // Once it has been RUNNING for so long, the next backoff is the least again.
  absl::Duration reset_after = absl::Seconds(60);
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_RESTART_POLICY_H_
