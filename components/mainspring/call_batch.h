// CallBatch: the calls that a component's thread has taken over from those who push, all at once:
// one lock for many calls.
#ifndef MAINSPRING_CALL_BATCH_H_
#define MAINSPRING_CALL_BATCH_H_

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "mainspring/steady_time.h"

namespace mainspring {

template <class RequestEnum>
struct QueuedCall {
  std::optional<RequestEnum> request;
  SteadyTime pushed;
  size_t bytes;

  QueuedCall TakeOut() { return {std::exchange(request, std::nullopt), pushed, bytes}; }
};

// Each call of a batch goes to one thread: the component's, or one that refuses what is queued,
// under the mailbox's lock. A batch is refilled under that lock by the component's thread, which
// alone may look at it without.
template <class RequestEnum>
class CallBatch {
 public:
  // The next one, which stays where it is until Refill; null: none is left. The component's thread,
  // or under the lock.
  QueuedCall<RequestEnum>* Claim() {
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    return index < calls_.size() ? &calls_[index] : nullptr;
  }

  // Takes all over that came; what it held must have been claimed. The component's thread, under
  // the lock.
  void Refill(std::vector<QueuedCall<RequestEnum>>& incoming) {
    calls_.clear();
    calls_.swap(incoming);
    next_.store(0, std::memory_order_relaxed);
  }

  // When the one was pushed that is claimed next; kNever: there is none. Under the lock.
  SteadyTime oldest() const {
    const size_t next = next_.load(std::memory_order_relaxed);
    return next < calls_.size() ? calls_[next].pushed : kNever;
  }

 private:
  std::vector<QueuedCall<RequestEnum>> calls_;
  std::atomic<size_t> next_{0};
};

}  // namespace mainspring

#endif  // MAINSPRING_CALL_BATCH_H_
