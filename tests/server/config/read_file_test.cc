#include "mainspring/server/config/read_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/server/trial_client.h"

namespace mainspring {
namespace {

TEST(ReadFile, OfAFile_IsItsText) {
  testing::TemporaryDirectory directory;
  std::ofstream(directory.File("f")) << std::string(100'000, 'x');
  EXPECT_EQ(*ReadFile(directory.File("f"), 100'000), std::string(100'000, 'x'));
  EXPECT_EQ(ReadFile(directory.File("f"), 99'999).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(ReadFile, OfAPipe_IsAllThatComes) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::thread writer([&] {
    for (const char* part : {"one ", "two"}) EXPECT_GT(write(ends[1], part, std::strlen(part)), 0);
    close(ends[1]);
  });
  EXPECT_EQ(*ReadFile(absl::StrCat("/proc/self/fd/", ends[0]), 1000), "one two");
  writer.join();
  close(ends[0]);
}

TEST(ReadFile, OfWhatCannotBeRead_SaysWhy) {
  EXPECT_EQ(ReadFile("/none", 10).status(),
            absl::NotFoundError("cannot be read: No such file or directory"));
  EXPECT_EQ(ReadFile("/tmp", 10).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace mainspring
