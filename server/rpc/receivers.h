// Receivers: who answers the calls of a service on one plane.
#ifndef MAINSPRING_SERVER_RPC_RECEIVERS_H_
#define MAINSPRING_SERVER_RPC_RECEIVERS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/call.h"
#include "mainspring/mailbox.h"
#include "mainspring/metadata.h"
#include "mainspring/server/rpc/before.h"
#include "mainspring/server/rpc/call_context.h"

namespace mainspring::rpc {

// The request metadata that chooses among several components of a service.
inline constexpr char kComponentKey[] = "mainspring-component";

// What a check before the mailbox sees of a call.
class CheckedCall final : public IncomingCall {
 public:
  CheckedCall(GrpcContext& context, const CallContext& circumstances)
      : context_(context), circumstances_(circumstances) {}
  const CallContext& context() const override { return circumstances_; }
  bool AddMetadata(absl::string_view key, absl::string_view value) override {
    if (!IsSendable(key, value)) return false;
    context_.AddMetadata({std::string(key), std::string(value)});
    return true;
  }
  void SetPrincipal(absl::string_view principal) override {
    context_.SetPrincipal(std::string(principal));
  }

 private:
  GrpcContext& context_;
  const CallContext& circumstances_;
};

// Filled before the plane starts, then only read.
template <class RequestEnum>
class Receivers {
 public:
  absl::Status AddComponent(std::shared_ptr<MailboxBase> mailbox, Before before) {
    auto typed = std::dynamic_pointer_cast<Mailbox<RequestEnum>>(mailbox);
    if (typed == nullptr)
      return WrongService(absl::StrCat("component \"", mailbox->component(), "\""));
    const std::string& name = typed->component();
    receivers_.emplace(name, Receiver{std::move(typed), std::move(before)});
    return absl::OkStatus();
  }

  absl::Status SetServicer(AnyHandler& servicer) {
    servicer_ = dynamic_cast<Handler<RequestEnum>*>(&servicer);
    return servicer_ == nullptr ? WrongService("the servicer") : absl::OkStatus();
  }

  // Hands the call to the servicer or the component that is meant. Refuses it with `admitted` where
  // that is not OK; NOT_FOUND: there is no such component, or none; INVALID_ARGUMENT: there are
  // several and it names none; else as Mailbox::Push does. Ingress thread.
  template <class Call>
  void Deliver(GrpcContext& context, const CallContext& circumstances, const absl::Status& admitted,
               Call&& call) const {
    if (!admitted.ok()) return Refuse(call, admitted);
    if (servicer_ != nullptr) {
      return servicer_->Handle(RequestEnum(std::in_place_type<Call>, std::move(call)));
    }
    const auto& metadata = context->client_metadata();
    const auto named = metadata.find(kComponentKey);
    if (named == metadata.end() && receivers_.size() == 1) {
      return Push(receivers_.begin()->second, context, circumstances, std::move(call));
    }
    const absl::StatusOr<const Receiver*> chosen =
        named == metadata.end() ? Ambiguous()
                                : Find(std::string(named->second.data(), named->second.size()));
    if (!chosen.ok()) return Refuse(call, chosen.status());
    Push(**chosen, context, circumstances, std::move(call));
  }

 private:
  struct Receiver {
    std::shared_ptr<Mailbox<RequestEnum>> mailbox;
    Before before;
  };

  template <class Call>
  static void Push(const Receiver& receiver, GrpcContext& context, const CallContext& circumstances,
                   Call&& call) {
    if (receiver.before) {
      CheckedCall checked(context, circumstances);
      if (absl::Status denied = receiver.before(checked); !denied.ok()) {
        return Refuse(call, std::move(denied));
      }
    }
    receiver.mailbox->Push(std::move(call));
  }

  static absl::Status WrongService(const std::string& whose) {
    return absl::InvalidArgumentError(absl::StrCat(whose, ": answers another service"));
  }

  absl::StatusOr<const Receiver*> Find(const std::string& name) const {
    const auto found = receivers_.find(name);
    if (found != receivers_.end()) return &found->second;
    if (receivers_.empty()) return Ambiguous();
    return absl::NotFoundError(absl::StrCat("no component \"", absl::CHexEscape(name.substr(0, 64)),
                                            "\" answers this service; there are: ", Names()));
  }

  // A call that names none, where there is not one.
  absl::Status Ambiguous() const {
    if (receivers_.empty()) return absl::NotFoundError("no component answers this service");
    return absl::InvalidArgumentError(
        absl::StrCat("several components answer this service; name one in the metadata \"",
                     kComponentKey, "\": ", Names()));
  }

  std::string Names() const {
    return absl::StrJoin(receivers_, ", ", [](std::string* out, const auto& entry) {
      absl::StrAppend(out, entry.first);
    });
  }

  std::map<std::string, Receiver> receivers_;
  Handler<RequestEnum>* servicer_ = nullptr;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_RECEIVERS_H_
