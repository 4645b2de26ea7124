// TypedCall and Carrier: the two halves of a call that comes from outside. The typed half knows its
// messages and the component; the carrier knows how they travel, which is over gRPC. Neither knows
// what the other does, so that generated code is free of gRPC, and gRPC's part is written once.
#ifndef MAINSPRING_SERVER_RPC_TYPED_CALL_H_
#define MAINSPRING_SERVER_RPC_TYPED_CALL_H_

#include <memory>

#include "absl/status/status.h"
#include "mainspring/call_context.h"
#include "mainspring/inbox.h"
#include "mainspring/reply_stream.h"

namespace google::protobuf {
class MessageLite;
}

namespace mainspring::rpc {

// What the handles of the component do to a call. It keeps nothing that it is given but copies.
// Any thread.
class Carrier {
 public:
  // The end of the call, by one of the two, exactly once: the handle that answers lets go of it.

  virtual void Answer(const google::protobuf::MessageLite& response) = 0;
  // OK: that was all, of a call with many answers.
  virtual void End(const absl::Status& status) = 0;

  // Of a call with many answers: see ReplyStream.

  virtual WriteResult Write(const google::protobuf::MessageLite&) { return WriteResult::kClosed; }
  virtual void OnReady(Callback) {}
  virtual void OnSent(Callback) {}

  // Of a call with many requests.

  // The next request is wanted. False: there will be none.
  virtual bool WantRequest() { return false; }
  // What is wanted comes to TypedCall::GiveRequest.
  virtual void FetchRequest() {}
  // A request was given, and none is wanted until WantRequest; or, where not `more`, their end was.
  virtual void RequestGiven(bool /*more*/) {}
  // The handle that reads lets go of the call; last.
  virtual void ReleaseRequests() {}

 protected:
  ~Carrier() = default;
};

// Owned by its carrier, which may use it for one call after another. Ingress thread only.
class TypedCall {
 public:
  virtual ~TypedCall() = default;

  // What the component is shown. The carrier begins it with each call.
  virtual CallContext& context() = 0;
  // Where the carrier puts the request, or the next one.
  virtual google::protobuf::MessageLite& request() = 0;
  // Of a call with many: what was put there is the next one; or, where not `more`, they are over.
  virtual void GiveRequest(bool /*more*/) {}
  // Hands the call on, to an inbox of its service. From then on there is a handle that answers,
  // and, where the call has many requests, one that reads.
  virtual void HandOn(AnyInbox& inbox) = 0;
};

enum class Shape { kUnary, kServerStream, kClientStream, kDialog };

// One rpc of a service, as its binding describes it.
struct RpcDescription {
  // "/mainspring.clock.v1.Clock/GetTime".
  const char* path;
  Shape shape;
  std::unique_ptr<TypedCall> (*make)(Carrier& carrier);

  bool has_one_request() const { return shape == Shape::kUnary || shape == Shape::kServerStream; }
  bool has_one_answer() const { return shape == Shape::kUnary || shape == Shape::kClientStream; }
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_TYPED_CALL_H_
