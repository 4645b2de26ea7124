// PlaneLimits: what a plane allows its clients. They are set when it starts.
#ifndef MAINSPRING_SERVER_RPC_PLANE_LIMITS_H_
#define MAINSPRING_SERVER_RPC_PLANE_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace mainspring::rpc {

struct PlaneLimits {
  int max_message_bytes = 4 << 20;    // received or sent; gRPC's default for what is received
  int max_metadata_bytes = 16 << 10;  // of one call
  int max_streams = 256;              // of one connection
  size_t max_connections = 4096;
  size_t max_calls = 16384;  // in flight
  absl::Duration keepalive_time = absl::Seconds(60);
  absl::Duration keepalive_timeout = absl::Seconds(20);
  absl::Duration least_ping_interval = absl::Seconds(10);
  absl::Duration handshake_timeout = absl::Seconds(10);
  // After this, give or take 10 %, a connection is asked to go, gracefully: its calls are
  // finished. Zero: never. Not on a unix socket.
  absl::Duration max_connection_age = absl::Seconds(30);
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_PLANE_LIMITS_H_
