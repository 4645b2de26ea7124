#include "tests/cookbook/relay.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "mainspring/file_tree.h"
#include "mainspring/testing.h"

namespace cookbook {
namespace {

class RelayTest : public ::testing::Test {
 protected:
  RelayTest() {
    char path[] = "/tmp/relay-XXXXXX";
    directory_ = mkdtemp(path);
    stage_.Add<Relay>("relay", directory_ + "/relay");
  }
  ~RelayTest() override { std::filesystem::remove_all(directory_); }

  static v1::RelayConfig To(const std::string& host) {
    v1::RelayConfig config;
    config.set_host(host);
    return config;
  }
  std::string Installed() const {
    const auto tree = mainspring::ReadFileTree(directory_ + "/relay");
    return tree.ok() && tree->contains("main.cf") ? tree->at("main.cf").content : "";
  }

  std::string directory_;
  mainspring::testing::Stage stage_;
};

TEST_F(RelayTest, ASection_IsInstalledBeforeItIsApplied) {
  ASSERT_TRUE(stage_.Configure("relay", To("a.example")).ok());
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(Installed(), "relayhost = a.example\n");
  ASSERT_TRUE(stage_.Configure("relay", To("b.example")).ok());
  EXPECT_EQ(Installed(), "relayhost = b.example\n");
  const auto relay = stage_.Await(stage_.Ref<v1::RelayRef>("relay").GetRelay({}));
  EXPECT_EQ(relay->host(), "b.example");
  EXPECT_EQ(relay->reloads(), 2);
}

TEST_F(RelayTest, WhatIsRefused_LeavesTheFiles) {
  ASSERT_TRUE(stage_.Configure("relay", To("a.example")).ok());
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.Configure("relay", To("")), absl::InvalidArgumentError("host: missing"));
  EXPECT_EQ(Installed(), "relayhost = a.example\n");
}

}  // namespace
}  // namespace cookbook
