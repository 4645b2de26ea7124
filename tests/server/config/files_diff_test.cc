#include "mainspring/server/config/files_diff.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mainspring {
namespace {

FileEntry File(const std::string& content, mode_t permissions = 0644) {
  return {FileEntry::Kind::kFile, permissions, content};
}

std::string Diff(const FileTree& before, const FileTree& after) {
  return DiffFiles(before, after, {"hush", "hushhush", ""});
}

TEST(DiffFiles, OfWhatIsTheSame_IsNothing) {
  EXPECT_EQ(Diff({{"a", File("1\n")}}, {{"a", File("1\n")}}), "");
}

TEST(DiffFiles, OfChangedLines_HasSomeAround) {
  EXPECT_EQ(Diff({{"a", File("1\n2\n3\n4\n5\n6\n7\n8\n9\n")}},
                 {{"a", File("1\n2\n3\n4\nfive\n6\n7\n8\n9\n")}}),
            "--- a/a\n+++ b/a\n@@ -2,8 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n 9\n");
}

TEST(DiffFiles, OfAFileThatComesOrGoes_IsAllOfIt) {
  EXPECT_EQ(Diff({}, {{"a", File("1\n2\n")}}),
            "# a: is new: a file with 0644\n--- /dev/null\n+++ b/a\n@@ -0,0 +1,2 @@\n+1\n+2\n");
  EXPECT_EQ(Diff({{"a", File("1\n")}}, {}),
            "# a: is gone: a file with 0644\n--- a/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-1\n");
}

TEST(DiffFiles, OfALastLineWithoutAnEnd_SaysSo) {
  EXPECT_EQ(Diff({{"a", File("1\n2")}}, {{"a", File("1\n2\n")}}),
            "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+2\n");
}

TEST(DiffFiles, OfWhatIsNotInFiles_SaysIt) {
  const FileEntry directory{FileEntry::Kind::kDirectory, 0755, ""};
  const FileEntry link{FileEntry::Kind::kLink, 0, "there"};
  EXPECT_EQ(Diff({{"d", directory}, {"l", File("")}, {"p", File("x")}},
                 {{"l", link}, {"p", File("x", 0600)}}),
            "# d: is gone: a directory with 0755\n"
            "# l: was a file with 0644, and is a link to there\n"
            "# p: was a file with 0644, and is a file with 0600\n");
}

TEST(DiffFiles, OfSecrets_ShowsNone) {
  EXPECT_EQ(Diff({{"a", File("k hush\nn 1\n")}}, {{"a", File("k hushhush\nn 2\n")}}),
            "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n k <redacted>\n-n 1\n+n 2\n");
  EXPECT_EQ(Diff({{"a", File("hush")}}, {{"a", File("hushhush")}}),
            "# a: what is secret in it differs\n");
  EXPECT_EQ(Diff({{"a", File("1", 0640)}}, {{"a", File("2", 0640)}}),
            "# a: what is in it differs, and is not for everybody to read\n");
  EXPECT_EQ(Diff({}, {{"hush", File("1\n")}}),
            "# <redacted>: is new: a file with 0644\n--- /dev/null\n+++ b/<redacted>\n"
            "@@ -0,0 +1,1 @@\n+1\n");
  const FileEntry closed{FileEntry::Kind::kDirectory, 0700, ""};
  EXPECT_EQ(Diff({{"d", closed}, {"d/a", File("1")}}, {{"d", closed}, {"d/a", File("2")}}),
            "# d/a: what is in it differs, and is not for everybody to read\n");
}

TEST(DiffFiles, OfNoText_ShowsNone) {
  const std::string shown = "# a: what is in it differs, and is no text\n";
  EXPECT_EQ(Diff({{"a", File("1")}}, {{"a", File(std::string("\0", 1))}}), shown);
  EXPECT_EQ(Diff({{"a", File("\xff")}}, {{"a", File("1")}}), shown);
}

TEST(DiffFiles, OfTooMuch_Ends) {
  std::string many;
  for (int i = 0; i <= 10'000; ++i) many += "x\n";
  EXPECT_EQ(Diff({{"a", File("")}}, {{"a", File(many)}}),
            "# a: what is in it differs, and is too much to be shown\n");
  FileTree files;
  for (int i = 0; i < 100; ++i) files[absl::StrCat(i)] = File(std::string(10'000, 'y') + "\n");
  const std::string diff = Diff({}, files);
  EXPECT_LE(diff.size(), 257u << 10);
  EXPECT_EQ(diff.substr(diff.size() - 12), "\n# and more\n");
}

}  // namespace
}  // namespace mainspring
