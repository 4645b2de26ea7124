#include "server/config/host_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "tests/server/trial_client.h"

namespace mainspring {
namespace {

using ::testing::HasSubstr;

ComponentConfig Component(const std::string& name) {
  ComponentConfig component;
  component.name = name;
  component.type = "clock";
  return component;
}

HostConfig GoodConfig() {
  HostConfig config;
  config.components = {Component("clock")};
  config.data.addresses = {"0.0.0.0:50051"};
  config.admin.addresses = {"unix:/run/x/admin.sock", "127.0.0.1:50052", "[::1]:1", "localhost:1"};
  return config;
}

void ExpectError(const HostConfig& config, const std::string& text) {
  const absl::Status status = Validate(config);
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << text;
  EXPECT_EQ(text, status.message());
}

TEST(Validate, WhenNothingIsWrong_IsOk) { EXPECT_TRUE(Validate(GoodConfig()).ok()); }

TEST(Validate, WhenThereIsNoComponent_IsOk) {
  HostConfig config = GoodConfig();
  config.components.clear();
  EXPECT_TRUE(Validate(config).ok());
}

TEST(Validate, WhenAComponentHasNoName_SaysWhoseType) {
  HostConfig config = GoodConfig();
  config.components.push_back(Component(""));
  ExpectError(config, "a component of type \"clock\" has no name");
}

TEST(Validate, WhenANameIsUsedTwice_NamesIt) {
  HostConfig config = GoodConfig();
  config.components.push_back(Component("clock"));
  ExpectError(config, "two components are called \"clock\"");
}

TEST(Validate, WhenAPlaneHasNoAddress_NamesThePlane) {
  HostConfig config = GoodConfig();
  config.data.addresses.clear();
  ExpectError(config, "plane \"data\": no address");
  config = GoodConfig();
  config.admin.addresses.clear();
  ExpectError(config, "plane \"admin\": no address");
}

TEST(Validate, WhenTheAdminPlaneIsOpenToOthers_RefusesTheAddress) {
  for (const char* address : {"0.0.0.0:50052", "[::]:50052", "10.0.0.1:50052", "example.com:1"}) {
    HostConfig config = GoodConfig();
    config.admin.addresses.push_back(address);
    const absl::Status status = Validate(config);
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << address;
    EXPECT_THAT(std::string(status.message()), HasSubstr(address));
    EXPECT_THAT(std::string(status.message()), HasSubstr("use a unix socket or 127.0.0.1"));
    config.admin.insecure = true;
    EXPECT_TRUE(Validate(config).ok()) << "asked for, spelled out";
  }
}

TEST(Validate, WhenAHostNameOnlyLooksLikeLoopback_RefusesIt) {
  HostConfig config = GoodConfig();
  config.admin.addresses = {"127.example.com:50052"};
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, Validate(config).code());
}

TEST(Validate, ForEachDurationOfTheHost_RefusesNegativeAndInfinite) {
  const struct {
    const char* name;
    absl::Duration& (*field)(HostConfig&);
  } durations[] = {
      {"lame_duck", [](HostConfig& c) -> absl::Duration& { return c.lame_duck; }},
      {"drain_timeout", [](HostConfig& c) -> absl::Duration& { return c.drain_timeout; }},
      {"exit_margin", [](HostConfig& c) -> absl::Duration& { return c.exit_margin; }},
      {"max_connection_age",
       [](HostConfig& c) -> absl::Duration& { return c.data.limits.max_connection_age; }},
  };
  for (const auto& [name, field] : durations) {
    HostConfig config = GoodConfig();
    field(config) = absl::Seconds(-1);
    ExpectError(config, std::string(name) + ": -1s is not a time that can be waited for");
    field(config) = absl::InfiniteDuration();
    ExpectError(config, std::string(name) + ": inf is not a time that can be waited for");
    field(config) = absl::ZeroDuration();
    EXPECT_TRUE(Validate(config).ok()) << name;
  }
}

TEST(Validate, ForEachDurationOfAComponent_RefusesNegative) {
  absl::Duration ComponentConfig::*const durations[] = {&ComponentConfig::start_timeout,
                                                        &ComponentConfig::stop_timeout,
                                                        &ComponentConfig::stall_limit};
  for (absl::Duration ComponentConfig::*duration : durations) {
    HostConfig config = GoodConfig();
    config.components[0].*duration = absl::Seconds(-1);
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, Validate(config).code());
  }
}

