#include "mainspring/server/rpc/grpc_context.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_join.h"
#include "mainspring/server/rpc/grpc_time.h"
#include "mainspring/text.h"

namespace mainspring::rpc {
namespace {

// What BoundedText makes of one byte, at the most.
constexpr size_t kMostEscaped = 4;

// Clients are to send printable characters alone, and nobody keeps them to it. Not cut: a token is
// longer than what anybody reads.
std::string Readable(absl::string_view key, grpc::string_ref bytes) {
  const absl::string_view value(bytes.data(), bytes.size());
  if (IsBinary(key)) return std::string(value);
  return BoundedText(value, kMostEscaped * value.size() + kMaxText);
}

}  // namespace

grpc::ServerContext& GrpcContext::Begin() {
  MutexLock lock(mutex_);
  gone_peer_.clear();
  added_.reset();
  put_ = Put::kNothing;
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
  if (added_ != nullptr && added_->principal.has_value()) return *added_->principal;
  const auto auth = context_->auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return "";
  return absl::StrJoin(auth->GetPeerIdentity(), ",", [](std::string* out, grpc::string_ref name) {
    out->append(name.data(), name.size());
  });
}

std::string GrpcContext::Authority() const {
  MutexLock lock(mutex_);
  if (!context_.has_value()) return "";
  const grpc::string_ref authority = context_->ExperimentalGetAuthority();
  return BoundedText({authority.data(), authority.size()});
}

std::vector<Metadatum> GrpcContext::AllMetadata() const {
  MutexLock lock(mutex_);
  std::vector<Metadatum> all;
  if (!context_.has_value()) return all;
  for (const auto& [key, value] : context_->client_metadata()) {
    const absl::string_view name(key.data(), key.size());
    if (!IsAdded(name)) all.emplace_back(name, Readable(name, value));
  }
  if (added_ != nullptr) all.insert(all.end(), added_->metadata.begin(), added_->metadata.end());
  return all;
}

std::vector<std::string> GrpcContext::MetadataValues(absl::string_view key) const {
  MutexLock lock(mutex_);
  std::vector<std::string> values;
  if (!context_.has_value()) return values;
  const auto [begin, end] =
      context_->client_metadata().equal_range(grpc::string_ref(key.data(), key.size()));
  if (!IsAdded(key)) {
    for (auto each = begin; each != end; ++each) values.push_back(Readable(key, each->second));
  }
  if (added_ == nullptr) return values;
  for (const Metadatum& each : added_->metadata) {
    if (each.first == key) values.push_back(each.second);
  }
  return values;
}

bool GrpcContext::IsAdded(absl::string_view key) const {
  return added_ != nullptr && std::any_of(added_->metadata.begin(), added_->metadata.end(),
                                          [&](const Metadatum& each) { return each.first == key; });
}

GrpcContext::Added& GrpcContext::added() {
  if (added_ == nullptr) added_ = std::make_unique<Added>();
  return *added_;
}

bool GrpcContext::AddHeader(Metadatum header) {
  MutexLock lock(mutex_);
  if (put_ != Put::kNothing) return false;
  added().headers.push_back(std::move(header));
  return true;
}

bool GrpcContext::AddTrailer(Metadatum trailer) {
  MutexLock lock(mutex_);
  if (put_ == Put::kAll) return false;
  added().trailers.push_back(std::move(trailer));
  return true;
}

void GrpcContext::AddMetadata(Metadatum metadatum) {
  MutexLock lock(mutex_);
  added().metadata.push_back(std::move(metadatum));
}

void GrpcContext::SetPrincipal(std::string principal) {
  MutexLock lock(mutex_);
  added().principal = std::move(principal);
}

void GrpcContext::PutHeaders() {
  MutexLock lock(mutex_);
  PutUpTo(Put::kHeaders);
}

void GrpcContext::PutTrailers() {
  MutexLock lock(mutex_);
  PutUpTo(Put::kAll);
}

void GrpcContext::PutUpTo(Put what) {
  const Put before = std::exchange(put_, std::max(put_, what));
  if (added_ == nullptr) return;
  if (before == Put::kNothing) {
    for (const auto& [key, value] : added_->headers) context_->AddInitialMetadata(key, value);
  }
  if (before != Put::kAll && what == Put::kAll) {
    for (const auto& [key, value] : added_->trailers) context_->AddTrailingMetadata(key, value);
  }
}

SteadyTime SteadyDeadline(const grpc::ServerContext& context) {
  // context.deadline() overflows for what a system_clock cannot say.
  const gpr_timespec deadline = context.raw_deadline();
  return ToSteadyTime(deadline, gpr_now(deadline.clock_type), std::chrono::steady_clock::now());
}

}  // namespace mainspring::rpc
