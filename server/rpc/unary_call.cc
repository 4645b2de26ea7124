#include "mainspring/server/rpc/unary_call.h"

#include <google/protobuf/message_lite.h>

#include <utility>

#include "mainspring/server/rpc/ingress.h"
#include "mainspring/server/rpc/rpc.h"
#include "mainspring/server/rpc/status.h"

namespace mainspring::rpc {

UnaryCall::UnaryCall(Rpc& rpc)
    : rpc_(rpc), typed_(rpc.method().make(*this)), context_(typed_->context()) {}

void UnaryCall::Arm() {
  grpc::ServerContext& context = grpc_.Begin();
  responder_.emplace(&context);
  context.AsyncNotifyWhenDone(&done_tag_);
  rpc_.ArmUnary(context, request_, *responder_, &arrived_tag_);
}

void UnaryCall::Arrived(bool ok) {
  if (!ok) {  // The server shuts down: no call will come.
    delete this;
    return;
  }
  rpc_.ArmAnother();
  absl::Status status = rpc_.Admit(*this, *grpc_);
  context_.BeginCall(SteadyDeadline(*grpc_), rpc_.method().path, grpc_);
  answered_.store(false, std::memory_order_relaxed);
  holds_.store(2, std::memory_order_relaxed);
  tags_ = 2;
  if (status.ok()) status = rpc_.HandOn(grpc_, *typed_, request_);
  if (status.ok()) return;
  request_.Clear();
  End(status);
}

bool UnaryCall::Cut(const absl::Status& status) {
  if (answered_.exchange(true, std::memory_order_acq_rel)) return false;
  status_ = ToGrpc(status);
  context_.MarkCancelled();
  Finish();
  return true;
}

// False where the ingress has ended the call: the component lets go of it. Not recycled: this is
// the component's thread.
bool UnaryCall::ClaimAnswer() {
  if (!answered_.exchange(true, std::memory_order_acq_rel)) return true;
  if (holds_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  return false;
}

void UnaryCall::Answer(const google::protobuf::MessageLite& response) {
  if (!ClaimAnswer()) return;
  if (absl::StatusOr<Payload> payload = Payload::Of(response); payload.ok()) {
    response_ = *std::move(payload);
  } else {
    status_ = ToGrpc(payload.status());
  }
  SendAnswer();
}

void UnaryCall::End(const absl::Status& status) {
  if (!ClaimAnswer()) return;
  status_ = ToGrpc(status);
  SendAnswer();
}

// The answer is set. Lets go first: from Finish on, the ingress may dispose of this.
void UnaryCall::SendAnswer() {
  context_.ForgetCancel();
  holds_.fetch_sub(1, std::memory_order_acq_rel);
  Ingress& ingress = rpc_.ingress();
  if (ingress.is_current()) return Finish();
  ingress.Post(0, [this] { Finish(); });
}

void UnaryCall::Finish() {
  rpc_.ingress().Answered(*this);
  wanted_ = !context_.cancelled();
  grpc_.PutTrailers();
  if (status_.ok()) {
    responder_->Finish(response_, status_, &finished_tag_);
  } else {
    responder_->FinishWithError(status_, &finished_tag_);
  }
}

void UnaryCall::Finished(bool ok) {
  // The answer of a client that had not gone before.
  if (!ok && wanted_ && rpc_.ingress().closing()) rpc_.ingress().CountCut(*this);
  TagCame();
}

// Where its client has gone, the call is over, whatever the component still does with it.
void UnaryCall::Done(bool) {
  if (grpc_->IsCancelled() && !Cut(absl::CancelledError("the client has gone"))) {
    context_.MarkCancelled();
  }
  TagCame();
}

void UnaryCall::TagCame() {
  if (--tags_ != 0) return;
  rpc_.ingress().Remove(*this);
  responder_.reset();
  grpc_.End(holds_.load(std::memory_order_relaxed) != 1);
  if (holds_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  request_.Clear();
  response_.Clear();
  status_ = grpc::Status::OK;
  rpc_.Recycle(*this);
}

}  // namespace mainspring::rpc
