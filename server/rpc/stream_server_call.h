// StreamServerCall: a StreamCall of one rpc, with its messages. The shapes differ in the gRPC
// object that reads and writes, and in how the component answers: once, or many times.
#ifndef MAINSPRING_SERVER_RPC_STREAM_SERVER_CALL_H_
#define MAINSPRING_SERVER_RPC_STREAM_SERVER_CALL_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_stream.h>

#include <optional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "mainspring/reply.h"
#include "mainspring/reply_stream.h"
#include "mainspring/request_stream.h"
#include "mainspring/server/rpc/answer_side.h"
#include "mainspring/server/rpc/request_side.h"
#include "mainspring/server/rpc/stream_call.h"

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

template <class Rpc>
class StreamServerCall final : public StreamCall {
 public:
  using Call = typename Rpc::Call;
  using Request = typename CallTypes<Call>::Request;
  using Response = typename CallTypes<Call>::Response;
  static constexpr bool kAnswersMany = !HasReply<Call>;

  explicit StreamServerCall(Rpc& rpc)
      : StreamCall(rpc.ingress(), kAnswersMany ? Answers::kMany : Answers::kOne), rpc_(rpc) {}

  // Waits for the next call to this rpc.
  void Arm() {
    context_->AsyncNotifyWhenDone(done_tag());
    rpc_.Await(*context_, requests_.next(), *stream_, &arrived_tag_);
  }

  // For the component's answers. Any thread.
  WriteResult Write(Response&& message) {
    {
      MutexLock lock(mutex_);
      if (!takes_writes()) return WriteResult::kClosed;
      if (!writes_.Push(std::move(message))) return WriteResult::kFull;
    }
    CallIngress();
    return WriteResult::kAccepted;
  }

  void EndWithResponse(Response&& response) {
    {
      MutexLock lock(mutex_);
      if (BeginEnd()) response_ = std::move(response);
    }
    LetGo();
  }

 private:
  void Arrived(bool ok) {
    // The server shuts down: no call will come.
    if (!ok) return delete this;
    rpc_.ArmAnother();
    const absl::Status admitted = rpc_.Admit(*this, *context_);
    answers_.BeginCall(SteadyDeadline(*context_), Call::kMethod);
    Ref();  // for the handle that answers
    using Answer = std::conditional_t<kAnswersMany, ReplyStream<Response>, Reply<Response>>;
    if constexpr (!HasRequest<Call>) {
      Ref();  // for the handle that reads
      rpc_.receivers().Deliver(context_, answers_, admitted,
                               Call{RequestStream<Request>(&requests_), Answer(&answers_)});
    } else {
      rpc_.receivers().Deliver(context_, answers_, admitted,
                               Call{std::move(requests_.next()), Answer(&answers_)});
    }
  }

  void StartRead() override {
    if constexpr (!HasRequest<Call>) stream_->Read(&requests_.next(), read_tag());
  }

  bool StartWrite() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::optional<Response> next = writes_.Pop();
    if constexpr (kAnswersMany) {
      if (next.has_value()) stream_->Write(*next, wrote_tag());
    }
    return next.has_value();
  }

  void StartFinish(const grpc::Status& status) override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if constexpr (kAnswersMany) {
      stream_->Finish(status, finished_tag());
    } else if (status.ok()) {
      stream_->Finish(response_, status, finished_tag());
    } else {
      stream_->FinishWithError(status, finished_tag());
    }
  }

  void GiveRequest(bool ok) override { requests_.Give(ok); }
  WriteRoom& room() override { return writes_; }
  void DropWrites() override { writes_.Clear(); }
  void DropStream() override { stream_.reset(); }
  void MarkCallerGone() override { answers_.MarkCancelled(); }
  void ForgetCaller() override { answers_.ForgetCancel(); }
  bool caller_gone() const override { return answers_.cancelled(); }

  Rpc& rpc_;
  RequestSide<Request> requests_{*this};
  std::conditional_t<kAnswersMany, ManyAnswers<StreamServerCall, Response>,
                     OneAnswer<StreamServerCall, Response>>
      answers_{*this};
  // Ingress thread only.
  std::optional<typename AsyncStreamOf<Call, Request, Response>::Type> stream_{std::in_place,
                                                                               &context_.Begin()};

  WriteBuffer<Response> writes_;  // guarded by mutex_, but for what says otherwise
  Response response_ ABSL_GUARDED_BY(mutex_);
  MemberTag<StreamServerCall, &StreamServerCall::Arrived> arrived_tag_{this};
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_STREAM_SERVER_CALL_H_
