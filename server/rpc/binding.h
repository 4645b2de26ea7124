// Bind: a gRPC service for a request enum. The generated bindings are made of it, and nothing else
// includes it. All that a binding adds to a component's generated code is here; gRPC is not.
#ifndef MAINSPRING_SERVER_RPC_BINDING_H_
#define MAINSPRING_SERVER_RPC_BINDING_H_

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "mainspring/call.h"
#include "mainspring/handler.h"
#include "mainspring/inbox.h"
#include "mainspring/mailbox_base.h"
#include "mainspring/mutex.h"
#include "mainspring/reply.h"
#include "mainspring/reply_stream.h"
#include "mainspring/request_stream.h"
#include "mainspring/server/rpc/service.h"
#include "mainspring/server/rpc/typed_call.h"
#include "mainspring/waiting.h"

namespace mainspring::rpc {

// Where the one answer of a call goes.
template <class Response>
struct OneAnswer final : ReplySink<Response> {
  using Handle = Reply<Response>;
  explicit OneAnswer(Carrier& carrier) : carrier(carrier) {}
  void Succeed(Response&& response) override { carrier.Answer(response); }
  void Fail(absl::Status status) override { carrier.End(status); }
  Carrier& carrier;
};

// Where its many answers go.
template <class Response>
struct ManyAnswers final : StreamSink<Response> {
  using Handle = ReplyStream<Response>;
  explicit ManyAnswers(Carrier& carrier) : carrier(carrier) {}
  WriteResult Write(Response&& response) override { return carrier.Write(response); }
  void OnReady(Callback callback) override { carrier.OnReady(std::move(callback)); }
  void OnSent(Callback callback) override { carrier.OnSent(std::move(callback)); }
  void Finish(absl::Status status) override { carrier.End(status); }
  Carrier& carrier;
};

// Where its one request comes from.
template <class Request>
class OneRequest {
 public:
  explicit OneRequest(Carrier&) {}
  Request& next() { return request_; }
  Request&& Take() { return std::move(request_); }
  void Give(bool) {}

 private:
  Request request_;
};

// Where its many requests come from.
template <class Request>
class ManyRequests final : public StreamSource<Request> {
 public:
  explicit ManyRequests(Carrier& carrier) : carrier_(carrier) {}

  // StreamSource. Any thread.

  void Read(ReadCallback<Request> callback) override {
    mainspring::Waiting<std::optional<Request>> read(std::move(callback));
    mainspring::Waiting<std::optional<Request>> replaced;
    {
      MutexLock lock(mutex_);
      // Afterwards: on_read_ is this read, where a request will come; `read` is, where none will;
      // `replaced` is the one that waited before.
      std::swap(on_read_, replaced);
      if (carrier_.WantRequest()) std::swap(on_read_, read);
    }
    if (read) return read.Post(std::nullopt);
    carrier_.FetchRequest();
  }

  void Release() override {
    mainspring::Waiting<std::optional<Request>> dropped;
    {
      MutexLock lock(mutex_);
      std::swap(on_read_, dropped);
    }
    carrier_.ReleaseRequests();
  }

  // For TypedCallOf, on the ingress thread.

  Request& next() { return next_; }
  RequestStream<Request> Take() { return RequestStream<Request>(this); }
  void Give(bool more) {
    mainspring::Waiting<std::optional<Request>> read;
    {
      MutexLock lock(mutex_);
      std::swap(on_read_, read);
      carrier_.RequestGiven(more);
    }
    if (read) read.Post(more ? std::optional<Request>(std::move(next_)) : std::nullopt);
    next_.Clear();
  }

 private:
  Carrier& carrier_;
  Request next_;
  Mutex mutex_;  // held while the carrier is told, never while it acts
  mainspring::Waiting<std::optional<Request>> on_read_ ABSL_GUARDED_BY(mutex_);
};

// The typed half of a call to one rpc.
template <class RequestEnum, class Call>
class TypedCallOf final : public TypedCall {
 public:
  static std::unique_ptr<TypedCall> Make(Carrier& carrier) {
    return std::make_unique<TypedCallOf>(carrier);
  }

  explicit TypedCallOf(Carrier& carrier) : requests_(carrier), answers_(carrier) {}

  CallContext& context() override { return answers_; }
  google::protobuf::MessageLite& request() override { return requests_.next(); }
  void GiveRequest(bool more) override { requests_.Give(more); }
  void HandOn(AnyInbox& inbox) override {
    static_cast<Inbox<RequestEnum>&>(inbox).Push(
        Call{requests_.Take(), typename Answers::Handle(&answers_)});
  }

 private:
  using Request = typename CallTypes<Call>::Request;
  using Response = typename CallTypes<Call>::Response;
  using Requests = std::conditional_t<HasRequest<Call>, OneRequest<Request>, ManyRequests<Request>>;
  using Answers = std::conditional_t<HasReply<Call>, OneAnswer<Response>, ManyAnswers<Response>>;

  Requests requests_;
  Answers answers_;
};

// A handler as an inbox: each call is answered where it is put.
template <class RequestEnum>
class Servicer;
template <class... Calls>
class Servicer<std::variant<Calls...>> final
    : public InboxOf<Servicer<std::variant<Calls...>>, std::variant<Calls...>> {
 public:
  using RequestEnum = std::variant<Calls...>;
  explicit Servicer(Handler<RequestEnum>& handler) : handler_(handler) {}

  const std::string& component() const override { return none_; }
  template <class Call>
  bool Push(Call&& call) {
    handler_.Handle(RequestEnum(std::in_place_type<Call>, std::move(call)));
    return true;
  }

 private:
  Handler<RequestEnum>& handler_;
  const std::string none_;
};

template <class Call>
constexpr Shape ShapeOf() {
  if constexpr (UnaryCall<Call>) return Shape::kUnary;
  if constexpr (ServerStreamCall<Call>) return Shape::kServerStream;
  if constexpr (ClientStreamCall<Call>) return Shape::kClientStream;
  return Shape::kDialog;
}

template <class RequestEnum>
struct BindingOf;
template <class... Calls>
struct BindingOf<std::variant<Calls...>> {
  using RequestEnum = std::variant<Calls...>;

  static constexpr RpcDescription kMethods[] = {
      {Calls::kMethod, ShapeOf<Calls>(), &TypedCallOf<RequestEnum, Calls>::Make}...};

  static AnyInbox* InboxOf(Addressee& component) {
    return dynamic_cast<Inbox<RequestEnum>*>(&component);
  }
  static std::unique_ptr<AnyInbox> ServicerOf(AnyHandler& handler) {
    auto* const typed = dynamic_cast<Handler<RequestEnum>*>(&handler);
    return typed == nullptr ? nullptr : std::make_unique<Servicer<RequestEnum>>(*typed);
  }
};

// For the generated code: the service called `name`, whose methods are the alternatives of the
// request enum.
template <class RequestEnum>
std::unique_ptr<Service> Bind(const char* name) {
  using Binding = BindingOf<RequestEnum>;
  return NewService({name, Binding::kMethods, &Binding::InboxOf, &Binding::ServicerOf});
}

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_BINDING_H_
