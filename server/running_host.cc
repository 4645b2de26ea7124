#include "mainspring/server/running_host.h"

#include <utility>

#include "absl/synchronization/mutex.h"

namespace mainspring::testing {
namespace {

HostConfig ConfigFor(const std::vector<ComponentType>& types,
                     const std::function<void(HostConfig&)>& adjust) {
  HostConfig config = OneOfEach(types);
  config.data.addresses = {"127.0.0.1:0"};
  config.admin.addresses = {"127.0.0.1:0"};
  config.lame_duck = absl::ZeroDuration();
  adjust(config);
  return config;
}

World QuietWorld() {
  World world;
  world.terminate_later = [](absl::Duration, int) {};
  world.print_exit_line = [](const std::string&) {};
  return world;
}

}  // namespace

RunningHost::RunningHost(std::vector<ComponentType> types,
                         const std::function<void(HostConfig&)>& adjust)
    : RunningHost(types, ConfigFor(types, adjust), QuietWorld()) {}

RunningHost::RunningHost(std::vector<ComponentType> types, HostConfig config, World world)
    : host_(std::move(types), std::move(config), std::move(world)) {
  // As HostMain does: distributions' abseil aborts at a circle of locks that gRPC once took.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

RunningHost::~RunningHost() {
  if (!runner_.joinable()) return;
  trigger_.PullTo(DrainTrigger::kStopNow, "end of test");
  Join();
}

absl::Status RunningHost::Start() {
  absl::Status started = host_.Start();
  if (started.ok()) runner_ = std::thread([this] { exit_code_ = host_.Run(trigger_); });
  return started;
}

int RunningHost::Drain(const std::string& reason) {
  trigger_.Pull(reason);
  return Join();
}

int RunningHost::Join() {
  runner_.join();
  return exit_code_;
}

}  // namespace mainspring::testing
