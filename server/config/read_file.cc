#include "mainspring/server/config/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

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

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t most) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CannotRead(errno);
  const absl::Cleanup close_file = [fd] { close(fd); };
  std::string text;
  char buffer[16 << 10];
  while (true) {
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
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
