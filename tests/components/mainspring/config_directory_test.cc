#include "mainspring/config_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "mainspring/file_tree.h"
#include "tests/server/trial_directory.h"

namespace mainspring::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class ConfigDirectoryTest : public ::testing::Test {
 protected:
  // A set of one file is made and installed.
  absl::StatusOr<bool> InstallOne(const std::string& content, mode_t permissions = 0644) {
    absl::Status made = directory_.Begin();
    made.Update(WriteConfigFile(directory_.next() + "/one.cf", content, permissions));
    if (!made.ok()) return made;
    return directory_.Install();
  }
  static std::string ContentOf(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static bool IsThere(const std::string& path) { return std::filesystem::exists(path); }

  const TemporaryDirectory scratch_;
  ConfigDirectory directory_{scratch_.path() + "/files"};
};

TEST_F(ConfigDirectoryTest, Install_OfTheFirstSet_PutsItThere) {
  EXPECT_EQ(*InstallOne("1"), true);
  EXPECT_EQ(ContentOf(directory_.path() + "/one.cf"), "1");
  EXPECT_FALSE(IsThere(directory_.previous()));
  EXPECT_FALSE(IsThere(directory_.next()));
  struct stat status;
  ASSERT_EQ(stat(directory_.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0755u);
}

TEST_F(ConfigDirectoryTest, Install_OfAnother_KeepsTheOneBefore) {
  ASSERT_TRUE(InstallOne("1").ok());
  ASSERT_TRUE(InstallOne("2").ok());
  EXPECT_EQ(*InstallOne("3"), true);
  EXPECT_EQ(ContentOf(directory_.path() + "/one.cf"), "3");
  EXPECT_EQ(ContentOf(directory_.previous() + "/one.cf"), "2");
  EXPECT_FALSE(IsThere(directory_.next()));
}

TEST_F(ConfigDirectoryTest, Install_OfTheSame_TouchesNothing) {
  ASSERT_TRUE(InstallOne("1").ok());
  ASSERT_TRUE(InstallOne("2").ok());
  EXPECT_EQ(*InstallOne("2"), false);
  EXPECT_EQ(ContentOf(directory_.previous() + "/one.cf"), "1");
  EXPECT_FALSE(IsThere(directory_.next()));
  EXPECT_EQ(*InstallOne("2", 0600), true) << "other permissions are another set";
}

TEST_F(ConfigDirectoryTest, Install_OverWhatSomebodyHasChanged_ReplacesAllOfIt) {
  ASSERT_TRUE(InstallOne("1").ok());
  std::ofstream(directory_.path() + "/one.cf") << "by hand";
  std::ofstream(directory_.path() + "/two.cf") << "by hand";
  EXPECT_EQ(*InstallOne("1"), true);
  EXPECT_THAT(*ReadFileTree(directory_.path()),
              UnorderedElementsAre(Pair("one.cf", FileEntry{FileEntry::Kind::kFile, 0644, "1"})));
  EXPECT_EQ(ContentOf(directory_.previous() + "/two.cf"), "by hand");
}

TEST_F(ConfigDirectoryTest, Install_WhileSomebodyReads_IsNeverMissing) {
  ASSERT_TRUE(InstallOne("0").ok());
  const std::string path = directory_.path() + "/one.cf";
  std::atomic<bool> over = false;
  std::atomic<int> reads = 0;
  int missing = 0;
  std::thread reader([&] {
    for (; !over; ++reads) missing += ContentOf(path).empty() ? 1 : 0;
  });
  while (reads == 0) std::this_thread::yield();
  for (int i = 1; i <= 100; ++i) {
    EXPECT_TRUE(InstallOne(std::to_string(i)).ok());
    EXPECT_EQ(ContentOf(path), std::to_string(i));
  }
  over = true;
  reader.join();
  EXPECT_EQ(missing, 0);
}

TEST_F(ConfigDirectoryTest, Install_BelowALink_PutsItThere) {
  std::filesystem::create_directory(scratch_.path() + "/real");
  std::filesystem::create_symlink("real", scratch_.path() + "/link");
  ConfigDirectory below(scratch_.path() + "/link/files");
  for (const char* content : {"1", "2"}) {
    ASSERT_TRUE(below.Begin().ok());
    ASSERT_TRUE(WriteConfigFile(below.next() + "/one.cf", content).ok());
    const absl::StatusOr<bool> installed = below.Install();
    ASSERT_TRUE(installed.ok()) << installed.status();
    EXPECT_EQ(ContentOf(scratch_.path() + "/real/files/one.cf"), content);
  }
}

TEST_F(ConfigDirectoryTest, Install_OfADirectoryThatWasClosedByHand_OpensIt) {
  ASSERT_TRUE(InstallOne("1").ok());
  ASSERT_EQ(chmod(directory_.path().c_str(), 0700), 0);
  EXPECT_EQ(*InstallOne("1"), true);
}

TEST_F(ConfigDirectoryTest, Begin_OverWhatWasNotInstalled_MakesItAnew) {
  ASSERT_TRUE(directory_.Begin().ok());
  ASSERT_TRUE(WriteConfigFile(directory_.next() + "/old.cf", "").ok());
  ASSERT_TRUE(directory_.Begin().ok());
  EXPECT_THAT(*ReadFileTree(directory_.next()), IsEmpty());
}

TEST_F(ConfigDirectoryTest, Begin_OverALink_LeavesWhereItLeads) {
  std::filesystem::create_directory(scratch_.path() + "/precious");
  std::ofstream(scratch_.path() + "/precious/file") << "kept";
  std::filesystem::create_symlink(scratch_.path() + "/precious", directory_.next());
  ASSERT_TRUE(directory_.Begin().ok());
  EXPECT_EQ(ContentOf(scratch_.path() + "/precious/file"), "kept");
  EXPECT_FALSE(std::filesystem::is_symlink(directory_.next()));
}

TEST_F(ConfigDirectoryTest, Begin_WhereItCannotBe_SaysWhere) {
  const auto refusal = [](const std::string& path) {
    return std::string(ConfigDirectory(path).Begin().message());
  };
  EXPECT_THAT(refusal("relative"), HasSubstr("\"relative\": is not the absolute path"));
  EXPECT_THAT(refusal(""), HasSubstr("is not the absolute path"));
  EXPECT_THAT(refusal("/"), HasSubstr("is not the absolute path"));
  EXPECT_THAT(refusal(scratch_.path() + "/x/../y"), HasSubstr("is not the absolute path"));
  EXPECT_THAT(refusal(scratch_.path() + "/none/files"), HasSubstr("/none: cannot be looked at"));
  std::filesystem::create_directory(scratch_.path() + "/open");
  ASSERT_EQ(chmod((scratch_.path() + "/open").c_str(), 0777), 0);
  EXPECT_THAT(refusal(scratch_.path() + "/open/files"), HasSubstr("others may not write to"));
}

TEST_F(ConfigDirectoryTest, Install_OfWhatIsNoFile_ChangesNothing) {
  ASSERT_TRUE(InstallOne("1").ok());
  ASSERT_TRUE(directory_.Begin().ok());
  ASSERT_EQ(mkfifo((directory_.next() + "/pipe").c_str(), 0600), 0);
  const absl::Status refused = directory_.Install().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("pipe: is no file"));
  EXPECT_EQ(ContentOf(directory_.path() + "/one.cf"), "1");
}

}  // namespace
}  // namespace mainspring::testing
