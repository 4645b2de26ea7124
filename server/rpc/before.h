// Before: a check that a component's calls pass on the ingress, before they come into its mailbox:
// for authentication, quotas and counts.
#ifndef MAINSPRING_SERVER_RPC_BEFORE_H_
#define MAINSPRING_SERVER_RPC_BEFORE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "mainspring/call_context.h"

namespace mainspring::rpc {

// A call that has come and is not handed on. Ingress thread only.
class IncomingCall {
 public:
  // Its circumstances; method() says what is called.
  virtual const CallContext& context() const = 0;
  // The component sees it as if the client had sent it, and none of what that has sent under the
  // key. False where it is none that could be sent: see IsSendable.
  virtual bool AddMetadata(absl::string_view key, absl::string_view value) = 0;
  // Who the caller has proved to be, in place of what the connection proves.
  virtual void SetPrincipal(absl::string_view principal) = 0;

 protected:
  ~IncomingCall() = default;
};

// Called for each call from outside, before its request is parsed, and for a stream once, on the
// thread of the plane that it came by: from several at a time where the component is served on
// several planes. It must not block or throw; what it takes, all calls of the plane wait for. Not
// OK: the call is refused with that, and the component never sees it.
using Before = std::function<absl::Status(IncomingCall& call)>;

}  // namespace mainspring::rpc

namespace mainspring {
// For authors, who write checks.
using rpc::Before;
using rpc::IncomingCall;
}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RPC_BEFORE_H_
