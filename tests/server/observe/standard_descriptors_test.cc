#include "mainspring/server/observe/standard_descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace mainspring {
namespace {

void CloseAllAndOpen() {
  for (int fd = 0; fd <= 2; ++fd) close(fd);
  OpenStandardDescriptors();
  // The next one is none of the three, and what is written to those is taken.
  if (open("/dev/null", O_RDONLY) <= 2) _exit(1);
  for (int fd = 1; fd <= 2; ++fd) {
    if (write(fd, "x", 1) != 1) _exit(2);
  }
  _exit(0);
}

TEST(OpenStandardDescriptorsDeathTest, WhenTheyAreClosed_OpensThem) {
  EXPECT_EXIT(CloseAllAndOpen(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace mainspring
