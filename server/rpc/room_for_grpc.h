// RoomForGrpc: whether the system gives what gRPC takes when it starts. gRPC 1.51 does not ask:
// short of threads it aborts or hangs for ever, and short of descriptors it aborts.
#ifndef MAINSPRING_SERVER_RPC_ROOM_FOR_GRPC_H_
#define MAINSPRING_SERVER_RPC_ROOM_FOR_GRPC_H_

#include "absl/status/status.h"

namespace mainspring::rpc {

// Takes as many threads and descriptors as gRPC does, and gives them back. What it finds holds for
// now: others may take them in between.
// RESOURCE_EXHAUSTED: there are too few; the text says of what, and how many are needed.
absl::Status RoomForGrpc();

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_ROOM_FOR_GRPC_H_
