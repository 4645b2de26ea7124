// Ref: the in-process address of a component. The generated refs, such as ClockRef, have one, and
// a method for each rpc. They do not derive from it, so that no name in it is in an rpc's way. A
// call in process goes into the same mailbox as one over gRPC, with the same bounds, deadline and
// order, and is never serialised.
#ifndef MAINSPRING_REF_H_
#define MAINSPRING_REF_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "mainspring/answer.h"
#include "mainspring/call.h"
#include "mainspring/inbox.h"
#include "mainspring/pipe.h"
#include "mainspring/reply_stream.h"
#include "mainspring/request_stream.h"

namespace mainspring {

// The answers of a call that has many: what a ReplyStream's writer sent. Move-only. Destroyed
// before the end, it cancels the call.
template <class T>
class [[nodiscard]] AnswerStream {
 public:
  using Message = T;

  explicit AnswerStream(Pipe<T>* pipe) : pipe_(pipe) {}
  AnswerStream(AnswerStream&& other) noexcept : pipe_(std::exchange(other.pipe_, nullptr)) {}
  AnswerStream& operator=(AnswerStream&& other) noexcept {
    if (this != &other) {
      if (pipe_ != nullptr) pipe_->Release();
      pipe_ = std::exchange(other.pipe_, nullptr);
    }
    return *this;
  }
  ~AnswerStream() {
    if (pipe_ != nullptr) pipe_->Release();
  }

  // As RequestStream::Read, and as it at its end where it was moved from. Component thread only.
  void Read(ReadCallback<T> callback) {
    if (pipe_ == nullptr) return ReadEnd<T>(std::move(callback));
    pipe_->Read(std::move(callback));
  }
  // In a coroutine: the next answer, as Read's callback gets it.
  ReadAwaiter<AnswerStream> Read() { return ReadAwaiter<AnswerStream>(*this); }
  // Blocks for the next answer: nothing at the end, and where `deadline` passed. Plain threads
  // only.
  std::optional<T> AwaitNext(SteadyTime deadline = kNever) {
    return pipe_ == nullptr ? std::nullopt : pipe_->AwaitRead(deadline);
  }
  // What came with the answers: headers once the first was read, all once the end was. Empty where
  // it was moved from.
  AnswerMetadata metadata() const {
    return pipe_ == nullptr ? AnswerMetadata() : pipe_->metadata();
  }
  // How the stream ended; UNKNOWN while it has not, FAILED_PRECONDITION where it was moved from.
  absl::Status status() const {
    return pipe_ == nullptr ? absl::FailedPreconditionError("the answers were moved elsewhere")
                            : pipe_->status();
  }

 private:
  Pipe<T>* pipe_;
};

// The requests of a call that has many. Write, Send and OnReady as ReplyStream's. Finish ends the
// requests, and so does destroying it, whatever the status: who reads cannot tell. To take the call
// back, destroy its answer or answers.
template <class T>
using RequestWriter = ReplyStream<T>;

// A call with many requests and one answer.
template <class Request, class Response>
struct [[nodiscard]] Upload {
  RequestWriter<Request> requests;
  Answer<Response> answer;
};

// A call with many requests and many answers.
template <class Request, class Response>
struct [[nodiscard]] Dialog {
  RequestWriter<Request> requests;
  AnswerStream<Response> answers;
};

// Cheap to copy, and copied where it is moved; keeps the mailbox alive, not the component. Any
// thread. Without a mailbox it answers every call FAILED_PRECONDITION.
template <class Enum>
class Ref {
 public:
  using RequestEnum = Enum;

  explicit Ref(std::shared_ptr<Inbox<RequestEnum>> mailbox) : mailbox_(std::move(mailbox)) {}
  Ref(const Ref&) = default;
  Ref& operator=(const Ref&) = default;

  // The name of the component that answers.
  const std::string& component() const {
    static const auto* const none = new std::string;
    return mailbox_ == nullptr ? *none : mailbox_->component();
  }

  // A call, of each of the four shapes.

  template <UnaryCall Call>
  Answer<typename CallTypes<Call>::Response> Ask(typename CallTypes<Call>::Request&& request,
                                                 const CallOptions& options) const {
    using Response = typename CallTypes<Call>::Response;
    SharedPtr<LocalCall<Response>> call(new LocalCall<Response>(options, Call::kMethod));
    Push<Call>(std::move(request), Reply<Response>(call.get()));
    return Answer<Response>(std::move(call));
  }

  template <ServerStreamCall Call>
  AnswerStream<typename CallTypes<Call>::Response> Ask(typename CallTypes<Call>::Request&& request,
                                                       const CallOptions& options) const {
    using Response = typename CallTypes<Call>::Response;
    Pipe<Response>* replies = NewPipe<Response>(options, Call::kMethod);
    Push<Call>(std::move(request), ReplyStream<Response>(replies));
    return AnswerStream<Response>(replies);
  }

  template <ClientStreamCall Call>
  Upload<typename CallTypes<Call>::Request, typename CallTypes<Call>::Response> Ask(
      const CallOptions& options) const {
    using Request = typename CallTypes<Call>::Request;
    using Response = typename CallTypes<Call>::Response;
    Pipe<Request>* requests =
        NewPipe<Request>({.deadline = options.EffectiveDeadline()}, Call::kMethod);
    SharedPtr<LocalCall<Response>> call(new LocalCall<Response>(options, Call::kMethod));
    EndWith(*requests, *call);
    Push<Call>(RequestStream<Request>(requests), Reply<Response>(call.get()));
    return {RequestWriter<Request>(requests), Answer<Response>(std::move(call))};
  }

  template <DialogCall Call>
  Dialog<typename CallTypes<Call>::Request, typename CallTypes<Call>::Response> Ask(
      const CallOptions& options) const {
    using Request = typename CallTypes<Call>::Request;
    using Response = typename CallTypes<Call>::Response;
    Pipe<Request>* requests =
        NewPipe<Request>({.deadline = options.EffectiveDeadline()}, Call::kMethod);
    Pipe<Response>* replies = NewPipe<Response>(options, Call::kMethod);
    EndWith(*requests, *replies);
    Push<Call>(RequestStream<Request>(requests), ReplyStream<Response>(replies));
    return {RequestWriter<Request>(requests), AnswerStream<Response>(replies)};
  }

 private:
  // Held twice: by its writer and by its reader.
  template <class T>
  static Pipe<T>* NewPipe(const CallOptions& options, const char* method) {
    auto* pipe = new Pipe<T>(options, method);
    pipe->Ref();
    return pipe;
  }

  // A call that was answered takes no more requests, and one that has no time left for them has
  // none for its answer.
  template <class T, class Answered>
  static void EndWith(Pipe<T>& requests, Answered& answered) {
    requests.Ref();
    answered.WhenDone([held = SharedPtr<Pipe<T>>(&requests)] { held->EndReading(); });
    answered.Ref();
    requests.WhenExpired([held = SharedPtr<Answered>(&answered)] { held->Expire(); });
  }

  template <class Call, class First, class Second>
  void Push(First&& first, Second&& second) const {
    Call call{std::forward<First>(first), std::forward<Second>(second)};
    if (mailbox_ == nullptr) {
      return Refuse(call, absl::FailedPreconditionError("the ref has no mailbox"));
    }
    mailbox_->Push(std::move(call));
  }

  std::shared_ptr<Inbox<RequestEnum>> mailbox_;
};

}  // namespace mainspring

#endif  // MAINSPRING_REF_H_
