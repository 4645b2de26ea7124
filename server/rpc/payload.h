// Payload: the bytes of one message, as gRPC carries them.
#ifndef MAINSPRING_SERVER_RPC_PAYLOAD_H_
#define MAINSPRING_SERVER_RPC_PAYLOAD_H_

#include <grpcpp/impl/codegen/serialization_traits.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace google::protobuf {
class MessageLite;
}

namespace mainspring::rpc {

// Move-only, so that no bytes are counted and copied that go one way only. Empty once it is sent.
class Payload {
 public:
  Payload() = default;
  Payload(Payload&& other) noexcept { bytes_.Swap(&other.bytes_); }
  Payload& operator=(Payload&& other) noexcept {
    bytes_.Clear();
    bytes_.Swap(&other.bytes_);
    return *this;
  }

  // RESOURCE_EXHAUSTED: the message is over 2 GiB, which protobuf does not write.
  static absl::StatusOr<Payload> Of(const google::protobuf::MessageLite& message);
  // Moves into `message` what was received. INTERNAL: it is no such message, or lacks a required
  // field; that is what gRPC's statuscodes.md has for it. Of what was read by then nothing is kept,
  // nor its memory: the message may be one that is used again.
  absl::Status ParseInto(google::protobuf::MessageLite& message);

  size_t size() const { return bytes_.Length(); }
  void Clear() { bytes_.Clear(); }

 private:
  friend class grpc::SerializationTraits<Payload>;
  // gRPC takes what it is to send as const, and is given all of it.
  mutable grpc::ByteBuffer bytes_;
};

}  // namespace mainspring::rpc

namespace grpc {

template <>
class SerializationTraits<mainspring::rpc::Payload> {
 public:
  static Status Serialize(const mainspring::rpc::Payload& payload, ByteBuffer* buffer,
                          bool* own_buffer) {
    buffer->Swap(&payload.bytes_);
    *own_buffer = true;
    return Status::OK;
  }
  static Status Deserialize(ByteBuffer* buffer, mainspring::rpc::Payload* payload) {
    payload->bytes_.Clear();
    payload->bytes_.Swap(buffer);
    return Status::OK;
  }
};

}  // namespace grpc

#endif  // MAINSPRING_SERVER_RPC_PAYLOAD_H_
