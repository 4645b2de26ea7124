#include "mainspring/server/rpc/receivers.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/metadata.h"
#include "mainspring/server/rpc/grpc_context.h"
#include "mainspring/status_details.h"

namespace mainspring::rpc {
namespace {

// What a check before the inbox sees of a call.
class CheckedCall final : public IncomingCall {
 public:
  CheckedCall(GrpcContext& grpc, const CallContext& context) : grpc_(grpc), context_(context) {}
  const CallContext& context() const override { return context_; }
  bool AddMetadata(absl::string_view key, absl::string_view value) override {
    if (!IsSendable(key, value)) return false;
    grpc_.AddMetadata({std::string(key), std::string(value)});
    return true;
  }
  void SetPrincipal(absl::string_view principal) override {
    grpc_.SetPrincipal(std::string(principal));
  }

 private:
  GrpcContext& grpc_;
  const CallContext& context_;
};

absl::Status WrongService(const std::string& whose) {
  return absl::InvalidArgumentError(absl::StrCat(whose, ": answers another service"));
}

}  // namespace

absl::Status Receiver::Check(GrpcContext& grpc, const CallContext& context) const {
  if (!before) return absl::OkStatus();
  CheckedCall checked(grpc, context);
  return before(checked);
}

absl::StatusOr<Receivers::ReceiverPtr> Receivers::NewReceiver(
    const std::shared_ptr<Addressee>& component, const Before& before) const {
  AnyInbox* const inbox = service_.inbox_of(*component);
  if (inbox == nullptr) {
    return WrongService(absl::StrCat("component \"", component->component(), "\""));
  }
  // One owner, seen as the inbox.
  return std::make_shared<const Receiver>(
      Receiver{std::shared_ptr<AnyInbox>(component, inbox), before});
}

absl::Status Receivers::AddComponent(const std::shared_ptr<Addressee>& component,
                                     const Before& before, const std::shared_ptr<Addressee>& set) {
  absl::StatusOr<ReceiverPtr> receiver = NewReceiver(component, before);
  if (!receiver.ok()) return receiver.status();
  absl::StatusOr<ReceiverPtr> all = nullptr;
  if (set != nullptr) all = NewReceiver(set, before);
  if (!all.ok()) return all.status();
  MutexLock lock(mutex_);
  const std::string name = set == nullptr ? "" : set->component();
  receivers_.insert_or_assign(component->component(), Entry{*std::move(receiver), name});
  if (set != nullptr) sets_.insert_or_assign(name, *std::move(all));
  Choose();
  return absl::OkStatus();
}

void Receivers::RemoveComponent(const std::string& name) {
  MutexLock lock(mutex_);
  const auto found = receivers_.find(name);
  if (found == receivers_.end()) return;
  const std::string set = found->second.set;
  receivers_.erase(found);
  const bool is_last = std::none_of(receivers_.begin(), receivers_.end(),
                                    [&](const auto& each) { return each.second.set == set; });
  if (is_last) sets_.erase(set);
  Choose();
}

// One that is called as a set is has become that, or was it: it is as good as the set.
void Receivers::Choose() {
  std::map<std::string, ReceiverPtr> choices = sets_;
  for (const auto& [name, entry] : receivers_) {
    if (entry.set.empty()) choices.insert_or_assign(name, entry.receiver);
  }
  only_ = choices.size() == 1 ? choices.begin()->second : nullptr;
}

bool Receivers::any() const {
  if (servicer_ != nullptr) return true;
  MutexLock lock(mutex_);
  return !receivers_.empty();
}

absl::Status Receivers::SetServicer(AnyHandler& servicer) {
  std::shared_ptr<AnyInbox> inbox = service_.servicer_of(servicer);
  if (inbox == nullptr) return WrongService("the servicer");
  servicer_ = std::make_shared<const Receiver>(Receiver{std::move(inbox), nullptr});
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Receiver>> Receivers::For(GrpcContext& context) const {
  if (servicer_ != nullptr) return servicer_;
  const auto& metadata = context->client_metadata();
  const auto named = metadata.find(kComponentKey);
  MutexLock lock(mutex_);
  if (named != metadata.end()) {
    return Find(std::string(named->second.data(), named->second.size()));
  }
  if (only_ == nullptr) return Ambiguous();
  return only_;
}

absl::StatusOr<Receivers::ReceiverPtr> Receivers::Find(const std::string& name) const {
  const auto found = receivers_.find(name);
  if (found != receivers_.end()) return found->second.receiver;
  if (const auto set = sets_.find(name); set != sets_.end()) return set->second;
  if (receivers_.empty()) return Ambiguous();
  return absl::NotFoundError(absl::StrCat("no component \"", absl::CHexEscape(name.substr(0, 64)),
                                          "\" answers this service; there are: ", Names()));
}

// A call that names none, where there is not one.
absl::Status Receivers::Ambiguous() const {
  if (receivers_.empty()) {
    return WithReason(absl::UnavailableError("no component answers this service"), "NO_COMPONENT",
                      service_.name, kRetryWhenDown);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("several components answer this service; name one in the metadata \"",
                   kComponentKey, "\": ", Names()));
}

std::string Receivers::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, receiver] : sets_) names.push_back(name);
  for (const auto& [name, entry] : receivers_) names.push_back(name);
  return absl::StrJoin(names, ", ");
}

}  // namespace mainspring::rpc
