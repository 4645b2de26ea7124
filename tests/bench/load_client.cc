// The load client: drives one server for one window and prints one line of JSON. Times in
// microseconds. Exit code 1 where a call failed; the first failure is on standard error.
//
// --facts prints what it was built of instead.
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/synchronization/mutex.h"
#include "tests/bench/load.h"

ABSL_FLAG(std::string, address, "", "the server, such as 127.0.0.1:50051");
ABSL_FLAG(int, connections, 4, "connections");
ABSL_FLAG(int, in_flight, 16, "calls in flight on each connection");
ABSL_FLAG(int, threads, 1, "threads that drive the connections");
ABSL_FLAG(double, warmup, 1, "seconds before the measured window");
ABSL_FLAG(double, seconds, 5, "seconds of the measured window");
ABSL_FLAG(std::string, time_zone, "", "what is asked for; empty is UTC");
ABSL_FLAG(int, server_pid, 0, "the process whose processor time is measured");
ABSL_FLAG(bool, facts, false, "print versions as JSON and exit");

namespace {

void PrintFacts() {
  std::printf(R"({"grpc": "%s", "compiler": "%s %s", "build_type": "%s"})"
              "\n",
              grpc::Version().c_str(),
#ifdef __clang__
              "clang", __clang_version__,
#else
              "g++", __VERSION__,
#endif
              MAINSPRING_BENCH_BUILD_TYPE);
}

void PrintResult(const mainspring::bench::LoadResult& result) {
  const auto calls = static_cast<double>(result.latency.total());
  const auto micros = [&](double fraction) { return result.latency.Percentile(fraction) / 1e3; };
  const auto a_call = [&](double seconds) { return calls > 0 ? seconds * 1e6 / calls : 0; };
  std::printf(R"({"calls": %.0f, "failed": %llu, "seconds": %.3f, "throughput": %.1f, )"
              R"("p50": %.1f, "p90": %.1f, "p99": %.1f, "p999": %.1f, )"
              R"("server_cpu": %.3f, "client_cpu": %.3f})"
              "\n",
              calls, static_cast<unsigned long long>(result.failed), result.seconds,
              calls / result.seconds, micros(0.5), micros(0.9), micros(0.99), micros(0.999),
              a_call(result.server_cpu_s), a_call(result.client_cpu_s));
}

mainspring::bench::LoadPlan PlanFromFlags() {
  mainspring::bench::LoadPlan plan;
  plan.address = absl::GetFlag(FLAGS_address);
  plan.connections = absl::GetFlag(FLAGS_connections);
  plan.in_flight = absl::GetFlag(FLAGS_in_flight);
  plan.threads = absl::GetFlag(FLAGS_threads);
  plan.warm_up = std::chrono::duration<double>(absl::GetFlag(FLAGS_warmup));
  plan.duration = std::chrono::duration<double>(absl::GetFlag(FLAGS_seconds));
  plan.time_zone = absl::GetFlag(FLAGS_time_zone);
  plan.server_pid = absl::GetFlag(FLAGS_server_pid);
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::ParseCommandLine(argc, argv);
  if (absl::GetFlag(FLAGS_facts)) {
    PrintFacts();
    return 0;
  }
  const mainspring::bench::LoadPlan plan = PlanFromFlags();
  if (plan.address.empty() || plan.connections < 1 || plan.in_flight < 1 || plan.threads < 1 ||
      plan.duration.count() <= 0) {
    std::fprintf(stderr, "load_client: --address and counts above zero are needed\n");
    return 64;
  }
  const mainspring::bench::LoadResult result = mainspring::bench::RunLoad(plan);
  PrintResult(result);
  if (result.failed == 0) return 0;
  std::fprintf(stderr, "load_client: %llu calls failed, the first: %s\n",
               static_cast<unsigned long long>(result.failed), result.failure.c_str());
  return 1;
}
