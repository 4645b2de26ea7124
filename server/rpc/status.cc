#include "mainspring/server/rpc/status.h"

#include <grpcpp/support/status.h>

#include "mainspring/text.h"

namespace mainspring::rpc {
grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), BoundedText(status.message()));
}

}  // namespace mainspring::rpc
