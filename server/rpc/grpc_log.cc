#include "mainspring/server/rpc/grpc_log.h"

#include <grpc/support/log.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/text.h"

namespace mainspring::rpc {
namespace {

// gRPC takes a plain function, and logs until the process ends: never destroyed.
GrpcLogger* logger = nullptr;

void Log(gpr_log_func_args* line) {
  const GrpcSeverity severity = line->severity == GPR_LOG_SEVERITY_ERROR  ? GrpcSeverity::kError
                                : line->severity == GPR_LOG_SEVERITY_INFO ? GrpcSeverity::kInfo
                                                                          : GrpcSeverity::kDebug;
  const char* slash = std::strrchr(line->file, '/');
  (*logger)(severity, absl::StrCat(slash == nullptr ? line->file : slash + 1, ":", line->line),
            BoundedText(line->message));
}

}  // namespace

void SendGrpcLogTo(GrpcLogger to) {
  delete std::exchange(logger, new GrpcLogger(std::move(to)));
  gpr_set_log_function(&Log);
}

}  // namespace mainspring::rpc
