#include "mainspring/descriptor_waits.h"

#include <poll.h>

#include <algorithm>
#include <chrono>

namespace mainspring {

DescriptorWaitId DescriptorWaits::Add(int fd, For what, Callback callback) {
  const DescriptorWaitId id{++last_id_};
  waits_.emplace(id, Waiter{fd, static_cast<short>(what == For::kReadable ? POLLIN : POLLOUT),
                            std::move(callback)});
  return id;
}

bool DescriptorWaits::Cancel(DescriptorWaitId id) { return waits_.erase(id) != 0; }

void DescriptorWaits::Wait(int wake_fd, SteadyTime until) {
  // Rounded up, or the last millisecond would be spent turning.
  const auto left =
      until == kNever
          ? std::chrono::milliseconds(kLongest)
          : std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  Poll(wake_fd, static_cast<int>(std::clamp<int64_t>(left.count(), 0, kLongest)));
}

bool DescriptorWaits::RunNext() {
  if (ready_.empty() && (waits_.empty() || !Poll(-1, 0))) return false;
  while (!ready_.empty()) {
    const auto found = waits_.find(ready_.back());
    ready_.pop_back();
    if (found == waits_.end()) continue;  // cancelled meanwhile
    Callback callback = std::move(found->second.callback);
    waits_.erase(found);
    callback();
    return true;
  }
  return false;
}

// poll and not epoll: a component waits for a few, and what is closed too early is told as an
// error.
bool DescriptorWaits::Poll(int wake_fd, int milliseconds) {
  std::vector<pollfd> polled;
  std::vector<DescriptorWaitId> ids;
  for (const auto& [id, waiter] : waits_) {
    polled.push_back({waiter.fd, waiter.events, 0});
    ids.push_back(id);
  }
  polled.push_back({wake_fd, POLLIN, 0});
  if (poll(polled.data(), polled.size(), milliseconds) <= 0) return false;
  ready_.clear();
  // The oldest is run first.
  for (size_t i = ids.size(); i-- > 0;) {
    if (polled[i].revents != 0) ready_.push_back(ids[i]);
  }
  return !ready_.empty();
}

}  // namespace mainspring
