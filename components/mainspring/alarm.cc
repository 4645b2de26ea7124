#include "mainspring/alarm.h"

#include "mainspring/timer.h"

namespace mainspring {

Alarm::Alarm(SteadyTime due, Callback callback) {
  CallbackQueue* const queue = ReturnAddress::CurrentQueue();
  if (due == kNever || queue == nullptr || queue->timers() == nullptr) return;
  queue_ = queue;
  id_ = queue->timers()->At(due, std::move(callback));
}

Alarm::Alarm(SteadyTime due, Expiry expiry) : Alarm(due, Callback(std::move(expiry))) {}

Alarm::~Alarm() {
  // What an instance keeps while it is destroyed goes after its timers.
  if (queue_ != nullptr && queue_->timers() != nullptr) queue_->timers()->Cancel(id_);
}

}  // namespace mainspring
