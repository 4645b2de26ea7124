#include "mainspring/server/rpc/stream_call.h"

#include <utility>

#include "mainspring/server/rpc/status.h"

namespace mainspring::rpc {

void StreamCall::EndStream(const absl::Status& status) {
  if (answers_ == Answers::kOne) {
    // Nothing is missing but the answer: it is like any other call.
    MutexLock lock(mutex_);
    if (requests_ended_) return;
  }
  if (SetEnd(status)) Abandon();
}

bool StreamCall::Cut(const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    // Where nothing is left but to take the end away, the client has got all it was promised.
    if (finish_started_ || (ending_ && room().empty() && !write_in_flight_)) return false;
    ending_ = true;
    status_ = ToGrpc(status);
    DropWrites();
  }
  // A write that its reader keeps waiting keeps the status waiting too.
  if (write_in_flight_) context_->TryCancel();
  Abandon();
  return true;
}

// The end is decided; whoever answers is told that nobody waits for more.
void StreamCall::Abandon() {
  MarkCallerGone();
  room().PostReady();
  ComeRound();
}

void StreamCall::WhenReady(Callback callback) {
  room().SetReady(std::move(callback));
  {
    MutexLock lock(mutex_);
    if (takes_writes() && room().full()) return room().Await();
  }
  room().PostReady();
}

void StreamCall::WhenSent(Callback callback) {
  room().SetReady(std::move(callback));
  {
    MutexLock lock(mutex_);
    if (takes_writes() && (write_in_flight_ || !room().empty())) return room().AwaitEnd();
  }
  room().PostReady();
}

bool StreamCall::SetEnd(const absl::Status& status) {
  MutexLock lock(mutex_);
  if (!BeginEnd()) return false;
  status_ = ToGrpc(status);
  return true;
}

void StreamCall::LetGo() {
  ForgetCaller();
  CallIngress();
  Unref();
}

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
    StartRead();
  }
  if (ending_) ingress_.Answered(*this);
  if (write_in_flight_ || finish_started_) return;
  if (!room().empty()) context_.PutHeaders();
  if (StartWrite()) {
    write_in_flight_ = true;
    ++operations_;
  } else if (ending_) {
    // Counted from the start, so that a call cannot be over before it.
    finish_started_ = true;
    wanted_ = !caller_gone();
    context_.PutTrailers();
    StartFinish(status_);
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
    ready = broken_ || room().TakeRoom() || (!write_in_flight_ && room().TakeEnd());
  }
  if (ready) room().PostReady();
  OperationCame();
}

void StreamCall::WasRead(bool ok) {
  read_in_flight_ = false;
  GiveRequest(ok);
  OperationCame();
}

void StreamCall::Finished(bool ok) {
  // The end of a call whose client had not gone before.
  if (!ok && wanted_ && ingress_.closing()) ingress_.CountCut(*this);
  OperationCame();
}

// Where its client has gone, the call is over, whatever the component still does with it.
void StreamCall::Done(bool) {
  if (context_->IsCancelled()) {
    Break();
    SetEnd(absl::CancelledError("the client has gone"));
    Abandon();
  }
  OperationCame();
}

// Once the operations are all back, the call's end among them, gRPC has no more to do with this.
void StreamCall::OperationCame() {
  if (--operations_ != 0) return;
  ingress_.Remove(*this);
  DropStream();
  context_.End(/*may_be_asked=*/true);
  Unref();
}

// The client has gone: nothing can be sent but the end, which goes nowhere.
void StreamCall::Break() {
  MutexLock lock(mutex_);
  broken_ = true;
  DropWrites();
}

}  // namespace mainspring::rpc
