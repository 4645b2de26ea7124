// Plan: the steps that a command leads to, as things are. It changes nothing: a dry run is a plan.
#ifndef MAINSPRING_SERVER_LIFECYCLE_PLAN_H_
#define MAINSPRING_SERVER_LIFECYCLE_PLAN_H_

#include <vector>

#include "absl/status/statusor.h"
#include "mainspring/server/lifecycle/operations.h"
#include "mainspring/server/supervisor/engine.h"

namespace mainspring {

// In the order in which they are carried out.
// FAILED_PRECONDITION: other components would have to start or stop too, and the order does not
// cascade; the text names them.
absl::StatusOr<std::vector<Step>> Plan(const Order& order, const Engine& engine);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_PLAN_H_
