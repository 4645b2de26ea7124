// HealthProbe: asks a host for its health once, as a container's health check or a script does.
#ifndef MAINSPRING_SERVER_RPC_HEALTH_PROBE_H_
#define MAINSPRING_SERVER_RPC_HEALTH_PROBE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace mainspring::rpc {

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
  std::string text;  // one line for a person
};

// Calls Check once. `target` is ADDRESS or ADDRESS/NAME, with ADDRESS as for a plane; NAME is one
// of the names that the host's health knows, and empty without it. In "unix:/PATH/NAME" the path
// ends where the socket is. All is over within `timeout`. Plaintext; no proxy is used. Blocks; any
// thread.
ProbeReport ProbeHealth(absl::string_view target, absl::Duration timeout);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_HEALTH_PROBE_H_
