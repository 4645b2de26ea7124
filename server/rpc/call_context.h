// GrpcContext: the gRPC side of one call's circumstances, and what a CallContext tells of it.
#ifndef MAINSPRING_SERVER_RPC_CALL_CONTEXT_H_
#define MAINSPRING_SERVER_RPC_CALL_CONTEXT_H_

#include <grpcpp/server_context.h>

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "mainspring/mutex.h"
#include "mainspring/steady_time.h"

namespace mainspring::rpc {

// It ends when gRPC has no more to do with the call, for it keeps the connection's descriptor as
// long as it lives; whoever holds the right to answer may ask after that. The ingress thread alone
// begins and ends it, and so needs no lock to use it.
class GrpcContext {
 public:
  // For the next call: what was known of the one before is forgotten.
  grpc::ServerContext& Begin();
  // Keeps the peer's name, where somebody is left who may ask for it.
  void End(bool may_be_asked);

  // Between Begin and End, on the ingress thread.
  grpc::ServerContext& operator*() { return *context_; }
  grpc::ServerContext* operator->() { return &*context_; }

  // Any thread, at any time.

  std::string Peer() const;
  // The identity that the connection's certificate proves; empty where there is none.
  std::string Principal() const;
  // The first value under `key`, or ""; unless that ends in "-bin", bytes that are no UTF-8
  // escaped.
  std::string Metadata(absl::string_view key) const;

 private:
  mutable Mutex mutex_;
  std::optional<grpc::ServerContext> context_;
  std::string gone_peer_ ABSL_GUARDED_BY(mutex_);
};

// The call's deadline in steady time; gRPC tells it in the wall clock's. Once, on arrival: later
// the wall clock may have been set.
SteadyTime SteadyDeadline(const grpc::ServerContext& context);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_CALL_CONTEXT_H_
