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
// Lock: mutex_ guards everything but the circumstances of the call, and is held while operations
// are started, which gRPC allows as they complete on the queue alone. Callbacks are posted.
template <class Rpc>
class StreamServerCall final : public Shared<StreamServerCall<Rpc>>,
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
    context_.AsyncNotifyWhenDone(&done_tag_);
    grpc::ServerCompletionQueue* queue = &rpc_.ingress().queue();
    if constexpr (!kAsksMany) {
      rpc_.service().RequestAsyncServerStreaming(rpc_.index(), &context_, &request_, &stream_,
                                                 queue, queue, &arrived_tag_);
    } else if constexpr (!kAnswersMany) {
      rpc_.service().RequestAsyncClientStreaming(rpc_.index(), &context_, &stream_, queue, queue,
                                                 &arrived_tag_);
    } else {
      rpc_.service().RequestAsyncBidiStreaming(rpc_.index(), &context_, &stream_, queue, queue,
                                               &arrived_tag_);
    }
  }

  // For the ingress.

  void EndStream(const absl::Status& status) override {
    if constexpr (kAnswersMany) {
      {
        MutexLock lock(mutex_);
        EndWith(status);
      }
      this->MarkCancelled();
      writes_.PostReady();
    }
  }

  bool Cut(const absl::Status& status) override {
    {
      MutexLock lock(mutex_);
      // A write that its reader keeps waiting keeps the status waiting too.
      if (write_in_flight_) context_.TryCancel();
      writes_.Clear();
      if (!EndWith(status)) return false;
    }
    this->MarkCancelled();
    writes_.PostReady();
    return true;
  }

  // For the handles of the component; Answering calls them.

  WriteResult WriteOne(Response&& message) {
    MutexLock lock(mutex_);
    if (ending_ || broken_) return WriteResult::kClosed;
    if (!write_in_flight_) {
      StartWrite(message);
      return WriteResult::kAccepted;
    }
    return writes_.Push(std::move(message)) ? WriteResult::kAccepted : WriteResult::kFull;
  }

  void WhenReady(Callback callback) {
    {
      MutexLock lock(mutex_);
      writes_.SetReady(std::move(callback), ReturnAddress::Current());
      if (!ending_ && !broken_ && writes_.full()) return;
    }
    writes_.PostReady();
  }

  void End(absl::Status status) {
    {
      MutexLock lock(mutex_);
      EndWith(status);
    }
    this->Unref();
  }

  void EndWithResponse(Response&& response) {
    {
      MutexLock lock(mutex_);
      if (!std::exchange(ending_, true)) {
        response_ = std::move(response);
        StartFinish();
      }
    }
    this->Unref();
  }

  // For the component's request stream.

  void Read(ReadCallback<Request> callback) override {
    const ReturnAddress address = ReturnAddress::Current();
    {
      MutexLock lock(mutex_);
      if (!ending_ && !broken_ && !requests_ended_) {
        on_read_ = std::move(callback);
        read_address_ = address;
        ++operations_;
        if constexpr (kAsksMany) stream_.Read(&request_, &read_tag_);
        return;
      }
    }
    address.Post([callback = std::move(callback)]() mutable { callback(std::nullopt); });
  }

  void Release() override {
    {
      MutexLock lock(mutex_);
      on_read_ = nullptr;
    }
    this->Unref();
  }

  std::string Peer() const override { return context_.peer(); }
  std::string Principal() const override { return PrincipalOf(context_); }
  std::string Metadata(absl::string_view key) const override { return MetadataOf(context_, key); }

 private:
  void Arrived(bool ok) {
    if (!ok) {  // The server shuts down: no call will come.
      delete this;
      return;
    }
    rpc_.ArmAnother();
    rpc_.ingress().Add(*this);
    this->BeginCall(SteadyDeadline(context_));
    this->Ref();  // for the handle that answers
    if constexpr (kAsksMany) {
      this->Ref();  // for the handle that reads
      rpc_.Deliver(context_, Call{RequestStream<Request>(this), MakeAnswer()});
    } else {
      rpc_.Deliver(context_, Call{std::move(request_), MakeAnswer()});
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
    bool ready;
    {
      MutexLock lock(mutex_);
      write_in_flight_ = false;
      if (!ok) Break();
      if (std::optional<Response> next = writes_.Pop()) {
        StartWrite(*next);
      } else if (ending_) {
        StartFinish();
      }
      ready = broken_ || writes_.has_room();
    }
    if (ready) writes_.PostReady();
    OperationCame();
  }

  void WasRead(bool ok) {
    ReadCallback<Request> callback;
    ReturnAddress address;
    std::optional<Request> message;
    {
      MutexLock lock(mutex_);
      callback = std::exchange(on_read_, nullptr);
      address = std::exchange(read_address_, ReturnAddress());
      requests_ended_ = !ok;
      if (ok) message = std::move(request_);
      request_.Clear();
    }
    if (callback) {
      address.Post([callback = std::move(callback), message = std::move(message)]() mutable {
        callback(std::move(message));
      });
    }
    OperationCame();
  }

  void Finished(bool) { OperationCame(); }

  void Done(bool) {
    if (context_.IsCancelled()) {
      {
        MutexLock lock(mutex_);
        Break();
      }
      this->MarkCancelled();
      writes_.PostReady();
    }
    OperationCame();
  }

  // Once the operations are all back, the call's end among them, gRPC has no more to do with this.
  void OperationCame() {
    {
      MutexLock lock(mutex_);
      if (--operations_ != 0) return;
    }
    rpc_.ingress().Remove(*this);
    this->Unref();
  }

  void StartWrite(const Response& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    write_in_flight_ = true;
    ++operations_;
    if constexpr (kAnswersMany) stream_.Write(message, &wrote_tag_);
  }

  // The end comes after what was accepted before. False where it was decided already.
  bool EndWith(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (std::exchange(ending_, true)) return false;
    status_ = ToGrpc(status);
    if (!write_in_flight_) StartFinish();
    return true;
  }

  // The finish was counted from the start, so that a call cannot be over before it.
  void StartFinish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if constexpr (kAnswersMany) {
      stream_.Finish(status_, &finished_tag_);
    } else if (status_.ok()) {
      stream_.Finish(response_, status_, &finished_tag_);
    } else {
      stream_.FinishWithError(status_, &finished_tag_);
    }
  }

  // The client has gone: nothing can be sent but the end, which goes nowhere.
  void Break() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    broken_ = true;
    writes_.Clear();
  }

  Rpc& rpc_;
  grpc::ServerContext context_;
  Stream stream_{&context_};

  Mutex mutex_;
  Request request_;  // the one that is read; guarded once the call has arrived
  Response response_ ABSL_GUARDED_BY(mutex_);
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  // Done and Finished, and the reads and the write that are under way.
  int operations_ ABSL_GUARDED_BY(mutex_) = 2;
  bool write_in_flight_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool requests_ended_ ABSL_GUARDED_BY(mutex_) = false;
  ReadCallback<Request> on_read_ ABSL_GUARDED_BY(mutex_);
  ReturnAddress read_address_ ABSL_GUARDED_BY(mutex_);
  WriteBuffer<Response> writes_;

  MemberTag<StreamServerCall, &StreamServerCall::Arrived> arrived_tag_{this};
  MemberTag<StreamServerCall, &StreamServerCall::Wrote> wrote_tag_{this};
  MemberTag<StreamServerCall, &StreamServerCall::WasRead> read_tag_{this};
  MemberTag<StreamServerCall, &StreamServerCall::Finished> finished_tag_{this};
  MemberTag<StreamServerCall, &StreamServerCall::Done> done_tag_{this};
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_STREAM_CALL_H_
