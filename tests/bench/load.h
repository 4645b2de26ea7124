// The load: GetTime, again and again, from a fixed number of calls in flight.
#ifndef MAINSPRING_TESTS_BENCH_LOAD_H_
#define MAINSPRING_TESTS_BENCH_LOAD_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/bench/histogram.h"

namespace mainspring::bench {

struct LoadPlan {
  std::string address;  // what grpc::CreateChannel takes
  int connections = 4;
  int in_flight = 16;  // a connection
  int threads = 1;     // each with a completion queue and its share of the connections
  std::chrono::duration<double> warm_up{1};
  std::chrono::duration<double> duration{5};
  std::string time_zone;
  int server_pid = 0;  // 0: the server's processor time is not measured
};

struct LoadResult {
  Histogram latency;        // of the calls that were answered inside the window
  double seconds = 0;       // the window
  uint64_t failed = 0;      // not OK, or an answer with a field missing, warm-up included
  std::string failure;      // the first one
  double server_cpu_s = 0;  // inside the window
  double client_cpu_s = 0;  // inside the window, this process
};

// Opens the connections, each on a subchannel of its own, waits for all of them, and drives the
// plan. A call that has not come back ten seconds after the window is cancelled, and so failed.
// Blocks for warm-up and window. Ends the process with 1 where a connection cannot be had in 10 s.
LoadResult RunLoad(const LoadPlan& plan);

}  // namespace mainspring::bench

#endif  // MAINSPRING_TESTS_BENCH_LOAD_H_
