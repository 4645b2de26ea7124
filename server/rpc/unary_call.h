// UnaryServerCall: a call with one request and one answer that comes over gRPC.
#ifndef MAINSPRING_SERVER_RPC_UNARY_CALL_H_
#define MAINSPRING_SERVER_RPC_UNARY_CALL_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_unary_call.h>

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/reply.h"
#include "mainspring/server/rpc/call_context.h"
#include "mainspring/server/rpc/ingress.h"
#include "mainspring/server/rpc/server_call.h"
#include "mainspring/server/rpc/status.h"
#include "mainspring/server/rpc/tag.h"

namespace mainspring::rpc {

// Reused: Rpc is what it is armed with, and goes back to, and hands its requests on by.
//
// Two parties hold it, the component's Reply and the ingress with gRPC's tags; whoever lets go
// last disposes of it. Both may want to answer, the ingress when the host cuts the call or its
// client has gone; the one that sets answered_ does. gRPC is called on the ingress thread alone.
template <class Rpc>
class UnaryServerCall final : public ServerCall,
                              public ReplySink<typename CallTypes<typename Rpc::Call>::Response> {
 public:
  using Call = typename Rpc::Call;
  using Request = typename CallTypes<Call>::Request;
  using Response = typename CallTypes<Call>::Response;

  explicit UnaryServerCall(Rpc& rpc) : rpc_(rpc) {}

  // Waits for the next call to this rpc.
  void Arm() {
    grpc::ServerContext& context = context_.Begin();
    responder_.emplace(&context);
    context.AsyncNotifyWhenDone(&done_tag_);
    rpc_.Await(context, request_, *responder_, &arrived_tag_);
  }

  void EndStream(const absl::Status&) override {}

  bool Cut(const absl::Status& status) override {
    if (answered_.exchange(true, std::memory_order_acq_rel)) return false;
    status_ = ToGrpc(status);
    this->MarkCancelled();
    Finish();
    return true;
  }

  void GiveUp() override { context_->TryCancel(); }

  void Succeed(Response&& response) override {
    if (answered_.exchange(true, std::memory_order_acq_rel)) return Unhold();
    response_ = std::move(response);
    Answer();
  }

  void Fail(absl::Status status) override {
    if (answered_.exchange(true, std::memory_order_acq_rel)) return Unhold();
    status_ = ToGrpc(status);
    Answer();
  }

  std::string Peer() const override { return context_.Peer(); }
  std::string Principal() const override { return context_.Principal(); }
  std::string Authority() const override { return context_.Authority(); }
  std::vector<Metadatum> AllMetadata() const override { return context_.AllMetadata(); }
  std::vector<std::string> MetadataValues(absl::string_view key) const override {
    return context_.MetadataValues(key);
  }
  std::string Metadata(absl::string_view key) const override { return context_.Metadata(key); }
  bool AddHeader(Metadatum header) override { return context_.AddHeader(std::move(header)); }
  bool AddTrailer(Metadatum trailer) override { return context_.AddTrailer(std::move(trailer)); }

 private:
  void Arrived(bool ok) {
    if (!ok) {  // The server shuts down: no call will come.
      delete this;
      return;
    }
    rpc_.ArmAnother();
    const absl::Status admitted = rpc_.Admit(*this, *context_);
    this->BeginCall(SteadyDeadline(*context_), Call::kMethod);
    answered_.store(false, std::memory_order_relaxed);
    holds_.store(2, std::memory_order_relaxed);
    tags_ = 2;
    rpc_.receivers().Deliver(context_, *this, admitted,
                             Call{std::move(request_), Reply<Response>(this)});
  }

  // The answer is set. Lets go first: from Finish on, the ingress may dispose of this.
  void Answer() {
    this->ForgetCancel();
    holds_.fetch_sub(1, std::memory_order_acq_rel);
    Ingress& ingress = rpc_.ingress();
    if (ingress.is_current()) return Finish();
    ingress.Post(0, [this] { Finish(); });
  }

  void Finish() {
    rpc_.ingress().Answered(*this);
    wanted_ = !this->cancelled();
    context_.PutTrailers();
    if (status_.ok()) {
      responder_->Finish(response_, status_, &finished_tag_);
    } else {
      responder_->FinishWithError(status_, &finished_tag_);
    }
  }

  void Finished(bool ok) {
    // The answer of a client that had not gone before.
    if (!ok && wanted_ && rpc_.ingress().closing()) rpc_.ingress().CountCut(*this);
    TagCame();
  }

  // Where its client has gone, the call is over, whatever the component still does with it.
  void Done(bool) {
    if (context_->IsCancelled() && !Cut(absl::CancelledError("the client has gone"))) {
      this->MarkCancelled();
    }
    TagCame();
  }

  void TagCame() {
    if (--tags_ != 0) return;
    rpc_.ingress().Remove(*this);
    responder_.reset();
    context_.End(holds_.load(std::memory_order_relaxed) != 1);
    if (holds_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    request_.Clear();
    response_.Clear();
    status_ = grpc::Status::OK;
    rpc_.Recycle(this);
  }

  // The component lets go of a call that the ingress has ended. Not recycled: this is its thread.
  void Unhold() {
    if (holds_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  Rpc& rpc_;
  Request request_;
  Response response_;    // the answer belongs to who set answered_
  grpc::Status status_;  // likewise
  GrpcContext context_;
  std::optional<grpc::ServerAsyncResponseWriter<Response>> responder_;
  std::atomic<bool> answered_{false};
  std::atomic<int> holds_{0};
  // Ingress thread only.
  int tags_ = 0;         // Done and Finished, until they came
  bool wanted_ = false;  // by its client, when the answer was sent

  MemberTag<UnaryServerCall, &UnaryServerCall::Arrived> arrived_tag_{this};
  MemberTag<UnaryServerCall, &UnaryServerCall::Finished> finished_tag_{this};
  MemberTag<UnaryServerCall, &UnaryServerCall::Done> done_tag_{this};
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_UNARY_CALL_H_
