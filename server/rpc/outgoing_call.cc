#include "mainspring/server/rpc/outgoing_call.h"

#include <chrono>
#include <string>

#include "mainspring/server/rpc/grpc_time.h"
#include "mainspring/server/rpc/status.h"

namespace mainspring {

void FillClientContext(const CallOptions& options, grpc::ClientContext& context) {
  if (const SteadyTime deadline = options.EffectiveDeadline(); deadline != kNever) {
    context.set_deadline(rpc::GrpcDeadline(Between(std::chrono::steady_clock::now(), deadline)));
  }
  for (const auto& [key, value] : options.EffectiveMetadata()) context.AddMetadata(key, value);
}

absl::Status rpc::TakeOver(const grpc::Status& status, const grpc::ClientContext& context,
                           CallContext& reply) {
  const auto text = [](grpc::string_ref of) { return std::string(of.data(), of.size()); };
  for (const auto& [key, value] : context.GetServerInitialMetadata()) {
    reply.AddHeader({text(key), text(value)});
  }
  for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
    reply.AddTrailer({text(key), text(value)});
  }
  return FromGrpc(status);
}

}  // namespace mainspring
