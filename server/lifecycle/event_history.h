// EventHistory: what last happened to components, in order.
#ifndef MAINSPRING_SERVER_LIFECYCLE_EVENT_HISTORY_H_
#define MAINSPRING_SERVER_LIFECYCLE_EVENT_HISTORY_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "mainspring/server/supervisor/state.h"
#include "mainspring/server/supervisor/supervisor_observer.h"

namespace mainspring {

struct LifecycleEvent {
  uint64_t sequence;
  absl::Time time;
  std::string component;
  uint64_t generation;
  LifecycleState from;
  LifecycleState to;
  std::string reason;
  // Nothing: the state changed.
  std::optional<TrafficChange> traffic = std::nullopt;
};

// One thread only.
class EventHistory {
 public:
  // Keeps that many, and one at least.
  explicit EventHistory(size_t capacity) : capacity_(std::max<size_t>(capacity, 1)) {}

  // Gives the event the next sequence number; the first is 1.
  const LifecycleEvent& Add(LifecycleEvent event) {
    event.sequence = ++last_;
    events_.push_back(std::move(event));
    if (events_.size() > capacity_) events_.pop_front();
    return events_.back();
  }

  // Of the newest event; 0 where there was none.
  uint64_t last() const { return last_; }
  // Of the oldest that is still here; 0 where none is.
  uint64_t oldest() const { return events_.empty() ? 0 : events_.front().sequence; }
  // Whether all that came after `sequence` is still here.
  bool HasAllSince(uint64_t sequence) const {
    return sequence == last_ || (sequence < last_ && !events_.empty() && sequence + 1 >= oldest());
  }
  // The event with that number, which must be here.
  const LifecycleEvent& at(uint64_t sequence) const { return events_[sequence - oldest()]; }

 private:
  const size_t capacity_;
  uint64_t last_ = 0;
  std::deque<LifecycleEvent> events_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_EVENT_HISTORY_H_
