#include "mainspring/server/rpc/status.h"

#include <grpcpp/support/status.h>

#include "mainspring/status_details.h"
#include "mainspring/text.h"

namespace mainspring::rpc {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), BoundedText(status.message()),
                      EncodedDetails(status));
}

absl::Status FromGrpc(const grpc::Status& status) {
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  if (!result.ok()) DecodeDetails(status.error_details(), result);
  return result;
}

}  // namespace mainspring::rpc
