// HealthProbe: asks a host for its health once, as a container's health check or a script does. A
// client of grpc.health.v1 alone: it knows nothing of the host, and would ask any other server.
#ifndef MAINSPRING_CLIENTS_PROBE_HEALTH_PROBE_H_
#define MAINSPRING_CLIENTS_PROBE_HEALTH_PROBE_H_

#include <string>

#include "absl/time/time.h"

namespace mainspring {

// The exit codes of grpc_health_probe, which scripts know.
enum class ProbeResult {
  kServing = 0,
  kBadTarget = 1,
  kNotConnected = 2,
  kFailed = 3,  // the call failed, or was not answered in time; also where the name is not known
  kNotServing = 4,
};

struct ProbeReport {
  ProbeResult result;
  std::string text;  // one line for a person, but for what the server has in it
};

// Calls Check once. What the server says of a failure comes as it is: it may be anything. `address`
// is what gRPC dials: HOST:PORT or unix:/PATH; `name` one of the names that the server's health
// knows, empty for the server itself. All is over within `timeout`. Plaintext; no proxy is used.
// Blocks; any thread.
ProbeReport ProbeHealth(const std::string& address, const std::string& name,
                        absl::Duration timeout);

}  // namespace mainspring

#endif  // MAINSPRING_CLIENTS_PROBE_HEALTH_PROBE_H_
