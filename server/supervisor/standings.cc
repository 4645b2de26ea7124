#include "mainspring/server/supervisor/standings.h"

namespace mainspring {

Standings::Standings(DependencyGraph graph) : graph_(std::move(graph)), all_(graph_.size()) {
  CountAll();
}

void Standings::SetGraph(DependencyGraph graph) {
  graph_ = std::move(graph);
  all_.resize(graph_.size());
  for (Standing& each : all_) {
    each.lost = 0;
    each.outlooks = {};
    each.start_waits_for = 0;
    each.stop_waits_for = 0;
  }
  CountAll();
}

void Standings::CountAll() {
  for (size_t i = 0; i < all_.size(); ++i) Count(i, true);
}

void Standings::SetState(size_t component, LifecycleState state) {
  Count(component, false);
  all_[component].state = state;
  Count(component, true);
}

void Standings::Count(size_t component, bool in) {
  const Standing& standing = all_[component];
  const auto count = [in](size_t& counted) { in ? ++counted : --counted; };
  const bool is_down = IsDown(standing.state);
  const bool runs = standing.state == LifecycleState::kRunning;
  for (const auto& edge : graph_.dependents(component)) {
    Standing& dependent = all_[edge.component];
    if (edge.hard && (standing.goes_down || is_down)) count(dependent.lost);
    if (edge.hard) count(dependent.outlooks[static_cast<size_t>(standing.outlook)]);
    if (!runs && (edge.hard || standing.outlook == Outlook::kSoon)) {
      count(dependent.start_waits_for);
    }
  }
  for (const auto& edge : graph_.dependencies(component)) {
    if (!is_down && (edge.hard || standing.goes_down)) count(all_[edge.component].stop_waits_for);
  }
}

bool Standings::Look(size_t component) {
  Standing& standing = all_[component];
  const bool goes_down = GoesDown(standing);
  const Outlook outlook = OutlookOf(standing);
  if (goes_down == standing.goes_down && outlook == standing.outlook) return false;
  Count(component, false);
  standing.goes_down = goes_down;
  standing.outlook = outlook;
  Count(component, true);
  return true;
}

bool Standings::GoesDown(const Standing& standing) const {
  return !standing.wish.wanted || standing.wish.restarting || standing.lost > 0;
}

Outlook Standings::OutlookOf(const Standing& standing) const {
  if (!standing.wish.wanted) return Outlook::kNever;
  switch (standing.state) {
    case LifecycleState::kRunning:
    case LifecycleState::kStarting:
      return Outlook::kSoon;
    case LifecycleState::kBackoff:
      if (!standing.wish.again) return Outlook::kLater;
      break;
    case LifecycleState::kFailed:
      if (!standing.wish.again) return Outlook::kNever;
      break;
    case LifecycleState::kStopped:
    case LifecycleState::kStopping:
      break;
  }
  for (const Outlook least : {Outlook::kNever, Outlook::kLater}) {
    if (standing.outlooks[static_cast<size_t>(least)] > 0) return least;
  }
  return Outlook::kSoon;
}

bool Standings::MayStop(size_t component) const {
  const Standing& standing = all_[component];
  return standing.goes_down && TakesCalls(standing.state) && standing.stop_waits_for == 0;
}

bool Standings::MayStart(size_t component) const {
  const Standing& standing = all_[component];
  if (standing.goes_down || standing.start_waits_for > 0) return false;
  switch (standing.state) {
    case LifecycleState::kStopped:
      return true;
    case LifecycleState::kBackoff:
    case LifecycleState::kFailed:
      return standing.wish.again;
    default:
      return false;
  }
}

}  // namespace mainspring
