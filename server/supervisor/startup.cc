// The part of the supervisor that starts the host.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/supervisor/supervisor.h"

namespace mainspring {

void Supervisor::StartAll(StartCallback callback) {
  start_callback_ = std::move(callback);
  for (size_t i = 0; i < units_.size(); ++i) {
    if (!parts_.table.config(i).autostart || start_abandoned_) continue;
    units_[i].starting_up = true;
    ++starting_up_;
    Moved(i);
    SetWanted(i, true, "the host starts");
  }
  Settle();
}

void Supervisor::AbandonStart() {
  start_abandoned_ = true;
  if (start_callback_ == nullptr || start_error_.has_value()) return;
  ForgetStartup();
  Settle();
}

// Names the component that is in the way, of it or of what it needs.
absl::Status Supervisor::NotStarted(size_t component) const {
  size_t cause = component;
  while (state(cause) == LifecycleState::kStopped) {
    const auto& edges = parts_.graph.dependencies(cause);
    const auto in_the_way = std::find_if(edges.begin(), edges.end(), [&](const auto& edge) {
      return edge.hard && standings_.outlook(edge.component) != Outlook::kSoon;
    });
    if (in_the_way == edges.end()) break;
    cause = in_the_way->component;
  }
  const ComponentStatus& status = parts_.table.status(cause);
  if (cause != component && status.state == LifecycleState::kStopped) {
    return absl::UnavailableError(absl::StrCat("component \"", parts_.table.name(component),
                                               "\": needs \"", parts_.table.name(cause),
                                               "\", which is STOPPED: ", status.reason));
  }
  if (start_callback_ != nullptr && !status.last_error.empty()) {
    // The host ends, whatever the restart policy says.
    return absl::UnavailableError(absl::StrCat("component \"", parts_.table.name(cause),
                                               "\": did not start: ", status.last_error));
  }
  return Unavailable(cause);
}

void Supervisor::ForgetStartup() {
  for (Unit& unit : units_) unit.starting_up = false;
  starting_up_ = 0;
}

void Supervisor::CheckStartup() {
  if (start_callback_ == nullptr) return;
  std::vector<size_t> moved = std::exchange(startup_moved_, {});
  std::sort(moved.begin(), moved.end());
  for (const size_t each : moved) {
    if (!units_[each].starting_up || start_error_.has_value()) continue;
    if (state(each) != LifecycleState::kRunning) {
      if (standings_.outlook(each) == Outlook::kSoon) continue;
      if (parts_.table.essential(each)) {
        start_error_ = NotStarted(each);
        break;
      }
    }
    units_[each].starting_up = false;
    --starting_up_;
  }
  if (start_error_.has_value() && starting_up_ != 0) {
    // What was started is stopped again, and only then is the error told.
    ForgetStartup();
    WantNothing("the start of the host failed");
    return Settle();
  }
  if (starting_up_ != 0 || (start_error_.has_value() && up_ != 0)) return;
  std::exchange(start_callback_, nullptr)(OwnCopy(start_error_.value_or(absl::OkStatus())));
}

}  // namespace mainspring
