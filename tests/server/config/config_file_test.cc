#include "mainspring/server/config/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "sample.pb.h"
#include "tests/server/trial_client.h"

namespace mainspring {
namespace {

using ::testing::HasSubstr;

const Sections& TestSections() {
  static const auto* const sections =
      new Sections{{"sample", &sample::v1::Item::default_instance()}, {"plain", nullptr}};
  return *sections;
}

TEST(ConfigFile, Parse_OfAWholeFile_HasWhatItSays) {
  Problems problems;
  const ConfigFile file = ConfigFile::Parse("f.yaml",
                                            "drain:\n  timeout: 40s\n"
                                            "components:\n"
                                            "  - name: one\n"
                                            "    type: sample\n"
                                            "    config: {value: 7}\n"
                                            "  - name: plain\n",
                                            TestSections(), problems);
  EXPECT_TRUE(problems.empty()) << problems.status();
  EXPECT_TRUE(file.whole);
  EXPECT_EQ(file.said.drain().timeout().seconds(), 40);
  sample::v1::Item section;
  ASSERT_TRUE(file.said.components(0).config().UnpackTo(&section));
  EXPECT_EQ(section.value(), 7);
  EXPECT_EQ(file.said.components(1).name(), "plain");
  EXPECT_EQ(file.origins.at("components[one].config.value"), (Position{6, 14}));
}

TEST(ConfigFile, Parse_OfASectionThatATypeDoesNotTake_SaysSo) {
  Problems problems;
  ConfigFile::Parse("f", "components: [{name: plain, config: {x: 1}}]", TestSections(), problems);
  EXPECT_EQ(problems.status().message(),
            "components[plain].config: its type takes none; leave it out");
}

TEST(ConfigFile, Parse_OfAnEmptyFile_SaysNothing) {
  Problems problems;
  EXPECT_TRUE(ConfigFile::Parse("f", "# nothing yet\n", TestSections(), problems).whole);
  EXPECT_TRUE(problems.empty());
}

TEST(ConfigFile, Read_OfWhatCannotBeRead_SaysWhy) {
  testing::TemporaryDirectory directory;
  std::ofstream(directory.File("large")) << std::string((1 << 20) + 1, '#');
  const std::pair<std::string, const char*> files[] = {
      {directory.File("none"), "cannot be read: No such file or directory"},
      {directory.path(), "cannot be read: Is a directory"},
      {directory.File("large"), "has more than 1024 KiB"}};
  for (const auto& [path, why] : files) {
    Problems problems;
    EXPECT_FALSE(ConfigFile::Read(path, TestSections(), problems).whole);
    EXPECT_THAT(std::string(problems.status().message()), HasSubstr(why));
  }
  std::ofstream(directory.File("small")) << "drain: {timeout: 1s}";
  Problems problems;
  EXPECT_TRUE(ConfigFile::Read(directory.File("small"), TestSections(), problems).whole);
}

}  // namespace
}  // namespace mainspring
