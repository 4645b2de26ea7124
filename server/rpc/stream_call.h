// StreamServerCall: a call that comes over gRPC and has a stream in it, of requests, of answers, or
// both ways.
#ifndef MAINSPRING_SERVER_RPC_STREAM_CALL_H_
#define MAINSPRING_SERVER_RPC_STREAM_CALL_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_stream.h>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "mainspring/mutex.h"
#include "mainspring/reply.h"
#include "mainspring/reply_stream.h"
#include "mainspring/request_stream.h"
#include "mainspring/shared.h"
#include "server/rpc/call_context.h"
#include "server/rpc/ingress.h"
#include "server/rpc/server_call.h"
#include "server/rpc/status.h"
#include "server/rpc/tag.h"
#include "server/rpc/write_buffer.h"

namespace mainspring::rpc {

// gRPC's stream object of a call of that shape.
template <class Call, class Request, class Response>
struct AsyncStreamOf {
  using Type = grpc::ServerAsyncReaderWriter<Response, Request>;
};
template <ServerStreamCall Call, class Request, class Response>
struct AsyncStreamOf<Call, Request, Response> {
  using Type = grpc::ServerAsyncWriter<Response>;
};
template <ClientStreamCall Call, class Request, class Response>
struct AsyncStreamOf<Call, Request, Response> {
  using Type = grpc::ServerAsyncReader<Response, Request>;
};

// What the three shapes share. Held by the ingress, while gRPC's operations are under way, and by
// each handle that the component got; the last one deletes it.
//
// The component's side leaves what it wants, under the lock, and has the ingress come round for
// it: gRPC is called on the ingress thread alone.
template <class Rpc>
class StreamServerCall final
    : public Shared<StreamServerCall<Rpc>>,
      public ServerCall,
      public Answering<StreamServerCall<Rpc>, typename Rpc::Call>::Type,
      public StreamSource<typename CallTypes<typename Rpc::Call>::Request> {
 public:
  using Call = typename Rpc::Call;
  using Request = typename CallTypes<Call>::Request;
  using Response = typename CallTypes<Call>::Response;
  using Stream = typename AsyncStreamOf<Call, Request, Response>::Type;
  static constexpr bool kAnswersMany = !HasReply<Call>;
  static constexpr bool kAsksMany = !HasRequest<Call>;

  explicit StreamServerCall(Rpc& rpc) : rpc_(rpc) {}

  // Waits for the next call to this rpc.
  void Arm() {
    context_->AsyncNotifyWhenDone(&done_tag_);
    grpc::ServerCompletionQueue* queue = &rpc_.ingress().queue();
    if constexpr (!kAsksMany) {
      rpc_.service().RequestAsyncServerStreaming(rpc_.index(), &*context_, &request_, &*stream_,
                                                 queue, queue, &arrived_tag_);
    } else if constexpr (!kAnswersMany) {
      rpc_.service().RequestAsyncClientStreaming(rpc_.index(), &*context_, &*stream_, queue, queue,
                                                 &arrived_tag_);
    } else {
      rpc_.service().RequestAsyncBidiStreaming(rpc_.index(), &*context_, &*stream_, queue, queue,
                                               &arrived_tag_);
    }
  }

  // For the ingress.

  void EndStream(const absl::Status& status) override {
    if constexpr (!kAnswersMany) {
      // Nothing is missing but the answer: it is like any other call.
      MutexLock lock(mutex_);
      if (requests_ended_) return;
    }
    if (!SetEnd(status)) return;
    this->MarkCancelled();
    writes_.PostReady();
    ComeRound();
  }

  bool Cut(const absl::Status& status) override {
    {
      MutexLock lock(mutex_);
      // Where nothing is left but to take the end away, the client has got all it was promised.
      if (finish_started_ || (ending_ && writes_.empty() && !write_in_flight_)) return false;
      ending_ = true;
      status_ = ToGrpc(status);
      writes_.Clear();
    }
    // A write that its reader keeps waiting keeps the status waiting too.
    if (write_in_flight_) context_->TryCancel();
    this->MarkCancelled();
    writes_.PostReady();
    ComeRound();
    return true;
  }

  void GiveUp() override { context_->TryCancel(); }

  // For the handles of the component; Answering calls them. Any thread.

  WriteResult WriteOne(Response&& message) {
    {
      MutexLock lock(mutex_);
      if (ending_ || broken_) return WriteResult::kClosed;
      if (!writes_.Push(std::move(message))) return WriteResult::kFull;
    }
    CallIngress();
    return WriteResult::kAccepted;
  }

  void WhenReady(Callback callback) {
    writes_.SetReady(std::move(callback));
    {
      MutexLock lock(mutex_);
      if (!ending_ && !broken_ && writes_.full()) return writes_.Await();
    }
    writes_.PostReady();
  }

  void WhenSent(Callback callback) {
    writes_.SetReady(std::move(callback));
    {
      MutexLock lock(mutex_);
      if (!ending_ && !broken_ && (write_in_flight_ || !writes_.empty())) return writes_.AwaitEnd();
    }
    writes_.PostReady();
  }

  void End(absl::Status status) {
    SetEnd(status);
    this->ForgetCancel();
    CallIngress();
    this->Unref();
  }

  void EndWithResponse(Response&& response) {
    {
      MutexLock lock(mutex_);
      if (!std::exchange(ending_, true)) response_ = std::move(response);
    }
    this->ForgetCancel();
    CallIngress();
    this->Unref();
  }

  // For the component's request stream. Any thread.

  void Read(ReadCallback<Request> callback) override {
    Waiting<std::optional<Request>> read(std::move(callback));
    Waiting<std::optional<Request>> replaced;
    {
      MutexLock lock(mutex_);
      std::swap(on_read_, replaced);
      wants_read_ = !ending_ && !broken_ && !requests_ended_;
      if (wants_read_) std::swap(on_read_, read);
    }
    if (read) return read.Post(std::nullopt);
    CallIngress();
  }

  void Release() override {
    Waiting<std::optional<Request>> dropped;
    {
      MutexLock lock(mutex_);
      std::swap(on_read_, dropped);
    }
    this->Unref();
  }

  std::string Peer() const override { return context_.Peer(); }
  std::string Principal() const override { return context_.Principal(); }
  std::string Metadata(absl::string_view key) const override { return context_.Metadata(key); }

 private:
  void Arrived(bool ok) {
    if (!ok) {  // The server shuts down: no call will come.
      delete this;
      return;
    }
    rpc_.ArmAnother();
    const absl::Status admitted = rpc_.Admit(*this, *context_);
    this->BeginCall(SteadyDeadline(*context_));
    this->Ref();  // for the handle that answers
    if constexpr (kAsksMany) {
      this->Ref();  // for the handle that reads
      rpc_.receivers().Deliver(*context_, admitted,
                               Call{RequestStream<Request>(this), MakeAnswer()});
    } else {
      rpc_.receivers().Deliver(*context_, admitted, Call{std::move(request_), MakeAnswer()});
    }
  }

  auto MakeAnswer() {
    if constexpr (kAnswersMany) {
      return ReplyStream<Response>(this);
    } else {
      return Reply<Response>(this);
    }
  }

  void Wrote(bool ok) {
    {
      MutexLock lock(mutex_);
      write_in_flight_ = false;
    }
    if (!ok) Break();
    ComeRound();
    bool ready;
    {
      MutexLock lock(mutex_);
      ready = broken_ || writes_.has_room() || (!write_in_flight_ && writes_.came_to_end());
    }
    if (ready) writes_.PostReady();
    OperationCame();
  }

  void WasRead(bool ok) {
    Waiting<std::optional<Request>> read;
    read_in_flight_ = false;
    {
      MutexLock lock(mutex_);
      std::swap(on_read_, read);
      // Whichever read is the last one gets it.
      wants_read_ = false;
      requests_ended_ = !ok;
    }
    if (read) read.Post(ok ? std::optional<Request>(std::move(request_)) : std::nullopt);
    request_.Clear();
    OperationCame();
  }

  void Finished(bool ok) {
    // The end of a call whose client had not gone before.
    if (!ok && wanted_ && rpc_.ingress().closing()) rpc_.ingress().CountCut(*this);
    OperationCame();
  }

  // Where its client has gone, the call is over, whatever the component still does with it.
  void Done(bool) {
    if (context_->IsCancelled()) {
      Break();
      SetEnd(absl::CancelledError("the client has gone"));
      this->MarkCancelled();
      writes_.PostReady();
      ComeRound();
    }
    OperationCame();
  }

  // Once the operations are all back, the call's end among them, gRPC has no more to do with this.
  void OperationCame() {
    if (--operations_ != 0) return;
    rpc_.ingress().Remove(*this);
    stream_.reset();
    context_.End(/*may_be_asked=*/true);
    this->Unref();
  }

  // The end comes after what was accepted before. False where it was decided already.
  bool SetEnd(const absl::Status& status) {
    MutexLock lock(mutex_);
    if (std::exchange(ending_, true)) return false;
    status_ = ToGrpc(status);
    return true;
  }

  // The client has gone: nothing can be sent but the end, which goes nowhere.
  void Break() {
    MutexLock lock(mutex_);
    broken_ = true;
    writes_.Clear();
  }

  // Any thread.
  void CallIngress() {
    Ingress& ingress = rpc_.ingress();
    if (ingress.is_current()) return ComeRound();
    {
      MutexLock lock(mutex_);
      if (std::exchange(called_, true)) return;
    }
    // Held: the call may be over before the ingress comes.
    this->Ref();
    ingress.Post(0, [self = SharedPtr<StreamServerCall>(this)] { self->ComeRound(); });
  }

  // Starts what is wanted and can be started. Ingress thread.
  void ComeRound() {
    MutexLock lock(mutex_);
    called_ = false;
    // gRPC takes a second read while one is under way for a broken program, and aborts.
    if (wants_read_ && !read_in_flight_) StartRead();
    if (ending_) rpc_.ingress().Answered(*this);
    if (write_in_flight_ || finish_started_) return;
    if (std::optional<Response> next = writes_.Pop()) {
      StartWrite(*next);
    } else if (ending_) {
      StartFinish();
    }
  }

  void StartRead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    wants_read_ = false;
    if constexpr (kAsksMany) {
      read_in_flight_ = true;
      ++operations_;
      stream_->Read(&request_, &read_tag_);
    }
  }