TEST(Validate, WhenAStopTimeoutIsInfinite_RefusesIt) {
  // The exit guard waits for the sum of all: it would never act.
  HostConfig config = GoodConfig();
  config.components[0].stop_timeout = absl::InfiniteDuration();
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, Validate(config).code());
}

TEST(Validate, WhenSeveralThingsAreWrong_TellsThemAllAtOnce) {
  HostConfig config = GoodConfig();
  config.components = {Component(""), Component("a"), Component("a")};
  config.data.addresses.clear();
  config.lame_duck = absl::Seconds(-5);
  ExpectError(config,
              "a component of type \"clock\" has no name; two components are called \"a\"; plane "
              "\"data\": no address; lame_duck: -5s is not a time that can be waited for");
}

// Sets variables of the environment, and puts back what was there.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_.has_value()) {
      setenv(name_, before_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }

 private:
  const char* const name_;
  std::optional<std::string> before_;
};

class RunDirectoryTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory_;
  std::string path_;
};

TEST_F(RunDirectoryTest, WhenSystemdGivesOne_MakesItForTheUserAlone) {
  Variable variable("RUNTIME_DIRECTORY", directory_.File("run"));
  ASSERT_TRUE(MakeRunDirectory(path_).ok());
  EXPECT_EQ(directory_.File("run"), path_);
  struct stat made;
  ASSERT_EQ(0, stat(path_.c_str(), &made));
  EXPECT_EQ(0700u, made.st_mode & 07777);
  EXPECT_TRUE(MakeRunDirectory(path_).ok()) << "it may be there already";
}

TEST_F(RunDirectoryTest, WhenSystemdGivesSeveral_TakesTheFirst) {
  Variable variable("RUNTIME_DIRECTORY", directory_.File("one") + ":" + directory_.File("two"));
  ASSERT_TRUE(MakeRunDirectory(path_).ok());
  EXPECT_EQ(directory_.File("one"), path_);
}

TEST_F(RunDirectoryTest, WhenOnlyTheUserHasOne_IsInThere) {
  Variable systemd("RUNTIME_DIRECTORY", "");
  Variable user("XDG_RUNTIME_DIR", directory_.path());
  ASSERT_TRUE(MakeRunDirectory(path_).ok());
  EXPECT_EQ(directory_.File("mainspring"), path_);
}

TEST_F(RunDirectoryTest, WhenItCannotBeMade_SaysWhy) {
  Variable variable("RUNTIME_DIRECTORY", directory_.File("none/run"));
  const absl::Status status = MakeRunDirectory(path_);
  EXPECT_EQ(absl::StatusCode::kUnavailable, status.code());
  EXPECT_EQ("run directory " + directory_.File("none/run") + ": No such file or directory",
            status.message());
}

TEST_F(RunDirectoryTest, WhenAFileOrALinkStandsThere_Refuses) {
  std::ofstream(directory_.File("file")) << "x";
  std::filesystem::create_symlink(directory_.path(), directory_.File("link"));
  for (const char* name : {"file", "link"}) {
    Variable variable("RUNTIME_DIRECTORY", directory_.File(name));
    const absl::Status status = MakeRunDirectory(path_);
    EXPECT_EQ(absl::StatusCode::kUnavailable, status.code()) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("is not a directory of this user's"));
  }
}

}  // namespace
}  // namespace mainspring
