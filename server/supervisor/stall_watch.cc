#include "mainspring/server/supervisor/stall_watch.h"

#include <algorithm>
#include <utility>

namespace mainspring {
namespace {

constexpr absl::Duration kLongestInterval = absl::Seconds(1);
constexpr absl::Duration kShortestInterval = absl::Milliseconds(50);

}  // namespace

StallWatch::StallWatch(const ComponentTable& table, EventLog& log,
                       std::function<void(size_t component, bool past_limit)> on_stall)
    : table_(table), log_(log), on_stall_(std::move(on_stall)) {}

absl::Duration StallWatch::interval() const {
  absl::Duration interval = kLongestInterval;
  for (const size_t each : table_.numbers()) {
    const ComponentConfig& config = table_.config(each);
    interval = std::min(interval, std::min(config.stall_warning, config.stall_limit) / 2);
  }
  return std::max(interval, kShortestInterval);
}

void StallWatch::Look() {
  told_.resize(table_.size());
  for (size_t i = 0; i < told_.size(); ++i) {
    const bool is_idle = table_.mailbox(i).thread_status().doing() == nullptr;
    if (!is_idle || told_[i].stalled || told_[i].past_limit) LookAt(i);
  }
}

void StallWatch::LookAt(size_t component) {
  Told& told = told_[component];
  const ComponentView view = table_.View(component);
  if (view.past_limit != std::exchange(told.past_limit, view.past_limit)) {
    on_stall_(component, view.past_limit);
  }
  if (view.stalled == std::exchange(told.stalled, view.stalled)) return;
  log_.Warning("stall", {{"component", view.name},
                         {"state", view.stalled ? "stalled" : "over"},
                         {"method", view.method},
                         {"in_method_ms", view.in_method}});
}

}  // namespace mainspring
