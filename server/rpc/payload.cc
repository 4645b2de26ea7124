#include "mainspring/server/rpc/payload.h"

#include <google/protobuf/message.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"

namespace mainspring::rpc {

using google::protobuf::Message;
using google::protobuf::MessageLite;

namespace {

// Clear would keep the memory of its strings and repeated fields.
void Forget(MessageLite& message) {
  message.Clear();
  auto* const full = dynamic_cast<Message*>(&message);
  if (full == nullptr) return;
  const std::unique_ptr<Message> empty(full->New());
  full->GetReflection()->Swap(full, empty.get());
}

}  // namespace

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
  if (!status.ok()) Forget(message);
  return status;
}

}  // namespace mainspring::rpc
