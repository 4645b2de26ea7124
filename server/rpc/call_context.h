// What a CallContext tells of a call that came over gRPC.
#ifndef MAINSPRING_SERVER_RPC_CALL_CONTEXT_H_
#define MAINSPRING_SERVER_RPC_CALL_CONTEXT_H_

#include <grpcpp/server_context.h>

#include <string>

#include "absl/strings/string_view.h"
#include "mainspring/steady_time.h"

namespace mainspring::rpc {

// The call's deadline in steady time; gRPC tells it in the wall clock's. Once, on arrival: later
// the wall clock may have been set.
SteadyTime SteadyDeadline(const grpc::ServerContext& context);

// The identity that the connection's certificate proves; empty where there is none.
std::string PrincipalOf(const grpc::ServerContext& context);

// The first value under `key`, or ""; unless that ends in "-bin", bytes that are no UTF-8 escaped.
std::string MetadataOf(const grpc::ServerContext& context, absl::string_view key);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_CALL_CONTEXT_H_
