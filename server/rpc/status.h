// The one place where an absl::Status becomes a grpc::Status.
#ifndef MAINSPRING_SERVER_RPC_STATUS_H_
#define MAINSPRING_SERVER_RPC_STATUS_H_

#include "absl/status/status.h"

namespace grpc {
class Status;
}

namespace mainspring::rpc {

// The same code, and the text as BoundedText makes it.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_STATUS_H_
