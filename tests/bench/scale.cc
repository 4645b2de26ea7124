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
#include "tests/bench/clock_host.h"

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

// Needs two of the layer below.
void Layer(int number, int width, ComponentConfig& clock) {
  if (number < width) return;
  clock.depends_on.push_back({ClockHost::Name(number - width)});
  const int beside = (number / width - 1) * width + (number + 1) % width;
  if (beside != number - width) clock.depends_on.push_back({ClockHost::Name(beside)});
}

int Run() {
  const int components = absl::GetFlag(FLAGS_components);
  const int layers = absl::GetFlag(FLAGS_layers);
  if (layers < 1 || components < 2 * layers) {
    std::fprintf(stderr, "scale: a layer needs two components at least\n");
    return 64;
  }
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    const size_t before = ResidentBytes();
    const int width = components / layers;
    ClockHost host("scale", components,
                   [width](int number, ComponentConfig& clock) { Layer(number, width, clock); });
    const absl::Time begin = absl::Now();
    if (absl::Status started = host.Start(); !started.ok()) {
      std::fprintf(stderr, "scale: %s\n", started.ToString().c_str());
      return 1;
    }
    const absl::Time up = absl::Now();
    const size_t after = ResidentBytes();
    const int code = host.Drain();
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
