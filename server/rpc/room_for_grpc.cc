#include "server/rpc/room_for_grpc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <memory>
#include <thread>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "mainspring/thread.h"

namespace mainspring::rpc {
namespace {

// Counted with three servers on gRPC 1.51: two of its executor's threads, of which it makes up to
// two for each processor, three of its event engine's, which makes another when all are busy, two
// for timers; and as many as a host makes for its planes afterwards.
size_t ThreadsNeeded() { return 12 + 4 * std::thread::hardware_concurrency(); }
// Its epoll set and what wakes it, and for a while the files that it looks into.
constexpr size_t kDescriptorsNeeded = 16;

absl::Status TakeThreads(size_t count) {
  absl::Notification enough;
  std::vector<std::unique_ptr<Thread>> threads;
  // Before the threads are joined.
  const absl::Cleanup let_go = [&] {
    enough.Notify();
    threads.clear();
  };
  while (threads.size() < count) {
    auto thread = Thread::Start("room", [&] { enough.WaitForNotification(); });
    if (!thread.ok()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("gRPC needs ", count, " threads, and the system gives ", threads.size(),
                       "; raise the limit of processes (ulimit -u, TasksMax=, pids.max)"));
    }
    threads.push_back(*std::move(thread));
  }
  return absl::OkStatus();
}

absl::Status TakeDescriptors(size_t count) {
  std::vector<int> fds;
  const absl::Cleanup give_back = [&] {
    for (const int fd : fds) close(fd);
  };
  while (fds.size() < count) {
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat("gRPC needs ", count, " descriptors, and the system gives ", fds.size(),
                       ": ", strerror(errno), "; raise the limit (ulimit -n, LimitNOFILE=)"));
    }
    fds.push_back(fd);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RoomForGrpc() {
  absl::Status room = TakeDescriptors(kDescriptorsNeeded);
  if (room.ok()) room = TakeThreads(ThreadsNeeded());
  return room;
}

}  // namespace mainspring::rpc
