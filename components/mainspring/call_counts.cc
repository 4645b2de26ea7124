#include "mainspring/call_counts.h"

#include <algorithm>

namespace mainspring {

void CallCounts::Remove(size_t calls, size_t bytes) {
  pushed_bytes_.store(pushed_bytes_.load(std::memory_order_relaxed) - bytes,
                      std::memory_order_relaxed);
  Add(removed_calls_, calls, std::memory_order_release);
}

std::atomic<uint64_t>& CallCounts::Handle(bool answers_with_stream) {
  if (answers_with_stream) Add(streams_, 1, std::memory_order_release);
  Add(handled_, 1, std::memory_order_release);
  return answers_with_stream ? finished_streams_ : answered_;
}

MailboxStats CallCounts::Read() const {
  MailboxStats stats;
  stats.queued_calls = queued_calls();
  stats.queued_bytes = queued_bytes();
  // What is begun and answered in between is not in flight.
  stats.handled = handled_.load(std::memory_order_acquire);
  const uint64_t answered =
      answered_.load(std::memory_order_acquire) + finished_streams_.load(std::memory_order_acquire);
  stats.in_flight = stats.handled - std::min(stats.handled, answered);
  stats.failed = failed_.load(std::memory_order_relaxed);
  stats.rejected = rejected_.load(std::memory_order_relaxed);
  stats.expired = expired_.load(std::memory_order_relaxed);
  stats.cancelled = cancelled_.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace mainspring
