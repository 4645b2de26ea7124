// CallCounts: how many calls a mailbox holds, and what became of those that it held. Each number is
// written by few threads and read by all, without a lock; MailboxStats is all of them at one
// moment.
#ifndef MAINSPRING_CALL_COUNTS_H_
#define MAINSPRING_CALL_COUNTS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/optimization.h"

namespace mainspring {

// Counted since the mailbox was made, but for what is queued and in flight.
struct MailboxStats {
  size_t queued_calls = 0;
  size_t queued_bytes = 0;
  uint64_t handled = 0;    // given to the component
  uint64_t failed = 0;     // of those, the component failed in it
  uint64_t rejected = 0;   // refused at Push
  uint64_t expired = 0;    // deadline or queue age passed before they were taken
  uint64_t cancelled = 0;  // the caller had gone before they were taken
  uint64_t in_flight = 0;  // given to the component and not answered
};

class CallCounts {
 public:
  // Under the mailbox's lock: nothing is pushed or removed meanwhile, and only what was pushed can
  // be taken. So the difference is what was queued at one moment, however long the thread that
  // reads is kept waiting in between.

  size_t queued_calls() const { return pushed_calls_.load(std::memory_order_relaxed) - left(); }
  size_t queued_bytes() const {
    return pushed_bytes_.load(std::memory_order_relaxed) -
           taken_bytes_.load(std::memory_order_acquire);
  }
  void Push(size_t bytes) {
    Add(pushed_bytes_, bytes, std::memory_order_relaxed);
    Add(pushed_calls_, 1, std::memory_order_release);
  }
  // Of calls that leave the queue, but not by the component's thread.
  void Remove(size_t calls, size_t bytes);
  MailboxStats Read() const;

  // Any thread.
  void Reject() { rejected_.fetch_add(1, std::memory_order_relaxed); }

  // The rest: component thread only.

  // Those that push are asked only once all is taken that they were known to have pushed: to read
  // what another thread writes with each call costs more than all else here.
  bool any_queued() {
    if (left() < known_pushed_) return true;
    known_pushed_ = pushed_calls_.load(std::memory_order_acquire);
    return left() < known_pushed_;
  }
  void Take(size_t bytes) {
    Add(taken_bytes_, bytes, std::memory_order_relaxed);
    Add(taken_calls_, 1, std::memory_order_release);
  }
  void Expire() { Add(expired_, 1, std::memory_order_release); }
  void Cancel() { Add(cancelled_, 1, std::memory_order_release); }
  void Fail() { Add(failed_, 1, std::memory_order_release); }
  // A call is handed on. Returns what goes up by one when it is answered, on any thread.
  std::atomic<uint64_t>& Handle(bool answers_with_stream);

  // Calls that were handed on, are to be answered once, and are not yet. On another thread, about.
  uint64_t open_replies() const {
    // Read first, so that none is taken for answered before it was handed on.
    const uint64_t answered = answered_.load(std::memory_order_acquire);
    const uint64_t streams = streams_.load(std::memory_order_acquire);
    return handled_.load(std::memory_order_acquire) - streams - answered;
  }

 private:
  // Calls that have left the queue, one way or the other.
  uint64_t left() const {
    return taken_calls_.load(std::memory_order_acquire) +
           removed_calls_.load(std::memory_order_acquire);
  }

  // To a counter that one thread alone writes, or one thread at a time: cheaper than an increment
  // that others might join.
  static void Add(std::atomic<uint64_t>& counter, uint64_t more, std::memory_order order) {
    counter.store(counter.load(std::memory_order_relaxed) + more, order);
  }

  std::atomic<uint64_t> rejected_{0};
  std::atomic<uint64_t> pushed_calls_{0};
  std::atomic<uint64_t> pushed_bytes_{0};

  // By the component's thread, on cache lines of their own.
  ABSL_CACHELINE_ALIGNED std::atomic<uint64_t> taken_calls_{0};
  std::atomic<uint64_t> taken_bytes_{0};
  std::atomic<uint64_t> removed_calls_{0};  // under the lock; hardly ever
  uint64_t known_pushed_ = 0;               // of pushed_calls_, by then
  std::atomic<uint64_t> handled_{0};
  std::atomic<uint64_t> failed_{0};
  std::atomic<uint64_t> expired_{0};
  std::atomic<uint64_t> cancelled_{0};
  std::atomic<uint64_t> streams_{0};  // of those handled
  // By that thread for the most part; an answer may come from any.
  std::atomic<uint64_t> answered_{0};
  std::atomic<uint64_t> finished_streams_{0};
};

}  // namespace mainspring

#endif  // MAINSPRING_CALL_COUNTS_H_
