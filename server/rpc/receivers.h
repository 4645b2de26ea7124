// Receivers: who answers the calls of a service on one plane.
#ifndef MAINSPRING_SERVER_RPC_RECEIVERS_H_
#define MAINSPRING_SERVER_RPC_RECEIVERS_H_

#include <grpcpp/server_context.h>

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

namespace mainspring::rpc {

// The request metadata that chooses among several components of a service.
inline constexpr char kComponentKey[] = "mainspring-component";

// Filled before the plane starts, then only read.
template <class RequestEnum>
class Receivers {
 public:
  absl::Status AddComponent(std::shared_ptr<MailboxBase> mailbox) {
    auto typed = std::dynamic_pointer_cast<Mailbox<RequestEnum>>(mailbox);
    if (typed == nullptr)
      return WrongService(absl::StrCat("component \"", mailbox->component(), "\""));
    mailboxes_.emplace(typed->component(), std::move(typed));
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
  void Deliver(const grpc::ServerContext& context, const absl::Status& admitted,
               Call&& call) const {
    if (!admitted.ok()) return Refuse(call, admitted);
    if (servicer_ != nullptr) {
      return servicer_->Handle(RequestEnum(std::in_place_type<Call>, std::move(call)));
    }
    const auto& metadata = context.client_metadata();
    const auto named = metadata.find(kComponentKey);
    if (named == metadata.end() && mailboxes_.size() == 1) {
      return void(mailboxes_.begin()->second->Push(std::move(call)));
    }
    const absl::StatusOr<Mailbox<RequestEnum>*> chosen =
        named == metadata.end() ? Ambiguous()
                                : Find(std::string(named->second.data(), named->second.size()));
    if (!chosen.ok()) return Refuse(call, chosen.status());
    (*chosen)->Push(std::move(call));
  }

 private:
  static absl::Status WrongService(const std::string& whose) {
    return absl::InvalidArgumentError(absl::StrCat(whose, ": answers another service"));
  }

  absl::StatusOr<Mailbox<RequestEnum>*> Find(const std::string& name) const {
    const auto found = mailboxes_.find(name);
    if (found != mailboxes_.end()) return found->second.get();
    if (mailboxes_.empty()) return Ambiguous();
    return absl::NotFoundError(absl::StrCat("no component \"", absl::CHexEscape(name.substr(0, 64)),
                                            "\" answers this service; there are: ", Names()));
  }

  // A call that names none, where there is not one.
  absl::Status Ambiguous() const {
    if (mailboxes_.empty()) return absl::NotFoundError("no component answers this service");
    return absl::InvalidArgumentError(
        absl::StrCat("several components answer this service; name one in the metadata \"",
                     kComponentKey, "\": ", Names()));
  }

  std::string Names() const {
    return absl::StrJoin(mailboxes_, ", ", [](std::string* out, const auto& entry) {
      absl::StrAppend(out, entry.first);
    });
  }

  std::map<std::string, std::shared_ptr<Mailbox<RequestEnum>>> mailboxes_;
  Handler<RequestEnum>* servicer_ = nullptr;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_RECEIVERS_H_
