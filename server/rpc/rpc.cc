#include "mainspring/server/rpc/rpc.h"

#include <google/protobuf/message_lite.h>
#include <grpcpp/grpcpp.h>

#include "mainspring/server/rpc/grpc_context.h"
#include "mainspring/server/rpc/ingress.h"
#include "mainspring/server/rpc/stream_call.h"
#include "mainspring/server/rpc/unary_call.h"

namespace mainspring::rpc {
namespace {

// Calls that gRPC can hand over before the ingress has come to arm another; beyond them they wait
// inside gRPC.
constexpr int kArmedUnary = 32;
constexpr int kArmedStreams = 2;
// A burst leaves no more than this many calls, of about 2 KiB, behind.
constexpr size_t kMaxIdle = 256;

grpc::internal::RpcMethod::RpcType TypeOf(Shape shape) {
  switch (shape) {
    case Shape::kUnary:
      return grpc::internal::RpcMethod::NORMAL_RPC;
    case Shape::kServerStream:
      return grpc::internal::RpcMethod::SERVER_STREAMING;
    case Shape::kClientStream:
      return grpc::internal::RpcMethod::CLIENT_STREAMING;
    case Shape::kDialog:
      break;
  }
  return grpc::internal::RpcMethod::BIDI_STREAMING;
}

}  // namespace

Rpc::Rpc(AsyncService& service, int index, const RpcDescription& method, const Receivers& receivers)
    : service_(service), index_(index), method_(method), receivers_(receivers) {
  service_.AddMethod(
      new grpc::internal::RpcServiceMethod(method.path, TypeOf(method.shape), nullptr));
  service_.MarkMethodAsync(index);
}

Rpc::~Rpc() {
  for (UnaryCall* call : idle_) delete call;
}

void Rpc::Arm(Ingress& ingress, bool reserved) {
  ingress_ = &ingress;
  reserved_ = reserved;
  for (int i = 0; i < (unary() ? kArmedUnary : kArmedStreams); ++i) ArmAnother();
}

void Rpc::ArmAnother() {
  if (ingress_->requests_ended()) return;
  if (!unary()) return (new StreamCall(*this))->Arm();
  if (idle_.empty()) return (new UnaryCall(*this))->Arm();
  UnaryCall* const call = idle_.back();
  idle_.pop_back();
  call->Arm();
}

void Rpc::Recycle(UnaryCall& call) {
  if (idle_.size() < kMaxIdle) {
    idle_.push_back(&call);
  } else {
    delete &call;
  }
}

void Rpc::ArmUnary(grpc::ServerContext& context, Payload& request,
                   grpc::ServerAsyncResponseWriter<Payload>& responder, Tag* arrived) {
  grpc::ServerCompletionQueue* const queue = &ingress_->queue();
  service_.RequestAsyncUnary(index_, &context, &request, &responder, queue, queue, arrived);
}

void Rpc::ArmStream(grpc::ServerContext& context, Payload& request, AsyncStream& stream,
                    Tag* arrived) {
  grpc::ServerCompletionQueue* const queue = &ingress_->queue();
  if (method_.has_one_request()) {
    service_.RequestAsyncServerStreaming(index_, &context, &request, &stream, queue, queue,
                                         arrived);
  } else {
    service_.RequestAsyncBidiStreaming(index_, &context, &stream, queue, queue, arrived);
  }
}

absl::Status Rpc::Admit(ServerCall& call, grpc::ServerContext& context) {
  // Added first: what is refused is counted too, and ends through the ingress.
  absl::Status admitted = ingress_->Add(call, context.peer(), reserved_);
  if (!unary() && !ingress_->refuse_streams().ok()) return ingress_->refuse_streams();
  if (!ingress_->refuse_calls().ok()) {
    ingress_->CountRefused(call);
    return ingress_->refuse_calls();
  }
  return admitted;
}

absl::Status Rpc::HandOn(GrpcContext& context, TypedCall& call, Payload& request) const {
  const absl::StatusOr<std::shared_ptr<const Receiver>> receiver = receivers_.For(context);
  if (!receiver.ok()) return receiver.status();
  if (absl::Status denied = (*receiver)->Check(context, call.context()); !denied.ok()) {
    return denied;
  }
  if (method_.has_one_request()) {
    if (absl::Status parsed = request.ParseInto(call.request()); !parsed.ok()) return parsed;
  }
  call.HandOn(*(*receiver)->inbox);
  return absl::OkStatus();
}

}  // namespace mainspring::rpc
