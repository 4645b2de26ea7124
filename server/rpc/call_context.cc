#include "mainspring/server/rpc/call_context.h"

#include <chrono>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "mainspring/server/rpc/grpc_time.h"
#include "mainspring/text.h"

namespace mainspring::rpc {
namespace {

// What BoundedText makes of one byte, at the most.
constexpr size_t kMostEscaped = 4;

}  // namespace

grpc::ServerContext& GrpcContext::Begin() {
  MutexLock lock(mutex_);
  gone_peer_.clear();
  return context_.emplace();
}

void GrpcContext::End(bool may_be_asked) {
  MutexLock lock(mutex_);
  if (may_be_asked) gone_peer_ = context_->peer();
  context_.reset();
}

std::string GrpcContext::Peer() const {
  MutexLock lock(mutex_);
  return context_.has_value() ? context_->peer() : gone_peer_;
}

std::string GrpcContext::Principal() const {
  MutexLock lock(mutex_);
  if (!context_.has_value()) return "";
  const auto auth = context_->auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return "";
  return absl::StrJoin(auth->GetPeerIdentity(), ",", [](std::string* out, grpc::string_ref name) {
    out->append(name.data(), name.size());
  });
}

std::string GrpcContext::Metadata(absl::string_view key) const {
  MutexLock lock(mutex_);
  if (!context_.has_value()) return "";
  const auto& metadata = context_->client_metadata();
  const auto found = metadata.find(grpc::string_ref(key.data(), key.size()));
  if (found == metadata.end()) return "";
  const absl::string_view value(found->second.data(), found->second.size());
  if (absl::EndsWith(key, "-bin")) return std::string(value);
  // Clients are to send printable characters alone, and nobody keeps them to it. Not cut: a token
  // is longer than what anybody reads.
  return BoundedText(value, kMostEscaped * value.size() + kMaxText);
}

SteadyTime SteadyDeadline(const grpc::ServerContext& context) {
  // context.deadline() overflows for what a system_clock cannot say.
  const gpr_timespec deadline = context.raw_deadline();
  return ToSteadyTime(deadline, gpr_now(deadline.clock_type), std::chrono::steady_clock::now());
}

}  // namespace mainspring::rpc
