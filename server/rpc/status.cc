#include "server/rpc/status.h"

#include <grpcpp/support/status.h>

#include <string>

namespace mainspring::rpc {
namespace {

constexpr char kCut[] = "...";

bool ContinuesCharacter(char byte) { return (byte & 0xC0) == 0x80; }

std::string CutText(absl::string_view text) {
  if (text.size() <= kMaxStatusText) return std::string(text);
  size_t end = kMaxStatusText - (sizeof(kCut) - 1);
  while (end > 0 && ContinuesCharacter(text[end])) --end;
  return std::string(text.substr(0, end)) + kCut;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), CutText(status.message()));
}

}  // namespace mainspring::rpc
