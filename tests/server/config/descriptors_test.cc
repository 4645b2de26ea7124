#include "mainspring/server/config/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace mainspring {
namespace {

HostConfig WithProbe() {
  HostConfig config;
  config.probe.addresses = {"127.0.0.1:0"};
  return config;
}

size_t Sum(const HostConfig& config) {
  return config.data.limits.max_connections + config.admin.limits.max_connections +
         config.probe.limits.max_connections;
}

TEST(FitConnections, WhenThereAreEnough_ChangesNothing) {
  HostConfig config = WithProbe();
  EXPECT_FALSE(FitConnections(100'000, config));
  EXPECT_EQ(Sum(WithProbe()), Sum(config));
}

TEST(FitConnections, WhenThereAreFew_LeavesSomeForEachPlaneAndForTheRest) {
  for (const size_t descriptors : {64, 256, 1024, 4096, 12'000}) {
    HostConfig config = WithProbe();
    EXPECT_TRUE(FitConnections(descriptors, config)) << descriptors;
    EXPECT_LE(Sum(config), descriptors - descriptors / 100) << descriptors;
    EXPECT_GE(config.admin.limits.max_connections, 4u) << descriptors;
    EXPECT_GE(config.probe.limits.max_connections, 4u) << descriptors;
    EXPECT_GE(config.data.limits.max_connections, config.admin.limits.max_connections);
  }
}

TEST(FitConnections, WhenThereIsNoProbePlane_ItGetsNothing) {
  HostConfig with = WithProbe();
  HostConfig without;
  EXPECT_TRUE(FitConnections(1024, with));
  EXPECT_TRUE(FitConnections(1024, without));
  EXPECT_GT(without.data.limits.max_connections, with.data.limits.max_connections);
}

TEST(FitConnections, WhenTheOperatorSetLess_KeepsThat) {
  HostConfig config;
  config.data.limits.max_connections = 10;
  config.admin.limits.max_connections = 5;
  EXPECT_FALSE(FitConnections(1024, config));
  EXPECT_EQ(10u, config.data.limits.max_connections);
}

TEST(RaiseDescriptorLimit, WhenTheSoftLimitIsLower_RaisesItToTheHardOne) {
  rlimit before = {};
  ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
  rlimit low = before;
  low.rlim_cur = 100;
  ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &low));
  EXPECT_EQ(before.rlim_max, RaiseDescriptorLimit());
  rlimit after = {};
  ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &after));
  EXPECT_EQ(before.rlim_max, after.rlim_cur);
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace mainspring
