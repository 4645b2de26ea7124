#include "clients/probe/health_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "mainspring/server/rpc/listener.h"
#include "tests/server/trial_host.h"

namespace mainspring {
namespace {

using ::testing::HasSubstr;
using testing::kPatience;
using testing::TrialHost;

class HealthProbeTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(host_.Start().ok()); }

  static ProbeResult Probe(const std::string& address, const std::string& name = "") {
    return ProbeHealth(address, name, kPatience).result;
  }

  // "trial" runs, "idle" is not started.
  TrialHost host_{[](HostConfig& config) {
    ComponentConfig idle = config.components.front();
    idle.name = "idle";
    idle.autostart = false;
    idle.essential = false;
    config.components.push_back(idle);
  }};
};

TEST_F(HealthProbeTest, WhenItServes_SaysSo) {
  const std::string data = host_.host().data_addresses().front();
  EXPECT_EQ(ProbeResult::kServing, Probe(data));
  EXPECT_EQ(ProbeResult::kServing, Probe(data, "readiness"));
  EXPECT_EQ(ProbeResult::kServing, Probe(data, "trial"));
  EXPECT_EQ(ProbeResult::kServing, Probe(data, "mainspring.trial.v1.Trial"));
  EXPECT_EQ(data + "/liveness: SERVING", ProbeHealth(data, "liveness", kPatience).text);
}

TEST_F(HealthProbeTest, WhenItIsOnAUnixSocket_IsAskedThere) {
  const std::string admin = host_.host().admin_addresses().front();
  EXPECT_EQ(ProbeResult::kServing, Probe(admin));
  EXPECT_EQ(ProbeResult::kNotServing, Probe(admin, "idle"));
}

TEST_F(HealthProbeTest, WhenItDoesNotServe_SaysSo) {
  const ProbeReport report = ProbeHealth(host_.host().data_addresses().front(), "idle", kPatience);
  EXPECT_EQ(ProbeResult::kNotServing, report.result);
  EXPECT_THAT(report.text, HasSubstr("/idle: NOT_SERVING"));
}

TEST_F(HealthProbeTest, WhenTheNameIsNotKnown_HasFailed) {
  const ProbeReport report = ProbeHealth(host_.host().data_addresses().front(), "x", kPatience);
  EXPECT_EQ(ProbeResult::kFailed, report.result);
  EXPECT_THAT(report.text, HasSubstr("no such name"));
}

TEST(HealthProbe, WhenNobodyListens_IsNotConnected) {
  const std::string address = rpc::Listener::Listen("127.0.0.1:0").value().front()->address();
  const ProbeReport report = ProbeHealth(address, "", absl::Milliseconds(100));
  EXPECT_EQ(ProbeResult::kNotConnected, report.result);
  EXPECT_EQ(address + ": no connection within 100ms", report.text);
}

TEST(HealthProbe, WhenWhoListensSaysNothing_IsNotConnected) {
  const auto mute = rpc::Listener::Listen("127.0.0.1:0").value();
  EXPECT_EQ(ProbeResult::kNotConnected,
            ProbeHealth(mute.front()->address(), "", absl::Milliseconds(100)).result);
}

}  // namespace
}  // namespace mainspring
