#include "mainspring/server/config/sections.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sample.pb.h"

namespace mainspring {
namespace {

std::string Told(const HostConfig& config) {
  Problems problems;
  CheckSections(config, {{"sample", &sample::v1::Item::default_instance()}, {"plain", nullptr}},
                problems);
  return std::string(problems.status().message());
}

TEST(Sections, CheckSections_OfWhatFits_AddsNothing) {
  HostConfig config;
  config.Add("plain");
  config.Add("sample").config = std::make_shared<sample::v1::Item>();
  config.Add("sample", "b");
  EXPECT_EQ(Told(config), "");
}

TEST(Sections, CheckSections_OfAnUnknownType_TellsTheNearestAndAll) {
  HostConfig config;
  config.Add("sampel", "a");
  config.Add("zzzzzzzz", "b");
  EXPECT_EQ(Told(config),
            "components[a].type: no component type \"sampel\"; did you mean \"sample\"?; there "
            "are: sample, plain; components[b].type: no component type \"zzzzzzzz\"; there are: "
            "plain, sample");
}

TEST(Sections, CheckSections_OfAnotherMessage_NamesBoth) {
  HostConfig config;
  config.Add("plain").config = std::make_shared<sample::v1::Item>();
  config.Add("sample").config = std::make_shared<sample::v1::Sample>();
  EXPECT_EQ(Told(config),
            "components[plain].config: its type takes none; leave it out; "
            "components[sample].config: is a mainspring.sample.v1.Sample, and not a "
            "mainspring.sample.v1.Item");
}

}  // namespace
}  // namespace mainspring
