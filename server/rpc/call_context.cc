#include "server/rpc/call_context.h"

#include <chrono>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "mainspring/text.h"
#include "server/rpc/grpc_time.h"

namespace mainspring::rpc {
namespace {

// What BoundedText makes of one byte, at the most.
constexpr size_t kMostEscaped = 4;

}  // namespace

SteadyTime SteadyDeadline(const grpc::ServerContext& context) {
  // context.deadline() overflows for what a system_clock cannot say.
  const gpr_timespec deadline = context.raw_deadline();
  return ToSteadyTime(deadline, gpr_now(deadline.clock_type), std::chrono::steady_clock::now());
}

std::string PrincipalOf(const grpc::ServerContext& context) {
  const auto auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return "";
  return absl::StrJoin(auth->GetPeerIdentity(), ",", [](std::string* out, grpc::string_ref name) {
    out->append(name.data(), name.size());
  });
}

std::string MetadataOf(const grpc::ServerContext& context, absl::string_view key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(grpc::string_ref(key.data(), key.size()));
  if (found == metadata.end()) return "";
  const absl::string_view value(found->second.data(), found->second.size());
  if (absl::EndsWith(key, "-bin")) return std::string(value);
  // Clients are to send printable characters alone, and nobody keeps them to it. Not cut: a token
  // is longer than what anybody reads.
  return BoundedText(value, kMostEscaped * value.size() + kMaxText);
}

}  // namespace mainspring::rpc
