#include "mainspring/server/observe/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

// poll(2) counts milliseconds in an int.
constexpr absl::Duration kLongestPoll = absl::Hours(1);

int PollTimeout(SteadyTime deadline) {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (deadline <= now) return 0;
  // Up, so that the last millisecond is not spent in asking again and again.
  const absl::Duration left = absl::Ceil(Between(now, deadline), absl::Milliseconds(1));
  return static_cast<int>(absl::ToInt64Milliseconds(std::min(left, kLongestPoll)));
}

}  // namespace

Output::Output(int fd) : fd_(fd) {
  struct stat file;
  if (fstat(fd, &file) != 0) return;
  is_socket_ = S_ISSOCK(file.st_mode);
  // Opened anew it has a mode of its own. Not so a regular file: that would have an offset of its
  // own as well.
  if (S_ISFIFO(file.st_mode) || S_ISCHR(file.st_mode)) {
    own_fd_ = open(absl::StrCat("/proc/self/fd/", fd).c_str(),
                   O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  }
}

Output::~Output() {
  if (own_fd_ >= 0) close(own_fd_);
}

size_t Output::Write(absl::string_view text, SteadyTime deadline) {
  const int fd = own_fd_ >= 0 ? own_fd_ : fd_;
  size_t written = 0;
  while (written < text.size()) {
    pollfd polled = {fd, POLLOUT, 0};
    const int ready = poll(&polled, 1, PollTimeout(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 && std::chrono::steady_clock::now() < deadline) continue;
    if (ready <= 0) break;
    // A pipe that poll(2) calls writable has room for PIPE_BUF bytes, for whom it would block.
    const absl::string_view next = text.substr(written, PIPE_BUF);
    const ssize_t count = is_socket_
                              ? send(fd, next.data(), next.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                              : write(fd, next.data(), next.size());
    if (count >= 0) {
      written += static_cast<size_t>(count);
    } else if (errno != EAGAIN && errno != EINTR) {
      return text.size();
    }
  }
  return written;
}

}  // namespace mainspring
