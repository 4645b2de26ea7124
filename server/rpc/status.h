// The one place where an absl::Status becomes a grpc::Status.
#ifndef MAINSPRING_SERVER_RPC_STATUS_H_
#define MAINSPRING_SERVER_RPC_STATUS_H_

#include <cstddef>

#include "absl/status/status.h"

namespace grpc {
class Status;
}

namespace mainspring::rpc {

// A status travels in the trailers, and past about 8 KiB of them clients drop the whole call.
inline constexpr size_t kMaxStatusText = 1024;

// The same code; the text cut to kMaxStatusText bytes, between two characters of UTF-8.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_STATUS_H_
