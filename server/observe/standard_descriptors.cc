#include "mainspring/server/observe/standard_descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace mainspring {
namespace {

// Of a program, not of a shared library, which has no such section.
[[gnu::section(".preinit_array"), gnu::used]] void (*const at_start)() = &OpenStandardDescriptors;

}  // namespace

void OpenStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest that is free, and so this one. Where there is no /dev/null, nothing is written.
    [[maybe_unused]] const int opened = open("/dev/null", O_RDWR);
  }
}

}  // namespace mainspring
