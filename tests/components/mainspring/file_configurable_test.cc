#include "mainspring/file_configurable.h"

#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "mainspring/file_tree.h"
#include "mainspring/testing.h"
#include "tests/components/mainspring/speaker.h"
#include "tests/server/trial_directory.h"

namespace mainspring::testing {
namespace {

using google::protobuf::StringValue;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StringValue Saying(const std::string& text) {
  StringValue section;
  section.set_value(text);
  return section;
}

// Has its word in a file. `log`: what was in that file in Apply.
class Printer final : public Component,
                      public Handler<SpeakerRequest>,
                      public FileConfigurable<StringValue> {
 public:
  using Request = SpeakerRequest;
  Printer(Context& context, const std::string& directory, std::vector<std::string>* log)
      : Component(context), FileConfigurable(directory), log_(*log) {}

  absl::Status Validate(const StringValue& config) override {
    if (config.value() != "bad") return absl::OkStatus();
    return absl::InvalidArgumentError("value: \"bad\" is bad");
  }
  absl::Status GenerateFiles(const StringValue& config, const std::string& directory) override {
    if (config.value() == "unprintable") return absl::InvalidArgumentError("it cannot be printed");
    if (config.value() == "pipe") mkfifo((directory + "/word").c_str(), 0600);
    if (config.value() == "pipe") return absl::OkStatus();
    return WriteConfigFile(directory + "/word", config.value());
  }
  void Apply(StringValue) override { log_.push_back(Word(config_directory().path())); }
  void Handle(SpeakerRequest&&) override {}

  static std::string Word(const std::string& directory) {
    const auto tree = ReadFileTree(directory);
    return tree.ok() && tree->contains("word") ? tree->at("word").content : "";
  }

 private:
  std::vector<std::string>& log_;
};

class FileConfigurableTest : public ::testing::Test {
 protected:
  FileConfigurableTest() { stage_.Add<Printer>("printer", path_, &log_); }
  std::string Word() const { return Printer::Word(path_); }

  const TemporaryDirectory scratch_;
  const std::string path_ = scratch_.File("printer");
  std::vector<std::string> log_;
  Stage stage_;
};

TEST_F(FileConfigurableTest, TheFirstSection_IsInstalledBeforeStart) {
  ASSERT_TRUE(stage_.Configure("printer", Saying("a")).ok());
  EXPECT_EQ(Word(), "");
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_THAT(log_, ElementsAre("a"));
}

TEST_F(FileConfigurableTest, AnotherSection_IsInstalledBeforeApply) {
  ASSERT_TRUE(stage_.Start().ok());
  ASSERT_TRUE(stage_.Configure("printer", Saying("b")).ok());
  EXPECT_THAT(log_, ElementsAre("", "b"));
  EXPECT_EQ(Printer::Word(path_ + ".previous"), "");
  EXPECT_TRUE(std::filesystem::exists(path_ + ".previous/word"));
}

TEST_F(FileConfigurableTest, WhatIsRefused_ChangesNothing) {
  ASSERT_TRUE(stage_.Configure("printer", Saying("a")).ok());
  ASSERT_TRUE(stage_.Start().ok());
  log_.clear();
  EXPECT_EQ(stage_.Configure("printer", Saying("bad")),
            absl::InvalidArgumentError("value: \"bad\" is bad"));
  EXPECT_EQ(stage_.Configure("printer", Saying("unprintable")),
            absl::InvalidArgumentError("it cannot be printed"));
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_EQ(Word(), "a");
}

TEST_F(FileConfigurableTest, WhatCannotBeInstalled_ChangesNothing) {
  ASSERT_TRUE(stage_.Configure("printer", Saying("a")).ok());
  ASSERT_TRUE(stage_.Start().ok());
  log_.clear();
  EXPECT_THAT(std::string(stage_.Configure("printer", Saying("pipe")).message()),
              HasSubstr("printer.next/word: is no file"));
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_EQ(Word(), "a");
  EXPECT_TRUE(stage_.Configure("printer", Saying("b")).ok()) << "it goes on as it was";
}

TEST_F(FileConfigurableTest, WhereItsDirectoryCannotBe_TheStartFailsAndSaysWhy) {
  std::filesystem::remove_all(scratch_.path());
  const absl::Status started = stage_.Start();
  EXPECT_THAT(std::string(started.message()), HasSubstr(scratch_.path() + ": cannot be looked at"));
  EXPECT_THAT(log_, IsEmpty());
}

}  // namespace
}  // namespace mainspring::testing
