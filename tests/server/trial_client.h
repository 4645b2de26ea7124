// Clients of Trial over real gRPC.
#ifndef MAINSPRING_TESTS_SERVER_TRIAL_CLIENT_H_
#define MAINSPRING_TESTS_SERVER_TRIAL_CLIENT_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <stdlib.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "mainspring/trial/v1/trial.grpc.pb.h"
#include "tests/server/eventually.h"
#include "tests/server/hooked_component.h"
#include "tests/server/trial_directory.h"  // IWYU pragma: export

namespace mainspring::testing {

// A channel with connections of its own, as each process has; addresses as planes tell them. Its
// window does not grow: what a client does not read, waits at the server.
inline std::shared_ptr<grpc::Channel> ConnectTo(const std::string& address,
                                                grpc::ChannelArguments arguments = {}) {
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// A client context that does not wait for ever.
struct Waiting : grpc::ClientContext {
  explicit Waiting(absl::Duration limit = kPatience) {
    set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(limit));
    set_wait_for_ready(true);
  }
};

inline grpc::Status Echo(trial::v1::Trial::Stub& stub, const std::string& text = "hello",
                         trial::v1::EchoResponse* response = nullptr) {
  Waiting context;
  trial::v1::EchoResponse ignored;
  return stub.Echo(&context, EchoOf(text), response == nullptr ? &ignored : response);
}

// Sends those bytes as the only message of a call.
inline grpc::Status SendBytes(const std::string& address, const std::string& path,
                              const std::string& bytes) {
  grpc::GenericStub stub(ConnectTo(address));
  Waiting context;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, path, {}, &request, &response,
                 [&](const grpc::Status& status) { done.set_value(status); });
  return done.get_future().get();
}

// An Echo that is under way: it has been sent when this is made, after what was sent before it.
class PendingEcho {
 public:
  explicit PendingEcho(trial::v1::Trial::Stub& stub, const std::string& component = "")
      : request_(EchoOf("hello")) {
    if (!component.empty()) context_.AddMetadata("mainspring-component", component);
    stub.async()->Echo(&context_, &request_, &response_,
                       [this](const grpc::Status& status) { done_.set_value(status); });
  }
  // Blocks for the answer.
  grpc::Status Await() { return done_.get_future().get(); }
  void Cancel() { context_.TryCancel(); }

 private:
  Waiting context_;
  trial::v1::EchoRequest request_;
  trial::v1::EchoResponse response_;
  std::promise<grpc::Status> done_;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_TRIAL_CLIENT_H_
