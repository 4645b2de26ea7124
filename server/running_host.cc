#include "mainspring/server/running_host.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "mainspring/mutex.h"
#include "mainspring/server/drain/drain_report.h"

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

// The last line of a host, which says who hung. Any thread.
class LastLine {
 public:
  void Set(const std::string& line) {
    MutexLock lock(mutex_);
    line_ = line;
  }
  std::string Get() const {
    MutexLock lock(mutex_);
    return line_;
  }

 private:
  mutable Mutex mutex_;
  std::string line_ ABSL_GUARDED_BY(mutex_);
};

World QuietWorld() {
  const auto last = std::make_shared<LastLine>();
  World world;
  world.terminate_later = [](absl::Duration, int) {};
  world.print_exit_line = [last](const std::string& line) { last->Set(line); };
  world.terminate = [last](int) {
    std::fprintf(stderr, "RunningHost: something hangs, the process ends: %s\n",
                 last->Get().c_str());
    _exit(kExitForced);
  };
  return world;
}

}  // namespace

RunningHost::LocksAsInMain::LocksAsInMain() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

RunningHost::RunningHost(std::vector<ComponentType> types,
                         const std::function<void(HostConfig&)>& adjust)
    : RunningHost(types, ConfigFor(types, adjust), QuietWorld()) {}

RunningHost::RunningHost(std::vector<ComponentType> types, HostConfig config, World world)
    : host_(std::move(types), std::move(config), std::move(world)) {}

RunningHost::~RunningHost() {
  trigger_.PullTo(DrainTrigger::kStopNow, "end of test");
  Join();
}

absl::Status RunningHost::Start() {
  if (!absl::IsFailedPrecondition(started_)) throw std::logic_error("a RunningHost starts once");
  started_ = host_.Start();
  if (started_.ok()) runner_ = std::thread([this] { exit_code_ = host_.Run(trigger_); });
  return started_;
}

int RunningHost::Drain(const std::string& reason) {
  trigger_.Pull(reason);
  return Join();
}

int RunningHost::Join() {
  if (runner_.joinable()) runner_.join();
  return exit_code_;
}

const std::string& RunningHost::data_address() const { return FirstOf(&Host::data_addresses); }

const std::string& RunningHost::admin_address() const { return FirstOf(&Host::admin_addresses); }

const std::string& RunningHost::FirstOf(const std::vector<std::string>& (Host::*addresses)()
                                            const) const {
  if (!started_.ok()) {
    throw std::logic_error(absl::StrCat("the host has no addresses: ", started_.ToString()));
  }
  return (host_.*addresses)().front();
}

}  // namespace mainspring::testing
