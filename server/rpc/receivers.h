// Receivers: who answers the calls of a service on one plane.
#ifndef MAINSPRING_SERVER_RPC_RECEIVERS_H_
#define MAINSPRING_SERVER_RPC_RECEIVERS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/inbox.h"
#include "mainspring/server/rpc/before.h"
#include "mainspring/server/rpc/service.h"

namespace mainspring::rpc {

class GrpcContext;

// The request metadata that chooses among several components of a service.
inline constexpr char kComponentKey[] = "mainspring-component";

struct Receiver {
  std::shared_ptr<AnyInbox> inbox;
  Before before;

  // What the check before the inbox says of a call.
  absl::Status Check(GrpcContext& grpc, const CallContext& context) const;
};

// Filled before the plane starts, then only read.
class Receivers {
 public:
  explicit Receivers(const ServiceDescription& service) : service_(service) {}

  // See Service.
  absl::Status AddComponent(std::shared_ptr<MailboxBase> mailbox, Before before);
  absl::Status SetServicer(AnyHandler& servicer);

  // For whom the call is: the servicer, or the component that is meant. NOT_FOUND: there is no such
  // component, or none; INVALID_ARGUMENT: there are several and it names none. Ingress thread.
  absl::StatusOr<const Receiver*> For(GrpcContext& context) const;

 private:
  absl::StatusOr<const Receiver*> Find(const std::string& name) const;
  absl::Status Ambiguous() const;
  std::string Names() const;

  const ServiceDescription service_;
  std::map<std::string, Receiver> receivers_;
  Receiver servicer_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_RECEIVERS_H_
