// ManyAnswers, OneAnswer: where the answers of a streaming call's component go: each is a part of
// its call, which it hands on what it is given.
#ifndef MAINSPRING_SERVER_RPC_ANSWER_SIDE_H_
#define MAINSPRING_SERVER_RPC_ANSWER_SIDE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "mainspring/reply.h"
#include "mainspring/reply_stream.h"

namespace mainspring::rpc {

// What both have: the call's circumstances, as gRPC tells them.
template <class Call, class Sink>
class AnswerSide : public Sink {
 public:
  explicit AnswerSide(Call& call) : call_(call) {}

  std::string Peer() const override { return call_.grpc_context().Peer(); }
  std::string Principal() const override { return call_.grpc_context().Principal(); }
  std::string Metadata(absl::string_view key) const override {
    return call_.grpc_context().Metadata(key);
  }

  // For the call.
  using CallContext::BeginCall;
  using CallContext::ForgetCancel;
  using CallContext::MarkCancelled;

 protected:
  ~AnswerSide() = default;

  Call& call_;
};

template <class Call, class Response>
class ManyAnswers final : public AnswerSide<Call, StreamSink<Response>> {
 public:
  using AnswerSide<Call, StreamSink<Response>>::AnswerSide;

  WriteResult Write(Response&& message) override { return this->call_.Write(std::move(message)); }
  void OnReady(Callback callback) override { this->call_.WhenReady(std::move(callback)); }
  void OnSent(Callback callback) override { this->call_.WhenSent(std::move(callback)); }
  void Finish(absl::Status status) override { this->call_.EndWith(status); }
};

template <class Call, class Response>
class OneAnswer final : public AnswerSide<Call, ReplySink<Response>> {
 public:
  using AnswerSide<Call, ReplySink<Response>>::AnswerSide;

  void Succeed(Response&& response) override { this->call_.EndWithResponse(std::move(response)); }
  void Fail(absl::Status status) override { this->call_.EndWith(status); }
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_ANSWER_SIDE_H_
