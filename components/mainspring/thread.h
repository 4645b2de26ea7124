// Thread: an operating system's thread with a name and a small stack, joined when destroyed.
#ifndef MAINSPRING_THREAD_H_
#define MAINSPRING_THREAD_H_

#include <pthread.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace mainspring {

class Thread {
 public:
  // 1 MiB: address space; only what is touched becomes memory.
  static constexpr size_t kStackBytes = size_t{1} << 20;

  // Runs `body` on a new thread, which blocks all signals but those of a fault. `name` is cut at
  // the 15 characters that Linux shows.
  // RESOURCE_EXHAUSTED: the system gives no more threads.
  static absl::StatusOr<std::unique_ptr<Thread>> Start(const std::string& name,
                                                       std::function<void()> body);
  // So many threads will wait at a time. From 6.16 on, Linux gives each process a table for its
  // waiting threads, as big as there are processors, and walks all that share a place in it at each
  // wake: with 10,000 threads on two processors two fifths of all time went there. Makes the table
  // big enough (PR_FUTEX_HASH(2const)), at 64 bytes a thread; never smaller. Where the kernel has
  // no such table, or forbids it, does nothing. Any thread; best before there are many.
  static void Expect(size_t threads);
  // Blocks until the body has returned.
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // As the kernel numbers it; 0 until it runs. Any thread.
  int id() const { return id_.load(std::memory_order_relaxed); }
  // The processor time that it has taken; nothing once the body has returned. Any thread.
  absl::Duration cpu_time() const;

 private:
  explicit Thread(std::function<void()> body) : body_(std::move(body)) {}
  static void* Run(void* self);

  std::function<void()> body_;
  pthread_t thread_{};
  bool started_ = false;
  std::atomic<int> id_{0};
};

}  // namespace mainspring

#endif  // MAINSPRING_THREAD_H_
