#include <map>
#include <string>
#include <utility>

#include "cookbook/v1/cookbook.binding.pb.h"
#include "mainspring/host.h"

namespace cookbook {

class Vault final : public v1::VaultComponent {
 public:
  using VaultComponent::VaultComponent;

  void Open(v1::OpenRequest, mainspring::Reply<v1::OpenResponse> reply) override {
    v1::OpenResponse response;
    response.set_opened_by(reply.context().Principal());
    reply.Send(std::move(response));
  }
};

// A vault whose callers have one of these tokens; each belongs to somebody.
inline mainspring::ComponentType GuardedVault(std::map<std::string, std::string> tokens) {
  mainspring::ComponentType type = v1::VaultType<Vault>("vault");
  // On the ingress thread, of several planes at a time: it reads what it captured, and is quick.
  type.before = [tokens = std::move(tokens)](mainspring::IncomingCall& call) {
    const auto token = tokens.find(call.context().Metadata("authorization"));
    if (token == tokens.end()) return absl::UnauthenticatedError("no token, or none that is known");
    call.SetPrincipal(token->second);
    return absl::OkStatus();
  };
  return type;
}

}  // namespace cookbook
