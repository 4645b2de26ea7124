// DescriptorWaits: callbacks that wait until a file descriptor can be read or written. They are one
// instance's; its control loop waits for them, together with its mailbox.
#ifndef MAINSPRING_DESCRIPTOR_WAITS_H_
#define MAINSPRING_DESCRIPTOR_WAITS_H_

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// Names one callback; never used again.
enum class DescriptorWaitId : uint64_t {};

// One thread only.
class DescriptorWaits {
 public:
  enum class For { kReadable, kWritable };

  // Runs `callback` once: when `fd` can be read or written without blocking, or never will be
  // again, since it is at its end, has an error, or was closed; a read or write tells. The
  // descriptor stays its owner's, who cancels before it is closed.
  DescriptorWaitId Add(int fd, For what, Callback callback);
  // False where it has run, or was cancelled.
  bool Cancel(DescriptorWaitId id);

  bool empty() const { return waits_.empty(); }

  // Blocks until one is ready, `wake_fd` can be read, or `until`; one that is negative is none.
  void Wait(int wake_fd, SteadyTime until);
  // Runs the next that is ready. False where none is.
  bool RunNext();

 private:
  struct Waiter {
    int fd;
    short events;
    Callback callback;
  };

  // In milliseconds; there is no need for more, since whoever waits longer waits again.
  static constexpr int64_t kLongest = 3'600'000;

  // Whether one is ready; waits no longer than so many milliseconds.
  bool Poll(int wake_fd, int milliseconds);

  uint64_t last_id_ = 0;
  std::map<DescriptorWaitId, Waiter> waits_;
  std::vector<DescriptorWaitId> ready_;  // the next one last
};

}  // namespace mainspring

#endif  // MAINSPRING_DESCRIPTOR_WAITS_H_
