// Calls to elsewhere over gRPC, from a component: one line more than the stub's own.
//
//   absl::StatusOr<Rate> rate = co_await mainspring::CallStub(
//       bank_->async(), &Bank::Stub::async::GetRate, request, {.from = reply.context()});
//
// gRPC's own threads wait for the answer; it comes to the component's thread, as one in process
// does. Time is the system's: on a stage, give the component a function in place of the call.
#ifndef MAINSPRING_SERVER_RPC_OUTGOING_CALL_H_
#define MAINSPRING_SERVER_RPC_OUTGOING_CALL_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "mainspring/answer.h"
#include "mainspring/call_options.h"
#include "mainspring/server/rpc/status.h"

namespace mainspring {

// What the options say of a call, in the context of a gRPC call that has not begun: deadline,
// metadata, and of the call that it is made for its deadline and trace context. Not the principal:
// who calls over a connection proves it there. Any thread.
void FillClientContext(const CallOptions& options, grpc::ClientContext& context);

// What a stub that blocks returns, with its details. Any thread.
using rpc::FromGrpc;

namespace rpc {

// The status of a call, with its details; the answer's metadata goes to `reply`.
absl::Status TakeOver(const grpc::Status& status, const grpc::ClientContext& context,
                      CallContext& reply);

// One unary call under way.
template <class Request, class Response>
struct OutgoingCall {
  grpc::ClientContext context;
  Request request;
  Response response;
  SharedPtr<LocalCall<Response>> call;

  // Cancels it, where it is not over, when it is destroyed: the callback that waits for the caller
  // to go is, as soon as he has gone, or the instance.
  struct Leash {
    explicit Leash(std::shared_ptr<OutgoingCall> of) : held(std::move(of)) {}
    Leash(Leash&&) = default;
    ~Leash() {
      if (held != nullptr) held->context.TryCancel();
    }
    void operator()() const {}
    std::shared_ptr<OutgoingCall> held;  // by the copy that was moved from: nothing
  };
};

}  // namespace rpc

// Makes a unary call by `method` of the asynchronous stub `async`. Component thread only. Errors
// are those of the call; DEADLINE_EXCEEDED may be this side's own; CANCELLED where nobody waits for
// it any more, FAILED_PRECONDITION elsewhere.
template <class Async, class Class, class Request, class Response>
Answer<Response> CallStub(Async* async,
                          void (Class::*method)(grpc::ClientContext*, const Request*, Response*,
                                                std::function<void(grpc::Status)>),
                          Request request, const CallOptions& options = {}) {
  using Outgoing = rpc::OutgoingCall<Request, Response>;
  if (!ReturnAddress::HasCurrent()) {
    SharedPtr<LocalCall<Response>> refused(new LocalCall<Response>(options, "CallStub"));
    Reply<Response>(refused.get())
        .Fail(absl::FailedPreconditionError("CallStub: not on a component's thread"));
    return Answer<Response>(std::move(refused));
  }
  auto outgoing = std::make_shared<Outgoing>();
  FillClientContext(options, outgoing->context);
  outgoing->request = std::move(request);
  SharedPtr<LocalCall<Response>> call(new LocalCall<Response>(options, "CallStub"));
  outgoing->call = call.Another();
  call->OnCancel(typename Outgoing::Leash(outgoing));
  Outgoing* const started = outgoing.get();
  (async->*method)(&started->context, &started->request, &started->response,
                   [outgoing = std::move(outgoing)](const grpc::Status& status) {
                     Reply<Response> reply(outgoing->call.get());
                     absl::Status result =
                         rpc::TakeOver(status, outgoing->context, *outgoing->call);
                     if (result.ok()) {
                       reply.Send(std::move(outgoing->response));
                     } else {
                       reply.Fail(std::move(result));
                     }
                   });
  return Answer<Response>(std::move(call));
}

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RPC_OUTGOING_CALL_H_
