#include "mainspring/server/rpc/payload.h"

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

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
  grpc::ByteBuffer bytes(&slice, 1);
  Payload payload;
  payload.bytes_.Swap(&bytes);
  return payload;
}

absl::Status Payload::ParseInto(MessageLite& message) {
  absl::Status status;
  {
    grpc::ProtoBufferReader reader(&bytes_);
    if (!reader.status().ok() || !message.ParsePartialFromZeroCopyStream(&reader)) {
      status = absl::InternalError(absl::StrCat("the request is no ", message.GetTypeName()));
    } else if (!message.IsInitialized()) {
      status = absl::InternalError(absl::StrCat("the request is a ", message.GetTypeName(),
                                                " without ", message.InitializationErrorString()));
    }
  }
  bytes_.Clear();
  if (!status.ok()) message.Clear();
  return status;
}

}  // namespace mainspring::rpc
