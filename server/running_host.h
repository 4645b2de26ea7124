// RunningHost: a whole host in a test's process, on free ports of loopback, with threads, time and
// gRPC as they are in the field: for what only a host has. A component's own tests are better off
// with "mainspring/testing.h", where nothing happens by itself.
//
//   RunningHost host({v1::OrdersType<Orders>("orders"),
//   v1::InventoryType<Inventory>("inventory")}); ASSERT_TRUE(host.Start().ok()); auto stub =
//   v1::Orders::NewStub(
//       grpc::CreateChannel(host.data_address(), grpc::InsecureChannelCredentials()));
//
// Link mainspring::testing_host.
#ifndef MAINSPRING_SERVER_RUNNING_HOST_H_
#define MAINSPRING_SERVER_RUNNING_HOST_H_

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/server/drain/drain_trigger.h"
#include "mainspring/server/host.h"
#include "mainspring/server/rpc/component_type.h"
#include "mainspring/server/world/world.h"

namespace mainspring::testing {

// Used by one thread, but for what its parts say. Several in a process are fine, and see nothing of
// each other. It leaves signals alone, logs nothing and prints no exit line, and ends the process
// only where a component hangs beyond all that the drain has time for.
class RunningHost {
 public:
  // One component of each type, as HostMain begins with, and no lame duck; `adjust` changes it.
  explicit RunningHost(
      std::vector<ComponentType> types,
      const std::function<void(HostConfig&)>& adjust = [](HostConfig&) {});
  // In a world that is more than quiet.
  RunningHost(std::vector<ComponentType> types, HostConfig config, World world);
  // Drains at once, where it was started and not drained: what is not answered by then is refused.
  ~RunningHost();

  // As Host::Start; then it runs.
  absl::Status Start();

  // As SIGTERM: waits for the calls, and gives the exit code. Once, after Start.
  int Drain(const std::string& reason = "the test");
  // Waits for a drain that somebody else has begun.
  int Join();

  // Where its planes listen: "127.0.0.1:43210". After Start.
  const std::string& data_address() const { return host_.data_addresses().front(); }
  const std::string& admin_address() const { return host_.admin_addresses().front(); }
  Host& host() { return host_; }
  DrainTrigger& trigger() { return trigger_; }

 private:
  DrainTrigger trigger_;
  Host host_;
  std::thread runner_;
  int exit_code_ = -1;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_SERVER_RUNNING_HOST_H_
