// How a host fares that has a great many components: starts and stops hosts of clocks in layers,
// each clock needing two of the layer below, and tells what that took.
//
//   scale --components=1000 --layers=50
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "components/clock/clock.h"
#include "mainspring/clock/v1/clock.binding.pb.h"
#include "mainspring/server/drain/drain_trigger.h"
#include "mainspring/server/host.h"

ABSL_FLAG(int, components, 1000, "How many.");
ABSL_FLAG(int, layers, 50, "In how many layers.");
ABSL_FLAG(int, rounds, 3, "How often.");

namespace mainspring::bench {
namespace {

size_t ResidentBytes() {
  size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

HostConfig Layered(int components, int layers, const std::string& admin) {
  HostConfig config;
  const int width = components / layers;
  for (int i = 0; i < components; ++i) {
    ComponentConfig component;
    component.name = absl::StrCat("clock", i);
    component.type = "clock";
    if (i >= width) {
      component.depends_on.push_back({absl::StrCat("clock", i - width)});
      // Another one of the layer below.
      const int beside = (i / width - 1) * width + (i + 1) % width;
      if (beside != i - width) component.depends_on.push_back({absl::StrCat("clock", beside)});
    }
    config.components.push_back(component);
  }
  config.data.addresses = {"127.0.0.1:0"};
  config.admin.addresses = {"unix:" + admin};
  config.lame_duck = absl::ZeroDuration();
  return config;
}

int Run() {
  const int components = absl::GetFlag(FLAGS_components);
  const int layers = absl::GetFlag(FLAGS_layers);
  if (layers < 1 || components < 2 * layers) {
    std::fprintf(stderr, "scale: a layer needs two components at least\n");
    return 64;
  }
  EventLog log;
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    World world;
    world.log = &log;
    world.print_exit_line = [](const std::string&) {};
    const std::string admin = absl::StrCat("/tmp/mainspring-scale-", getpid(), ".sock");
    const size_t before = ResidentBytes();
    Host host({clock::v1::ClockType<clock::Clock>("clock")}, Layered(components, layers, admin),
              world);
    const absl::Time begin = absl::Now();
    if (absl::Status started = host.Start(); !started.ok()) {
      std::fprintf(stderr, "scale: %s\n", started.ToString().c_str());
      return 1;
    }
    const absl::Time up = absl::Now();
    const size_t after = ResidentBytes();
    DrainTrigger trigger;
    trigger.Pull("the end");
    const int code = host.Run(trigger);
    const absl::Time down = absl::Now();
    std::printf(
        "{\"components\":%d,\"layers\":%d,\"start_ms\":%.0f,\"stop_ms\":%.0f,"
        "\"resident_kib_each\":%.1f,\"exit_code\":%d}\n",
        components, layers, absl::ToDoubleMilliseconds(up - begin),
        absl::ToDoubleMilliseconds(down - up),
        static_cast<double>(after - before) / 1024 / components, code);
    std::fflush(stdout);
    if (code != 0) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace mainspring::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return mainspring::bench::Run();
}
