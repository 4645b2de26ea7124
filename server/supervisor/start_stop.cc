// The part of the supervisor that starts the host, and stops it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/server/supervisor/supervisor.h"

namespace mainspring {

void Supervisor::StartAll(StartCallback callback) {
  start_callback_ = std::move(callback);
  for (size_t i = 0; i < units_.size(); ++i) {
    if (!table_.config(i).autostart || start_abandoned_) continue;
    units_[i].starting_up = true;
    ++starting_up_;
    engine_.Want(i, "the host starts");
    Update(i, [](ComponentStatus& status) { status.wanted = true; });
  }
  Settle();
}

void Supervisor::AbandonStart() {
  start_abandoned_ = true;
  if (start_callback_ == nullptr || start_error_.has_value()) return;
  ForgetStartup();
  Settle();
}

absl::Status Supervisor::NotStarted(size_t component) const {
  size_t cause = component;
  while (state(cause) == LifecycleState::kStopped) {
    const auto& edges = engine_.graph().dependencies(cause);
    const auto in_the_way = std::find_if(edges.begin(), edges.end(), [&](const auto& edge) {
      return edge.hard && engine_.outlook(edge.component) != Outlook::kSoon;
    });
    if (in_the_way == edges.end()) break;
    cause = in_the_way->component;
  }
  if (cause != component && state(cause) == LifecycleState::kStopped) {
    return absl::UnavailableError(absl::StrCat("component \"", table_.name(component),
                                               "\": needs \"", table_.name(cause),
                                               "\", which is STOPPED: ", status(cause).reason));
  }
  if (start_callback_ != nullptr && !status(cause).last_error.empty()) {
    // The host ends, whatever the restart policy says.
    return absl::UnavailableError(absl::StrCat("component \"", table_.name(cause),
                                               "\": did not start: ", status(cause).last_error));
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
      if (engine_.outlook(each) == Outlook::kSoon) continue;
      if (table_.essential(each)) {
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
  if (starting_up_ != 0 || (start_error_.has_value() && engine_.up() != 0)) return;
  std::exchange(start_callback_, nullptr)(OwnCopy(start_error_.value_or(absl::OkStatus())));
}

void Supervisor::StopAll(StopCallback callback) {
  stop_callback_ = std::move(callback);
  AbandonStart();
  for (Unit& unit : units_) unit.refused = 0;
  WantNothing("the host stops");
  Settle();
}

// From here on nobody is obeyed any more.
void Supervisor::WantNothing(const std::string& why) {
  ending_ = true;
  observer_.OnEnding();
  for (size_t i = 0; i < units_.size(); ++i) WantDown(i, why);
}

void Supervisor::CheckDown() {
  if (stop_callback_ == nullptr || engine_.up() != 0) return;
  StopReport report;
  for (size_t i = 0; i < units_.size(); ++i) {
    report.cut_calls += units_[i].refused;
    if (units_[i].stuck) report.stuck.push_back(WhereItIsStuck(i));
  }
  std::exchange(stop_callback_, nullptr)(std::move(report));
}

}  // namespace mainspring
