// BlockingPool: the host's threads for components' blocking work. There are as many as are needed
// at once, up to a bound, and none before the first is.
#ifndef MAINSPRING_SERVER_WORLD_BLOCKING_POOL_H_
#define MAINSPRING_SERVER_WORLD_BLOCKING_POOL_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/blocking.h"
#include "mainspring/mutex.h"
#include "mainspring/steady_time.h"
#include "mainspring/thread.h"

namespace mainspring {

// Any thread.
class BlockingPool final : public Blocking {
 public:
  // What waits for a thread, for each of the most threads.
  static constexpr size_t kQueuedPerThread = 128;

  explicit BlockingPool(size_t most_threads) : most_threads_(most_threads) {}
  // Drops what was not begun, and blocks until what was is done.
  ~BlockingPool() override;

  absl::Status Run(Work work) override;

  // Drops what was not begun, and blocks until what was is done, or `deadline`: false.
  bool DropAndAwait(SteadyTime deadline);

 private:
  void Turn();

  const size_t most_threads_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Work> queue_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t busy_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Thread>> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_WORLD_BLOCKING_POOL_H_
