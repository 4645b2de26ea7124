// ClockHost: a host of a great many clocks, as the benchmarks start and stop it.
#ifndef MAINSPRING_TESTS_BENCH_CLOCK_HOST_H_
#define MAINSPRING_TESTS_BENCH_CLOCK_HOST_H_

#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "components/clock/clock.h"
#include "mainspring/clock/v1/clock.binding.pb.h"
#include "mainspring/server/host.h"

namespace mainspring::bench {

class ClockHost {
 public:
  // So many clocks, "clock0" and on. `depend` says of each, by its number, what it depends on.
  // `program` names the admin socket.
  ClockHost(const std::string& program, int components,
            const std::function<void(int number, ComponentConfig& clock)>& depend)
      : admin_(absl::StrCat("/tmp/mainspring-", program, "-", getpid(), ".sock")) {
    HostConfig config;
    for (int i = 0; i < components; ++i) {
      ComponentConfig& clock = config.components.emplace_back();
      clock.name = Name(i);
      clock.type = "clock";
      depend(i, clock);
    }
    config.data.addresses = {"127.0.0.1:0"};
    config.admin.addresses = {admin()};
    config.lame_duck = absl::ZeroDuration();
    World world;
    world.log = &log_;
    world.print_exit_line = [](const std::string&) {};
    host_ = std::make_unique<Host>(
        std::vector<ComponentType>{clock::v1::ClockType<clock::Clock>("clock")}, std::move(config),
        std::move(world));
  }

  static std::string Name(int number) { return absl::StrCat("clock", number); }
  std::string admin() const { return "unix:" + admin_; }

  absl::Status Start() { return host_->Start(); }
  // Drains it; the exit code.
  int Drain() {
    DrainTrigger trigger;
    trigger.Pull("the end");
    return host_->Run(trigger);
  }

 private:
  const std::string admin_;
  EventLog log_;
  std::unique_ptr<Host> host_;
};

}  // namespace mainspring::bench

#endif  // MAINSPRING_TESTS_BENCH_CLOCK_HOST_H_
