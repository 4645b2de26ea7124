#include "mainspring/server/rpc/stream_call.h"

#include <google/protobuf/message_lite.h>
#include <grpc/grpc.h>

#include <utility>

#include "mainspring/server/rpc/ingress.h"
#include "mainspring/server/rpc/status.h"

namespace mainspring::rpc {
namespace {

absl::Status Gone() { return absl::CancelledError("the client has gone"); }

}  // namespace

StreamCall::StreamCall(Rpc& rpc)
    : rpc_(rpc),
      ingress_(rpc.ingress()),
      typed_(rpc.method().make(*this)),
      context_(typed_->context()) {}

void StreamCall::Arm() {
  grpc_->AsyncNotifyWhenDone(&done_tag_);
  rpc_.ArmStream(*grpc_, request_, *stream_, &arrived_tag_);
}

void StreamCall::Arrived(bool ok) {
  // The server shuts down: no call will come.
  if (!ok) return Unref();
  rpc_.ArmAnother();
  absl::Status status = rpc_.Admit(*this, *grpc_);
  context_.BeginCall(SteadyDeadline(*grpc_), rpc_.method().path, grpc_);
  Ref();                                        // for the handle that answers
  if (!rpc_.method().has_one_request()) Ref();  // for the one that reads
  if (status.ok()) status = rpc_.HandOn(grpc_, *typed_, request_);
  if (status.ok()) return;
  request_.Clear();
  if (!rpc_.method().has_one_request()) ReleaseRequests();
  End(status);
}

void StreamCall::EndStream(const absl::Status& status) {
  if (rpc_.method().has_one_answer()) {
    // Nothing is missing but the answer: it is like any other call.
    MutexLock lock(mutex_);
    if (requests_ended_) return;
  }
  if (!SetEnd(status)) return;
  ended_by_design_ = true;
  Abandon();
}

bool StreamCall::Cut(const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    // Where nothing is left but to take the end away, the client has got all it was promised.
    if (finish_started_ || (ending_ && writes_.empty() && !write_in_flight_)) return false;
    ending_ = true;
    status_ = ToGrpc(status);
    writes_.Clear();
  }
  // A write that its reader keeps waiting keeps the status waiting too.
  if (write_in_flight_) grpc_->TryCancel();
  Abandon();
  return true;
}

void StreamCall::Answer(const google::protobuf::MessageLite& response) {
  absl::StatusOr<Payload> payload = Payload::Of(response);
  if (!payload.ok()) return End(payload.status());
  {
    MutexLock lock(mutex_);
    if (BeginEnd()) response_ = *std::move(payload);
  }
  LetGo();
}

void StreamCall::End(const absl::Status& status) {
  SetEnd(status);
  LetGo();
}

WriteResult StreamCall::Write(const google::protobuf::MessageLite& response) {
  {
    MutexLock lock(mutex_);
    if (!takes_writes()) return WriteResult::kClosed;
    if (!writes_.HasRoom()) return WriteResult::kFull;
  }
  absl::StatusOr<Payload> payload = Payload::Of(response);
  const bool can_be_sent = payload.ok();
  {
    MutexLock lock(mutex_);
    if (can_be_sent) {
      if (!takes_writes()) return WriteResult::kClosed;
      writes_.Push(*std::move(payload));
    } else if (BeginEnd()) {
      status_ = ToGrpc(payload.status());
    }
  }
  if (!can_be_sent) context_.MarkCancelled();
  CallIngress();
  return can_be_sent ? WriteResult::kAccepted : WriteResult::kClosed;
}

// The end is decided; whoever answers is told that nobody waits for more.
void StreamCall::Abandon() {
  context_.MarkCancelled();
  writes_.PostReady();
  ComeRound();
}

void StreamCall::OnReady(Callback callback) {
  writes_.SetReady(std::move(callback));
  {
    MutexLock lock(mutex_);
    if (takes_writes() && writes_.full()) return writes_.WantRoom();
  }
  writes_.PostReady();
}

void StreamCall::OnSent(Callback callback) {
  writes_.SetReady(std::move(callback));
  {
    MutexLock lock(mutex_);
    if (takes_writes() && (write_in_flight_ || !writes_.empty())) return writes_.WantEnd();
  }
  writes_.PostReady();
}

bool StreamCall::SetEnd(const absl::Status& status) {
  MutexLock lock(mutex_);
  if (!BeginEnd()) return false;
  status_ = ToGrpc(status);
  return true;
}

