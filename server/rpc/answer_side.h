// ManyAnswers, OneAnswer: where the answers of a streaming call's component go. Each is a member of
// its call, to which it passes what it is given.
#ifndef MAINSPRING_SERVER_RPC_ANSWER_SIDE_H_
#define MAINSPRING_SERVER_RPC_ANSWER_SIDE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "mainspring/reply.h"
#include "mainspring/reply_stream.h"

namespace mainspring::rpc {

// What both have: the call's circumstances, as gRPC tells them.
template <class Owner, class Sink>
class AnswerSide : public Sink {
 public:
  explicit AnswerSide(Owner& owner) : owner_(owner) {}

  std::string Peer() const override { return owner_.grpc_context().Peer(); }
  std::string Principal() const override { return owner_.grpc_context().Principal(); }
  std::string Authority() const override { return owner_.grpc_context().Authority(); }
  std::vector<Metadatum> AllMetadata() const override {
    return owner_.grpc_context().AllMetadata();
  }
  std::vector<std::string> MetadataValues(absl::string_view key) const override {
    return owner_.grpc_context().MetadataValues(key);
  }
  std::string Metadata(absl::string_view key) const override {
    return owner_.grpc_context().Metadata(key);
  }
  bool AddHeader(Metadatum header) override {
    return owner_.grpc_context().AddHeader(std::move(header));
  }
  bool AddTrailer(Metadatum trailer) override {
    return owner_.grpc_context().AddTrailer(std::move(trailer));
  }

  // For the call: ingress thread only, but for ForgetCancel.
  using CallContext::BeginCall;
  using CallContext::ForgetCancel;
  using CallContext::MarkCancelled;

 protected:
  ~AnswerSide() = default;

  Owner& owner_;
};

template <class Owner, class Response>
class ManyAnswers final : public AnswerSide<Owner, StreamSink<Response>> {
 public:
  using AnswerSide<Owner, StreamSink<Response>>::AnswerSide;

  WriteResult Write(Response&& message) override { return this->owner_.Write(std::move(message)); }
  void OnReady(Callback callback) override { this->owner_.WhenReady(std::move(callback)); }
  void OnSent(Callback callback) override { this->owner_.WhenSent(std::move(callback)); }
  void Finish(absl::Status status) override { this->owner_.EndWith(status); }
};

template <class Owner, class Response>
class OneAnswer final : public AnswerSide<Owner, ReplySink<Response>> {
 public:
  using AnswerSide<Owner, ReplySink<Response>>::AnswerSide;

  void Succeed(Response&& response) override { this->owner_.EndWithResponse(std::move(response)); }
  void Fail(absl::Status status) override { this->owner_.EndWith(status); }
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_ANSWER_SIDE_H_