  void StartWrite(const Response& message) {
    if constexpr (kAnswersMany) {
      write_in_flight_ = true;
      ++operations_;
      stream_->Write(message, &wrote_tag_);
    }
  }

  // Counted from the start, so that a call cannot be over before it.
  void StartFinish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    finish_started_ = true;
    wanted_ = !this->cancelled();
    if constexpr (kAnswersMany) {
      stream_->Finish(status_, &finished_tag_);
    } else if (status_.ok()) {
      stream_->Finish(response_, status_, &finished_tag_);
    } else {
      stream_->FinishWithError(status_, &finished_tag_);
    }
  }

  Rpc& rpc_;
  GrpcContext context_;

  // Ingress thread only.
  std::optional<Stream> stream_{std::in_place, &context_.Begin()};
  Request request_;     // the one that is read
  int operations_ = 2;  // Done and Finished, and the read and the write that are under way
  bool read_in_flight_ = false;
  bool finish_started_ = false;
  bool wanted_ = false;  // by its client, when the end was sent

  Mutex mutex_;
  // Written by the ingress thread alone, which needs no lock to read it.
  bool write_in_flight_ = false;
  Response response_ ABSL_GUARDED_BY(mutex_);
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  bool called_ ABSL_GUARDED_BY(mutex_) = false;  // the ingress is on its way
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool requests_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool wants_read_ ABSL_GUARDED_BY(mutex_) = false;
  Waiting<std::optional<Request>> on_read_ ABSL_GUARDED_BY(mutex_);
  // Its messages, like what is above.
  WriteBuffer<Response> writes_;

  MemberTag<StreamServerCall, &StreamServerCall::Arrived> arrived_tag_{this};
  MemberTag<StreamServerCall, &StreamServerCall::Wrote> wrote_tag_{this};
  MemberTag<StreamServerCall, &StreamServerCall::WasRead> read_tag_{this};
  MemberTag<StreamServerCall, &StreamServerCall::Finished> finished_tag_{this};
  MemberTag<StreamServerCall, &StreamServerCall::Done> done_tag_{this};
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_STREAM_CALL_H_
