// The one place where an absl::Status becomes a grpc::Status, and back.
#ifndef MAINSPRING_SERVER_RPC_STATUS_H_
#define MAINSPRING_SERVER_RPC_STATUS_H_

#include "absl/status/status.h"

namespace grpc {
class Status;
}

namespace mainspring::rpc {

// The same code, the text as BoundedText makes it, and the payloads as details: see
// status_details.h.
grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_STATUS_H_
