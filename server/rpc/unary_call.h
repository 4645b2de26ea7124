// UnaryCall: a call with one request and one answer that comes over gRPC.
#ifndef MAINSPRING_SERVER_RPC_UNARY_CALL_H_
#define MAINSPRING_SERVER_RPC_UNARY_CALL_H_

#include <grpcpp/support/async_unary_call.h>

#include <atomic>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "mainspring/server/rpc/grpc_context.h"
#include "mainspring/server/rpc/payload.h"
#include "mainspring/server/rpc/server_call.h"
#include "mainspring/server/rpc/tag.h"
#include "mainspring/server/rpc/typed_call.h"

namespace mainspring::rpc {

class Rpc;

// Reused for one call after another: its Rpc arms it, hands its request on, and keeps it while it
// is idle.
//
// Two parties hold it, the component's Reply and the ingress with gRPC's tags; whoever lets go
// last disposes of it. Both may want to answer, the ingress when the host cuts the call or its
// client has gone; the one that sets answered_ does. gRPC is called on the ingress thread alone;
// the answer is serialised on the thread that gives it.
class UnaryCall final : public ServerCall, public Carrier {
 public:
  explicit UnaryCall(Rpc& rpc);

  // Waits for the next call to this rpc.
  void Arm();

  // ServerCall.
  void EndStream(const absl::Status&) override {}
  bool Cut(const absl::Status& status) override;
  void GiveUp() override { grpc_->TryCancel(); }

  // Carrier.
  void Answer(const google::protobuf::MessageLite& response) override;
  void End(const absl::Status& status) override;

 private:
  void Arrived(bool ok);
  void SendAnswer();
  void Finish();
  void Finished(bool ok);
  void Done(bool);
  void TagCame();
  bool ClaimAnswer();

  Rpc& rpc_;
  const std::unique_ptr<TypedCall> typed_;
  CallContext& context_;
  Payload request_;
  Payload response_;     // the answer belongs to who set answered_
  grpc::Status status_;  // likewise
  GrpcContext grpc_;
  std::optional<grpc::ServerAsyncResponseWriter<Payload>> responder_;
  std::atomic<bool> answered_{false};
  std::atomic<int> holds_{0};
  // Ingress thread only.
  int tags_ = 0;         // Done and Finished, until they came
  bool wanted_ = false;  // by its client, when the answer was sent

  MemberTag<UnaryCall, &UnaryCall::Arrived> arrived_tag_{this};
  MemberTag<UnaryCall, &UnaryCall::Finished> finished_tag_{this};
  MemberTag<UnaryCall, &UnaryCall::Done> done_tag_{this};
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_UNARY_CALL_H_
