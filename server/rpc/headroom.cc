#include "mainspring/server/rpc/headroom.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "mainspring/thread.h"

namespace mainspring::rpc {
namespace {

// On two processors gRPC 1.51 has seven threads once it serves, three of them of a pool that has up
// to sixteen where there are more; and opens five descriptors.
constexpr size_t kThreads = 24;
constexpr size_t kDescriptors = 16;

}  // namespace

absl::Status CheckThreads() {
  absl::Notification enough;
  std::vector<std::unique_ptr<Thread>> threads;
  absl::Status status;
  while (status.ok() && threads.size() < kThreads) {
    auto thread = Thread::Start("headroom", [&enough] { enough.WaitForNotification(); });
    status = thread.status();
    if (thread.ok()) threads.push_back(*std::move(thread));
  }
  enough.Notify();
  if (status.ok()) return status;
  return absl::ResourceExhaustedError(
      absl::StrCat("gRPC needs ", kThreads, " threads to start, and there are ", threads.size(),
                   "; raise the limit of processes (ulimit -u, TasksMax=, pids.max)"));
}

absl::Status CheckDescriptors() {
  std::vector<int> descriptors;
  const absl::Cleanup close_all = [&descriptors] {
    for (const int fd : descriptors) close(fd);
  };
  while (descriptors.size() < kDescriptors) {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "gRPC needs ", kDescriptors, " descriptors to start, and there are ", descriptors.size(),
          ": ", strerror(errno), "; raise the limit (ulimit -n, LimitNOFILE=)"));
    }
    descriptors.push_back(fd);
  }
  return absl::OkStatus();
}

}  // namespace mainspring::rpc
