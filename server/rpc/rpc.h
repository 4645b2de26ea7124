// Rpc: one rpc of a service on one plane.
#ifndef MAINSPRING_SERVER_RPC_RPC_H_
#define MAINSPRING_SERVER_RPC_RPC_H_

#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>

#include <vector>

#include "absl/status/status.h"
#include "mainspring/server/rpc/payload.h"
#include "mainspring/server/rpc/receivers.h"
#include "mainspring/server/rpc/tag.h"
#include "mainspring/server/rpc/typed_call.h"

namespace mainspring::rpc {

class GrpcContext;
class Ingress;
class ServerCall;
class UnaryCall;

// gRPC's service, whose methods we request ourselves, one by one.
class AsyncService : public grpc::Service {
 public:
  using grpc::Service::AddMethod;
  using grpc::Service::MarkMethodAsync;
  using grpc::Service::RequestAsyncBidiStreaming;
  using grpc::Service::RequestAsyncServerStreaming;
  using grpc::Service::RequestAsyncUnary;
};

// gRPC's end of a call with a stream in it: it does for all three kinds.
using AsyncStream = grpc::ServerAsyncReaderWriter<Payload, Payload>;

// It keeps calls armed, and those that are idle. Ingress thread only, once armed.
class Rpc {
 public:
  Rpc(AsyncService& service, int index, const RpcDescription& method, const Receivers& receivers);
  ~Rpc();
  Rpc(const Rpc&) = delete;
  Rpc& operator=(const Rpc&) = delete;

  void Arm(Ingress& ingress, bool reserved);
  void ArmAnother();
  void Recycle(UnaryCall& call);

  // Has gRPC fill `context`, the responder or stream and, where a call has one, `request` with the
  // next call.
  void ArmUnary(grpc::ServerContext& context, Payload& request,
                grpc::ServerAsyncResponseWriter<Payload>& responder, Tag* arrived);
  void ArmStream(grpc::ServerContext& context, Payload& request, AsyncStream& stream, Tag* arrived);

  // A call has come. Not OK: what it is to be refused with.
  absl::Status Admit(ServerCall& call, grpc::ServerContext& context);
  // Hands an admitted call to whom it is for; `request` is that of a call that has one. Not OK: it
  // is to be refused with that, and nobody holds it.
  absl::Status HandOn(GrpcContext& context, TypedCall& call, Payload& request) const;

  const RpcDescription& method() const { return method_; }
  Ingress& ingress() { return *ingress_; }

 private:
  bool unary() const { return method_.shape == Shape::kUnary; }

  AsyncService& service_;
  const int index_;
  const RpcDescription& method_;
  const Receivers& receivers_;
  Ingress* ingress_ = nullptr;
  bool reserved_ = false;
  std::vector<UnaryCall*> idle_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_RPC_H_
