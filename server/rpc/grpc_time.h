// Our times as gRPC takes them, and gRPC's as we do. What the other side cannot say becomes the
// nearest that it can; nothing wraps round.
#ifndef MAINSPRING_SERVER_RPC_GRPC_TIME_H_
#define MAINSPRING_SERVER_RPC_GRPC_TIME_H_

#include <grpc/support/time.h>

#include "absl/time/time.h"
#include "mainspring/steady_time.h"

namespace mainspring::rpc {

// For a channel argument in milliseconds, which is an int: rounded up, so that a short time does
// not become none; INT_MAX, which gRPC takes for "never", from there on; zero for negative ones.
int ToGrpcMilliseconds(absl::Duration time);

// A deadline `left` from now, on gRPC's wall clock; its infinite future where that is too far.
gpr_timespec GrpcDeadline(absl::Duration left);

// A point of gRPC's clock in steady time, both read at the same moment, which `grpc_now` and
// `steady_now` are. kNever for the infinite future and what is as far away.
SteadyTime ToSteadyTime(gpr_timespec time, gpr_timespec grpc_now, SteadyTime steady_now);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_GRPC_TIME_H_
