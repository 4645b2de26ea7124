#include "server/signals/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

sigset_t OurSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void Signals::Block() {
  const sigset_t set = OurSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

absl::Status Signals::Start() {
  end_fd_ = eventfd(0, EFD_CLOEXEC);
  if (end_fd_ < 0) {
    return absl::ResourceExhaustedError(absl::StrCat("signal thread: ", strerror(errno)));
  }
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start("signals", [this] { Run(); });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

Signals::~Signals() {
  if (end_fd_ < 0) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(end_fd_, &one, sizeof(one));
  thread_.reset();
  close(end_fd_);
}

void Signals::Run() {
  const sigset_t set = OurSignals();
  const int fd = signalfd(-1, &set, SFD_CLOEXEC);
  pollfd polled[] = {{fd, POLLIN, 0}, {end_fd_, POLLIN, 0}};
  while (poll(polled, 2, -1) < 0 || polled[1].revents == 0) {
    signalfd_siginfo info;
    if (polled[0].revents != 0 && read(fd, &info, sizeof(info)) == sizeof(info)) {
      handler_(static_cast<int>(info.ssi_signo));
    }
  }
  close(fd);
}

}  // namespace mainspring
