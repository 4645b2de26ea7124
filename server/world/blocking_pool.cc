#include "mainspring/server/world/blocking_pool.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mainspring/status_details.h"

namespace mainspring {

BlockingPool::~BlockingPool() {
  // Joined last: what is dropped may be what somebody's work waits for.
  std::vector<std::unique_ptr<Thread>> threads;
  std::deque<Work> dropped;
  MutexLock lock(mutex_);
  ends_ = true;
  dropped.swap(queue_);
  threads.swap(threads_);
  changed_.NotifyAll();
}

bool BlockingPool::DropAndAwait(SteadyTime deadline) {
  std::deque<Work> dropped;
  MutexLock lock(mutex_);
  dropped.swap(queue_);
  while (busy_ != 0 && std::chrono::steady_clock::now() < deadline) {
    changed_.WaitUntil(mutex_, deadline);
  }
  return busy_ == 0;
}

absl::Status BlockingPool::Run(Work work) {
  MutexLock lock(mutex_);
  if (ends_) return absl::UnavailableError("blocking work: the host ends");
  if (queue_.size() >= most_threads_ * kQueuedPerThread) {
    return WithRetryDelay(absl::ResourceExhaustedError(absl::StrCat(
                              "blocking work: ", queue_.size(), " pieces wait already; try later")),
                          kRetryWhenFull);
  }
  if (queue_.size() >= idle_ && threads_.size() < most_threads_) {
    absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start("blocking", [this] { Turn(); });
    // Where there are others, they come to it.
    if (!thread.ok() && threads_.empty()) return thread.status();
    if (thread.ok()) threads_.push_back(*std::move(thread));
  }
  queue_.push_back(std::move(work));
  changed_.NotifyOne();
  return absl::OkStatus();
}

void BlockingPool::Turn() {
  while (true) {
    Work work;
    {
      MutexLock lock(mutex_);
      ++idle_;
      while (queue_.empty() && !ends_) changed_.Wait(mutex_);
      --idle_;
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      ++busy_;
    }
    work();
    work = nullptr;
    MutexLock lock(mutex_);
    if (--busy_ == 0) changed_.NotifyAll();
  }
}

}  // namespace mainspring
