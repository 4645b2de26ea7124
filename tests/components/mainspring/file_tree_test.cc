#include "mainspring/file_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "mainspring/config_directory.h"
#include "tests/server/trial_directory.h"

namespace mainspring::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(FileTree, OfFilesDirectoriesAndLinks_HasAll) {
  const TemporaryDirectory scratch;
  std::filesystem::create_directory(scratch.path() + "/maps");
  ASSERT_EQ(chmod((scratch.path() + "/maps").c_str(), 0750), 0);
  ASSERT_TRUE(WriteConfigFile(scratch.path() + "/maps/aliases", "a\n", 0600).ok());
  std::filesystem::create_symlink("maps/aliases", scratch.path() + "/aliases");
  EXPECT_THAT(
      *ReadFileTree(scratch.path()),
      UnorderedElementsAre(Pair("maps", FileEntry{FileEntry::Kind::kDirectory, 0750, ""}),
                           Pair("maps/aliases", FileEntry{FileEntry::Kind::kFile, 0600, "a\n"}),
                           Pair("aliases", FileEntry{FileEntry::Kind::kLink, 0, "maps/aliases"})));
}

TEST(FileTree, OfTooMuch_IsRefused) {
  const TemporaryDirectory scratch;
  for (const char* name : {"/a", "/b"}) {
    std::ofstream(scratch.path() + name) << "";
    std::filesystem::resize_file(scratch.path() + name, kLargestFileTree / 2 + 1);
  }
  EXPECT_EQ(ReadFileTree(scratch.path()).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(FileTree, OfNoDirectory_IsEmpty) {
  EXPECT_THAT(*ReadFileTree("/nonexistent/directory"), IsEmpty());
}

}  // namespace
}  // namespace mainspring::testing
