#include "mainspring/timer.h"

#include <algorithm>

namespace mainspring {

TimerId TimerQueue::At(SteadyTime due, Callback callback) {
  return Add({due, absl::ZeroDuration(), std::move(callback)});
}

TimerId TimerQueue::Every(SteadyTime due, absl::Duration interval, Callback callback) {
  return Add({due, std::max(interval, absl::Nanoseconds(1)), std::move(callback)});
}

TimerId TimerQueue::Add(Timer timer) {
  const TimerId id{++last_id_};
  due_.emplace(timer.due, id);
  timers_.emplace(id, std::move(timer));
  return id;
}

bool TimerQueue::Cancel(TimerId id) {
  auto found = timers_.find(id);
  if (found == timers_.end()) return false;
  due_.erase({found->second.due, id});
  // Taken out first: with what the callback has captured another timer may go.
  const auto gone = timers_.extract(found);
  return true;
}

bool TimerQueue::RunNext(SteadyTime now) {
  if (next() > now) return false;
  const TimerId id = due_.begin()->second;
  due_.erase(due_.begin());
  auto found = timers_.find(id);
  Callback callback = std::move(found->second.callback);
  if (found->second.interval == absl::ZeroDuration()) {
    timers_.erase(found);
    callback();
    return true;
  }
  Timer& timer = found->second;
  const int64_t missed = Between(timer.due, now) / timer.interval;
  timer.due = After(timer.due, timer.interval * missed + timer.interval);
  // Where more were missed than can be counted.
  if (timer.due <= now) timer.due = After(now, timer.interval);
  due_.emplace(timer.due, id);
  callback();
  // Looked up again: the callback may have cancelled its own timer.
  if (auto still = timers_.find(id); still != timers_.end()) {
    still->second.callback = std::move(callback);
  }
  return true;
}

}  // namespace mainspring
