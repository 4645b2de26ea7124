#include "mainspring/server/rpc/unknown_call.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mainspring/server/rpc/ingress.h"
#include "mainspring/server/rpc/server_call.h"
#include "mainspring/server/rpc/status.h"
#include "mainspring/server/rpc/tag.h"

namespace mainspring::rpc {
namespace {

// Calls that gRPC can hand over before the ingress has come to arm another.
constexpr int kArmed = 4;
// Of a name that a client wrote; escaped, it is four times as long at most.
constexpr size_t kMaxName = 128;

std::string Shown(absl::string_view name) {
  return absl::StrCat(absl::CHexEscape(name.substr(0, kMaxName)),
                      name.size() > kMaxName ? "..." : "");
}

bool HasReflection(const std::set<std::string>& services) {
  return std::any_of(services.begin(), services.end(), [](absl::string_view name) {
    return absl::StartsWith(name, "grpc.reflection.");
  });
}

}  // namespace

absl::Status WhyUnknown(absl::string_view path, const std::set<std::string>& here,
                        const Elsewhere& elsewhere) {
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos || slash == 0 || path.front() != '/') {
    return absl::UnimplementedError(absl::StrCat("no \"", Shown(path), "\" here; the path of a ",
                                                 "method is /package.Service/Method"));
  }
  const std::string service(path.substr(1, slash - 1));
  const char* const list = HasReflection(here) ? "; list them by reflection" : "";
  if (here.count(service) != 0) {
    return absl::UnimplementedError(
        absl::StrCat("service ", service, " has no method ", Shown(path.substr(slash + 1)), list));
  }
  const auto other = elsewhere.find(service);
  if (other != elsewhere.end()) {
    return absl::UnimplementedError(
        absl::StrCat("no ", service, " here; it is on ", other->second));
  }
  return absl::UnimplementedError(absl::StrCat("no service ", Shown(service), " here", list));
}

// Held by gRPC's tags alone: nobody else could answer it.
class UnknownCalls::Call final : public ServerCall {
 public:
  explicit Call(UnknownCalls& calls) : calls_(calls) {}

  void Arm() {
    context_.AsyncNotifyWhenDone(&done_tag_);
    grpc::ServerCompletionQueue* const queue = &calls_.ingress_->queue();
    calls_.service_->RequestCall(&context_, &stream_, queue, queue, &arrived_tag_);
  }

  // It is answered before anybody could see it.
  void EndStream(const absl::Status&) override {}
  bool Cut(const absl::Status&) override { return false; }
  void GiveUp() override { context_.TryCancel(); }

 private:
  void Arrived(bool ok) {
    if (!ok) {  // The server shuts down: no call will come.
      delete this;
      return;
    }
    const absl::Status admitted = calls_.ingress_->Add(*this, context_.peer());
    calls_.ArmAnother();
    stream_.Finish(
        ToGrpc(admitted.ok() ? WhyUnknown(context_.method(), calls_.here_, calls_.elsewhere_)
                             : admitted),
        &finished_tag_);
    calls_.ingress_->Answered(*this);
  }

  void TagCame(bool) {
    if (--tags_ != 0) return;
    calls_.ingress_->Remove(*this);
    delete this;
  }

  UnknownCalls& calls_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  int tags_ = 2;  // Done and Finished, until they came

  MemberTag<Call, &Call::Arrived> arrived_tag_{this};
  MemberTag<Call, &Call::TagCame> finished_tag_{this};
  MemberTag<Call, &Call::TagCame> done_tag_{this};
};

UnknownCalls::UnknownCalls(std::set<std::string> here, Elsewhere elsewhere)
    : here_(std::move(here)),
      elsewhere_(std::move(elsewhere)),
      service_(std::make_unique<grpc::AsyncGenericService>()) {}
UnknownCalls::~UnknownCalls() = default;

void UnknownCalls::RegisterWith(grpc::ServerBuilder& builder) {
  builder.RegisterAsyncGenericService(service_.get());
}

void UnknownCalls::Arm(Ingress& ingress) {
  ingress_ = &ingress;
  for (int i = 0; i < kArmed; ++i) ArmAnother();
}

void UnknownCalls::ArmAnother() {
  if (!ingress_->requests_ended()) (new Call(*this))->Arm();
}

}  // namespace mainspring::rpc
