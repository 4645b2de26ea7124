// PlaneLimits: what a plane allows its clients. They are set when it starts.
#ifndef MAINSPRING_SERVER_RPC_PLANE_LIMITS_H_
#define MAINSPRING_SERVER_RPC_PLANE_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace mainspring::rpc {

struct PlaneLimits {
  int max_message_bytes = 4 << 20;    // received or sent; gRPC's default for what is received
  int max_metadata_bytes = 16 << 10;  // of one HEADERS or CONTINUATION frame
  int max_streams = 256;              // of one connection
  size_t max_connections = 4096;
  size_t max_calls = 16384;          // in flight
  size_t max_calls_per_peer = 4096;  // of those; of one IP address. Zero: no bound
  // Of one connection. More than max_streams, which binds decent clients and is counted by gRPC
  // from another moment on. Zero: no bound.
  size_t max_calls_per_connection = 512;
  // For services that have reserved places, where the others are taken; a quarter a peer.
  size_t max_reserved_calls = 256;
  // How long an answered call waits for its client to take the answer; then it is cancelled.
  absl::Duration answer_timeout = absl::Seconds(20);
  absl::Duration keepalive_time = absl::Seconds(60);
  absl::Duration keepalive_timeout = absl::Seconds(20);
  absl::Duration least_ping_interval = absl::Seconds(10);
  absl::Duration handshake_timeout = absl::Seconds(10);
  // After this, give or take 10 %, a connection is asked to go, gracefully: its calls are
  // finished. Zero: never. One that does not go, though it has no call that has come whole, is
  // closed connection_grace later.
  absl::Duration max_connection_age = absl::Seconds(30);
  absl::Duration connection_grace = absl::Seconds(1);
  // Likewise for a connection that has had no call for so long. Zero: never.
  absl::Duration max_connection_idle = absl::Minutes(10);
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_PLANE_LIMITS_H_
