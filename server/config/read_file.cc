#include "mainspring/server/config/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

constexpr int kPatienceMs = 10'000;

absl::Status CannotRead(int error) {
  const std::string why = absl::StrCat("cannot be read: ", strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(why);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(why);
    default:
      return absl::UnavailableError(why);
  }
}

// Whether something comes from it, or its end, before long.
bool HasMore(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return poll(&poll_fd, 1, kPatienceMs) > 0;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t most) {
  // A pipe that nobody writes to would keep who opens it.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return CannotRead(errno);
  const absl::Cleanup close_file = [fd] { close(fd); };
  struct stat status;
  if (fstat(fd, &status) != 0) return CannotRead(errno);
  const bool waits = !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
  std::string text;
  char buffer[16 << 10];
  while (true) {
    if (waits && !HasMore(fd)) return absl::UnavailableError("cannot be read: nothing comes");
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return CannotRead(errno);
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > most) {
      return absl::ResourceExhaustedError(
          absl::StrCat("has more than ", most >> 10, " KiB, which is all that is read"));
    }
  }
}

}  // namespace mainspring