void StreamCall::LetGo() {
  context_.ForgetCancel();
  CallIngress();
  Unref();
}

bool StreamCall::WantRequest() {
  MutexLock lock(mutex_);
  return wants_read_ = takes_writes() && !requests_ended_;
}

void StreamCall::RequestGiven(bool more) {
  MutexLock lock(mutex_);
  wants_read_ = false;
  requests_ended_ = !more;
}

// Has the ingress come round.
void StreamCall::CallIngress() {
  if (ingress_.is_current()) return ComeRound();
  {
    MutexLock lock(mutex_);
    if (std::exchange(round_posted_, true)) return;
  }
  // Held: the call may be over before the ingress comes.
  Ref();
  ingress_.Post(0, [self = SharedPtr<StreamCall>(this)] { self->ComeRound(); });
}

// Starts what is wanted and can be started. Ingress thread.
void StreamCall::ComeRound() {
  MutexLock lock(mutex_);
  round_posted_ = false;
  // gRPC takes a second read while one is under way for a broken program, and aborts.
  if (wants_read_ && !read_in_flight_) {
    wants_read_ = false;
    read_in_flight_ = true;
    ++operations_;
    stream_->Read(&request_, &read_tag_);
  }
  if (ending_) ingress_.Answered(*this);
  if (write_in_flight_ || finish_started_) return;
  if (!writes_.empty()) grpc_.PutHeaders();
  if (StartWrite()) {
    write_in_flight_ = true;
    ++operations_;
  } else if (ending_) {
    // Counted from the start, so that a call cannot be over before it.
    finish_started_ = true;
    wanted_ = !context_.cancelled();
    grpc_.PutTrailers();
    StartFinish();
  }
}

// Writes the next message; false: none waits.
bool StreamCall::StartWrite() {
  const std::optional<Payload> next = writes_.Pop();
  if (next.has_value()) stream_->Write(*next, &wrote_tag_);
  return next.has_value();
}

void StreamCall::StartFinish() {
  if (status_.ok() && rpc_.method().has_one_answer()) {
    stream_->WriteAndFinish(response_, grpc::WriteOptions(), status_, &finished_tag_);
  } else {
    stream_->Finish(status_, &finished_tag_);
  }
}

void StreamCall::Wrote(bool ok) {
  {
    MutexLock lock(mutex_);
    write_in_flight_ = false;
  }
  if (!ok) Break();
  ComeRound();
  bool ready;
  {
    MutexLock lock(mutex_);
    ready = broken_ || writes_.TakeRoom() || (!write_in_flight_ && writes_.TakeEnd());
  }
  if (ready) writes_.PostReady();
  OperationCame();
}

void StreamCall::WasRead(bool ok) {
  if (ok) return GiveRequest(request_.ParseInto(typed_->request()), /*more=*/true);
  // Where the client has gone, the event that says so may come after this one.
  const bool is_all = grpc_call_failed_before_recv_message(grpc_->c_call()) == 0;
  GiveRequest(is_all ? absl::OkStatus() : Gone(), /*more=*/false);
}

// Not OK: there are no more, and what was there is not all, which the component hears before it
// hears of the end.
void StreamCall::GiveRequest(const absl::Status& status, bool more) {
  read_in_flight_ = false;
  const bool broken = !status.ok() && SetEnd(status);
  if (broken) context_.MarkCancelled();
  typed_->GiveRequest(more && status.ok());
  if (broken) Abandon();
  OperationCame();
}

void StreamCall::Finished(bool ok) {
  // The end of a call whose client had not gone before.
  if (!ok && wanted_ && !ended_by_design_ && ingress_.closing()) ingress_.CountCut(*this);
  OperationCame();
}

// Where its client has gone, the call is over, whatever the component still does with it.
void StreamCall::Done(bool) {
  if (grpc_->IsCancelled()) {
    Break();
    SetEnd(Gone());
    Abandon();
  }
  OperationCame();
}

// Once the operations are all back, the call's end among them, gRPC has no more to do with this.
void StreamCall::OperationCame() {
  if (--operations_ != 0) return;
  ingress_.Remove(*this);
  stream_.reset();
  grpc_.End(/*may_be_asked=*/true);
  Unref();
}

// The client has gone: nothing can be sent but the end, which goes nowhere.
void StreamCall::Break() {
  MutexLock lock(mutex_);
  broken_ = true;
  writes_.Clear();
}

}  // namespace mainspring::rpc
