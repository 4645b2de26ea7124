// TrialHost: a whole host with components of the test's choice, on loopback and a unix socket.
#ifndef MAINSPRING_TESTS_SERVER_TRIAL_HOST_H_
#define MAINSPRING_TESTS_SERVER_TRIAL_HOST_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/mutex.h"
#include "mainspring/server/running_host.h"
#include "tests/server/hooked_type.h"
#include "tests/server/trial_client.h"
#include "tests/testing/trial.h"

namespace mainspring::testing {

inline ComponentType TrialType() { return trial::v1::TrialType<Trial>("trial"); }

// One component, no lame duck, and nothing that takes long.
inline HostConfig QuickConfig(const std::string& admin_socket) {
  HostConfig config;
  ComponentConfig trial;
  trial.name = "trial";
  trial.type = "trial";
  trial.on_exception = OnException::kRestart;
  config.components.push_back(trial);
  config.data.addresses = {"127.0.0.1:0"};
  config.admin.addresses = {"unix:" + admin_socket};
  config.lame_duck = absl::ZeroDuration();
  config.drain_timeout = absl::Seconds(10);
  return config;
}

// What a host does to the world, caught. Any thread.
class CaughtWorld {
 public:
  World world() {
    World world;
    world.log = &log_;
    world.terminate_later = [](absl::Duration, int) {};
    world.terminate = [this](int code) {
      MutexLock lock(mutex_);
      terminated_.push_back(code);
    };
    world.print_exit_line = [this](const std::string& line) {
      MutexLock lock(mutex_);
      exit_lines_.push_back(line);
    };
    return world;
  }

  std::vector<int> terminated() const {
    MutexLock lock(mutex_);
    return terminated_;
  }
  std::vector<std::string> exit_lines() const {
    MutexLock lock(mutex_);
    return exit_lines_;
  }

 private:
  EventLog log_;
  mutable Mutex mutex_;
  std::vector<int> terminated_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> exit_lines_ ABSL_GUARDED_BY(mutex_);
};

class TrialHost {
 public:
  explicit TrialHost(
      const std::function<void(HostConfig&)>& adjust = [](HostConfig&) {},
      std::vector<ComponentType> types = {TrialType()})
      : running_(std::move(types), Config(adjust), world_.world()) {}

  // As RunningHost's.
  absl::Status Start() { return running_.Start(); }
  int Join() { return running_.Join(); }
  int Drain(const std::string& reason = "test") { return running_.Drain(reason); }
  Host& host() { return running_.host(); }
  DrainTrigger& trigger() { return running_.trigger(); }

  CaughtWorld& world() { return world_; }
  // Also while it starts.
  std::shared_ptr<grpc::Channel> Data() { return ConnectTo(host().data_addresses().front()); }
  std::shared_ptr<grpc::Channel> Admin() { return ConnectTo(host().admin_addresses().front()); }
  std::unique_ptr<trial::v1::Trial::Stub> NewStub() { return trial::v1::Trial::NewStub(Data()); }

 private:
  HostConfig Config(const std::function<void(HostConfig&)>& adjust) const {
    HostConfig config = QuickConfig(directory_.File("admin"));
    adjust(config);
    return config;
  }

  TemporaryDirectory directory_;
  CaughtWorld world_;
  RunningHost running_;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_TRIAL_HOST_H_
