// Where gRPC's own log lines go.
#ifndef MAINSPRING_SERVER_RPC_GRPC_LOG_H_
#define MAINSPRING_SERVER_RPC_GRPC_LOG_H_

#include <functional>
#include <string>

namespace mainspring::rpc {

enum class GrpcSeverity { kDebug, kInfo, kError };

// From any thread; must not block, and must not call gRPC.
using GrpcLogger = std::function<void(GrpcSeverity, const std::string& where, const std::string&)>;

// For the whole process, once, before gRPC is used: that is how gRPC has it.
void SendGrpcLogTo(GrpcLogger logger);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_GRPC_LOG_H_
