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
    if (typed == nullptr) return WrongService(mailbox->component());
    mailboxes_.emplace(typed->component(), std::move(typed));
    return absl::OkStatus();
  }

  absl::Status SetServicer(AnyHandler& servicer) {
    servicer_ = dynamic_cast<Handler<RequestEnum>*>(&servicer);
    return servicer_ == nullptr ? WrongService("servicer") : absl::OkStatus();
  }

  // Hands the call on, or refuses it: NOT_FOUND, INVALID_ARGUMENT, or as the mailbox does.
  void Deliver(const grpc::ServerContext& context, RequestEnum&& request) const {
    if (servicer_ != nullptr) return servicer_->Handle(std::move(request));
    const auto& metadata = context.client_metadata();
    const auto chosen = metadata.find(kComponentKey);
    if (mailboxes_.empty()) {
      return RefuseCall(request, absl::NotFoundError("no component answers this service"));
    }
    if (chosen == metadata.end()) {
      if (mailboxes_.size() == 1) {
        mailboxes_.begin()->second->Push(std::move(request));
        return;
      }
      return RefuseCall(request, absl::InvalidArgumentError(absl::StrCat(
                                     "several components answer this service; name one in the "
                                     "metadata \"",
                                     kComponentKey, "\": ", Names())));
    }
    const std::string name(chosen->second.data(), chosen->second.size());
    const auto found = mailboxes_.find(name);
    if (found == mailboxes_.end()) {
      return RefuseCall(request, absl::NotFoundError(absl::StrCat(
                                     "no component \"", absl::CHexEscape(name.substr(0, 64)),
                                     "\" answers this service; there are: ", Names())));
    }
    found->second->Push(std::move(request));
  }

 private:
  static absl::Status WrongService(const std::string& name) {
    return absl::InvalidArgumentError(
        absl::StrCat("component \"", name, "\": answers another service"));
  }

  static void RefuseCall(RequestEnum& request, absl::Status why) {
    std::visit([&](auto& call) { Refuse(call, std::move(why)); }, request);
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
