// HealthHooks: what a supervisor tells whoever answers for its components' health.
#ifndef MAINSPRING_SERVER_SUPERVISOR_HEALTH_HOOKS_H_
#define MAINSPRING_SERVER_SUPERVISOR_HEALTH_HOOKS_H_

#include <cstddef>
#include <functional>
#include <string>

namespace mainspring {

// Called on the supervisor's thread; must not block.
struct HealthHooks {
  // The state of a component has changed, or whether it takes calls. Whether anybody follows its
  // health and was told.
  std::function<bool(size_t component)> on_change = [](size_t) { return false; };
  // It is past its stall limit, or no longer.
  std::function<void(size_t component, bool past_limit)> on_stall = [](size_t, bool) {};
  // An essential component has been given up on.
  std::function<void(const std::string& reason)> on_essential_failure = [](const std::string&) {};
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_HEALTH_HOOKS_H_
