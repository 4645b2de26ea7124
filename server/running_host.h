// RunningHost: a whole host in a test's process, on free ports of loopback, with threads, time and
// gRPC as they are in the field: for what only a host has. A component's own tests are better off
// with "mainspring/testing.h", where nothing happens by itself.
//
//   RunningHost host({v1::OrdersType<Orders>("orders")});
//   ASSERT_TRUE(host.Start().ok());
//   auto channel = grpc::CreateChannel(host.data_address(), grpc::InsecureChannelCredentials());
//
// Link mainspring::testing_host. What is thrown here, std::logic_error, says what is wrong with the
// test.
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
// each other. It leaves signals alone and logs nothing. Where a component, or what it gave to
// RunBlocking, hangs for longer than a drain has time, there is no way on: the process ends with
// code 70, and says who it was on standard error.
class RunningHost {
 public:
  // One component of each type, as HostMain begins with, and no lame duck; `adjust` changes it.
  explicit RunningHost(
      std::vector<ComponentType> types,
      const std::function<void(HostConfig&)>& adjust = [](HostConfig&) {});
  // With a configuration that is taken as it is, and in a world of the test's, which must outlive
  // it.
  RunningHost(std::vector<ComponentType> types, HostConfig config, World world);
  // Drains at once, where it was started and not drained: what is not answered by then is refused.
  ~RunningHost();

  // As Host::Start; then it runs. Once.
  absl::Status Start();

  // As SIGTERM: waits for the calls, and gives the exit code; -1 where it did not start.
  int Drain(const std::string& reason = "the test");
  // The same of a drain that somebody else begins.
  int Join();

  // Where its planes listen: "127.0.0.1:43210". Once started.
  const std::string& data_address() const;
  const std::string& admin_address() const;
  Host& host() { return host_; }
  DrainTrigger& trigger() { return trigger_; }

 private:
  // What each main of gRPC's needs: distributions' abseil aborts at a circle of locks that gRPC
  // once took.
  struct LocksAsInMain {
    LocksAsInMain();
  };
  const std::string& FirstOf(const std::vector<std::string>& (Host::*addresses)() const) const;

  const LocksAsInMain locks_;
  DrainTrigger trigger_;
  Host host_;
  absl::Status started_ = absl::FailedPreconditionError("Start was not called");
  std::thread runner_;
  int exit_code_ = -1;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_SERVER_RUNNING_HOST_H_
