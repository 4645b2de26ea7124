#include "mainspring/server/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "components/clock/clock.h"
#include "mainspring/clock/v1/clock.binding.pb.h"
#include "tests/server/trial_client.h"

namespace mainspring {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConfigurationTest : public ::testing::Test {
 protected:
  Configuration Load(const std::string& file) {
    std::ofstream(directory_.File("f.yaml")) << file;
    flags_.config = directory_.File("f.yaml");
    return Configuration::Load(types_, adjust_, flags_);
  }

  testing::TemporaryDirectory directory_;
  std::vector<ComponentType> types_{clock::v1::ClockType<clock::Clock>("clock")};
  std::function<void(HostConfig&)> adjust_ = [](HostConfig&) {};
  HostFlags flags_;
};

TEST_F(ConfigurationTest, Load_WithoutAFile_IsOneOfEachType) {
  const Configuration loaded = Configuration::Load(types_, adjust_, flags_);
  ASSERT_TRUE(loaded.ok()) << loaded.Report();
  EXPECT_FALSE(loaded.has_file());
  EXPECT_EQ(loaded.config().components.size(), 1u);
  EXPECT_THAT(loaded.config().data.addresses, ElementsAre("0.0.0.0:50051"));
  EXPECT_EQ(loaded.config().admin.limits.max_connection_age, absl::ZeroDuration());
}

TEST_F(ConfigurationTest, Load_OfAFile_GoesOverTheProgramsDefaults) {
  adjust_ = [](HostConfig& config) {
    config.drain_timeout = absl::Seconds(50);
    config.exit_margin = absl::Seconds(1);
  };
  const Configuration loaded = Load("drain: {timeout: 60s}\n");
  ASSERT_TRUE(loaded.ok()) << loaded.Report();
  EXPECT_EQ(loaded.config().drain_timeout, absl::Seconds(60));
  EXPECT_EQ(loaded.config().exit_margin, absl::Seconds(1));
}

TEST_F(ConfigurationTest, Load_WithoutAFile_TellsWhatIsWrongInOneLine) {
  adjust_ = [](HostConfig& config) { config.components[0].type = "clok"; };
  const Configuration loaded = Configuration::Load(types_, adjust_, flags_);
  EXPECT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.Report(), HasSubstr("components[clock].type: no component type \"clok\""));
}

TEST_F(ConfigurationTest, Warnings_AreOfWhatNoFileSays) {
  adjust_ = [](HostConfig& config) { config.drain_timeout = absl::Seconds(1); };
  const Configuration loaded = Load("");
  EXPECT_TRUE(loaded.ok());
  EXPECT_THAT(loaded.Warnings(),
              Contains(HasSubstr("planes.data.limits.max_connection_age: max_connection_age")));
  EXPECT_FALSE(Load("drain: {timeout: 1s}").ok());
  flags_.given["drain.timeout"] = "--drain-timeout";
  EXPECT_TRUE(Load("planes: {data: {limits: {max_connection_age: 30s}}}").ok())
      << "a flag over the file";
}

TEST_F(ConfigurationTest, Sections_AreThoseOfTheClasses) {
  EXPECT_EQ(SectionsOf(types_).at("clock"), &clock::v1::ClockConfig::default_instance());
}

TEST_F(ConfigurationTest, Schema_ReadAgain_IsTheDefault) {
  const Configuration defaults = Configuration::Load(types_, adjust_, flags_);
  const Configuration again = Load(ConfigSchema(types_, adjust_));
  ASSERT_TRUE(again.ok()) << again.Report();
  EXPECT_THAT(again.Show(), HasSubstr("planes:\n  data:\n    addresses: [0.0.0.0:50051]  # "));
}

}  // namespace
}  // namespace mainspring
