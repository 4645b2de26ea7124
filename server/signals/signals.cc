#include "mainspring/server/signals/signals.h"

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
  // A log that outgrows a limit of the shell's is cut, and no reason to die.
  signal(SIGXFSZ, SIG_IGN);
}

absl::Status Signals::Start() {
  end_fd_ = eventfd(0, EFD_CLOEXEC);
  const sigset_t set = OurSignals();
  signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC);
  if (end_fd_ < 0 || signal_fd_ < 0) {
    return absl::ResourceExhaustedError(absl::StrCat("signal thread: ", strerror(errno)));
  }
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start("signals", [this] { Run(); });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

Signals::~Signals() {
  const uint64_t one = 1;
  if (thread_ != nullptr) [[maybe_unused]]
    const ssize_t written = write(end_fd_, &one, sizeof(one));
  thread_.reset();
  for (const int fd : {end_fd_, signal_fd_}) {
    if (fd >= 0) close(fd);
  }
}

void Signals::Run() {
  pollfd polled[] = {{signal_fd_, POLLIN, 0}, {end_fd_, POLLIN, 0}};
  while (poll(polled, 2, -1) < 0 || polled[1].revents == 0) {
    signalfd_siginfo info;
    if (polled[0].revents != 0 && read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
      handler_(static_cast<int>(info.ssi_signo));
    }
  }
}

}  // namespace mainspring
