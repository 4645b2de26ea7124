// Bind: a gRPC service for a request enum. The generated bindings are made of it, and nothing else
// includes it.
#ifndef MAINSPRING_SERVER_RPC_BINDING_H_
#define MAINSPRING_SERVER_RPC_BINDING_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/service_type.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "mainspring/call.h"
#include "mainspring/server/rpc/ingress.h"
#include "mainspring/server/rpc/receivers.h"
#include "mainspring/server/rpc/service.h"
#include "mainspring/server/rpc/stream_server_call.h"
#include "mainspring/server/rpc/unary_call.h"

namespace mainspring::rpc {

// gRPC's service, whose methods we request ourselves, one by one.
class AsyncService : public grpc::Service {
 public:
  using grpc::Service::AddMethod;
  using grpc::Service::MarkMethodAsync;
  using grpc::Service::RequestAsyncBidiStreaming;
  using grpc::Service::RequestAsyncClientStreaming;
  using grpc::Service::RequestAsyncServerStreaming;
  using grpc::Service::RequestAsyncUnary;
};

template <class Call>
constexpr grpc::internal::RpcMethod::RpcType RpcTypeOf() {
  using Type = grpc::internal::RpcMethod;
  if constexpr (UnaryCall<Call>) return Type::NORMAL_RPC;
  if constexpr (ServerStreamCall<Call>) return Type::SERVER_STREAMING;
  if constexpr (ClientStreamCall<Call>) return Type::CLIENT_STREAMING;
  return Type::BIDI_STREAMING;
}

// One rpc of a service on one plane: it keeps calls armed, and those that are idle. Ingress thread
// only, once armed.
template <class RequestEnum, class CallStruct>
class Rpc {
 public:
  using Call = CallStruct;
  using ServerCallType =
      typename std::conditional_t<UnaryCall<Call>, std::type_identity<UnaryServerCall<Rpc>>,
                                  std::type_identity<StreamServerCall<Rpc>>>::type;

  Rpc(AsyncService& service, int index, const Receivers<RequestEnum>& receivers)
      : service_(service), index_(index), receivers_(receivers) {
    service_.AddMethod(
        new grpc::internal::RpcServiceMethod(Call::kMethod, RpcTypeOf<Call>(), nullptr));
    service_.MarkMethodAsync(index_);
  }
  ~Rpc() {
    if constexpr (UnaryCall<Call>) {
      for (ServerCallType* call : idle_) delete call;
    }
  }
  Rpc(const Rpc&) = delete;
  Rpc& operator=(const Rpc&) = delete;

  void Arm(Ingress& ingress, bool reserved) {
    ingress_ = &ingress;
    reserved_ = reserved;
    for (int i = 0; i < (UnaryCall<Call> ? kArmedUnary : kArmedStreams); ++i) ArmAnother();
  }

  void ArmAnother() {
    if (ingress_->requests_ended()) return;
    if (idle_.empty()) {
      (new ServerCallType(*this))->Arm();
      return;
    }
    ServerCallType* call = idle_.back();
    idle_.pop_back();
    call->Arm();
  }

  void Recycle(ServerCallType* call) {
    if (idle_.size() < kMaxIdle) {
      idle_.push_back(call);
    } else {
      delete call;
    }
  }

  // A call has come. Not OK: what it is to be refused with.
  absl::Status Admit(ServerCall& call, const grpc::ServerContext& context) {
    absl::Status admitted = ingress_->Add(call, context.peer(), reserved_);
    if constexpr (!UnaryCall<Call>) {
      if (!ingress_->refuse_streams().ok()) return ingress_->refuse_streams();
    }
    if (!ingress_->refuse_calls().ok()) {
      ingress_->CountRefused(call);
      return ingress_->refuse_calls();
    }
    return admitted;
  }

  const Receivers<RequestEnum>& receivers() const { return receivers_; }
  // Has gRPC fill `context`, `stream` and, where a call has one, `request` with the next call.
  template <class Request, class Stream>
  void Await(grpc::ServerContext& context, Request& request, Stream& stream, Tag* arrived) {
    grpc::ServerCompletionQueue* const queue = &ingress_->queue();
    if constexpr (UnaryCall<Call>) {
      service_.RequestAsyncUnary(index_, &context, &request, &stream, queue, queue, arrived);
    } else if constexpr (ServerStreamCall<Call>) {
      service_.RequestAsyncServerStreaming(index_, &context, &request, &stream, queue, queue,
                                           arrived);
    } else if constexpr (ClientStreamCall<Call>) {
      service_.RequestAsyncClientStreaming(index_, &context, &stream, queue, queue, arrived);
    } else {
      service_.RequestAsyncBidiStreaming(index_, &context, &stream, queue, queue, arrived);
    }
  }

  Ingress& ingress() { return *ingress_; }

 private:
  // Calls that gRPC can hand over before the ingress has come to arm another; beyond them they
  // wait inside gRPC.
  static constexpr int kArmedUnary = 32;
  static constexpr int kArmedStreams = 2;
  // A burst leaves no more than this many calls, of about 2 KiB, behind.
  static constexpr size_t kMaxIdle = 256;

  AsyncService& service_;
  const int index_;
  const Receivers<RequestEnum>& receivers_;
  Ingress* ingress_ = nullptr;
  bool reserved_ = false;
  std::vector<ServerCallType*> idle_;
};

template <class RequestEnum>
class Binding final : public Service {
 public:
  explicit Binding(std::string name) : Binding(std::move(name), Indices{}) {}

  const std::string& name() const override { return name_; }
  absl::Status AddComponent(std::shared_ptr<MailboxBase> mailbox, Before before) override {
    return receivers_.AddComponent(std::move(mailbox), std::move(before));
  }
  absl::Status SetServicer(AnyHandler& servicer) override {
    return receivers_.SetServicer(servicer);
  }
  grpc::Service& grpc_service() override { return service_; }
  void ReservePlaces() override { reserved_ = true; }
  void Arm(Ingress& ingress) override {
    std::apply([&](auto&... rpc) { (rpc->Arm(ingress, reserved_), ...); }, rpcs_);
  }

 private:
  using Indices = std::make_index_sequence<std::variant_size_v<RequestEnum>>;
  template <size_t... kIndex>
  static auto RpcsOf(std::index_sequence<kIndex...>) -> std::tuple<
      std::unique_ptr<Rpc<RequestEnum, std::variant_alternative_t<kIndex, RequestEnum>>>...>;
  using Rpcs = decltype(RpcsOf(Indices{}));

  template <size_t... kIndex>
  Binding(std::string name, std::index_sequence<kIndex...>)
      : name_(std::move(name)),
        rpcs_{std::make_unique<Rpc<RequestEnum, std::variant_alternative_t<kIndex, RequestEnum>>>(
            service_, static_cast<int>(kIndex), receivers_)...} {}

  const std::string name_;
  Receivers<RequestEnum> receivers_;
  AsyncService service_;
  Rpcs rpcs_;
  bool reserved_ = false;
};

// For the generated code: the service called `name`, whose methods are the alternatives of the
// request enum.
template <class RequestEnum>
std::unique_ptr<Service> Bind(const char* name) {
  return std::make_unique<Binding<RequestEnum>>(name);
}

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_BINDING_H_
