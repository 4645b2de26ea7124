#include "mainspring/server/rpc/payload.h"

#include <google/protobuf/message_lite.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <limits>

#include "absl/strings/str_cat.h"

namespace mainspring::rpc {

using google::protobuf::MessageLite;

absl::StatusOr<Payload> Payload::Of(const MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  if (size > std::numeric_limits<int>::max()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the answer is too large to be sent: ", size, " bytes"));
  }
  grpc::Slice slice(size);
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  Payload payload;
  payload.bytes_ = grpc::ByteBuffer(&slice, 1);
  return payload;
}

absl::Status Payload::ParseInto(MessageLite& message) {
  const grpc::Status parsed =
      grpc::GenericDeserialize<grpc::ProtoBufferReader, MessageLite>(&bytes_, &message);
  if (parsed.ok()) return absl::OkStatus();
  message.Clear();
  return absl::InternalError(absl::StrCat("the request is no ", message.GetTypeName(),
                                          parsed.error_message().empty() ? "" : ": missing ",
                                          parsed.error_message()));
}

}  // namespace mainspring::rpc
