// Service: one gRPC service on one plane. Generated code makes them; BindClock() is one. Free of
// gRPC's headers, so that what lists services does not see them either.
#ifndef MAINSPRING_SERVER_RPC_SERVICE_H_
#define MAINSPRING_SERVER_RPC_SERVICE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "mainspring/handler.h"
#include "mainspring/inbox.h"
#include "mainspring/server/rpc/before.h"
#include "mainspring/server/rpc/typed_call.h"

namespace grpc {
class Service;
}

namespace mainspring::rpc {

class Ingress;

// Its calls go either to components, through their mailboxes, or to one servicer, which answers
// on the ingress thread. A servicer is set before the plane starts, and must live until it is shut
// down; a mailbox is kept.
class Service {
 public:
  virtual ~Service() = default;

  // The full name, "mainspring.clock.v1.Clock".
  virtual const std::string& name() const = 0;

  // `set`, where it is one of several that are called as one: by that name, or by none where there
  // are no others. INVALID_ARGUMENT: the component answers another service. Any thread.
  virtual absl::Status AddComponent(std::shared_ptr<Addressee> component, Before before,
                                    std::shared_ptr<Addressee> set) = 0;
  absl::Status AddComponent(std::shared_ptr<Addressee> component, Before before) {
    return AddComponent(std::move(component), std::move(before), nullptr);
  }
  // The component of that name; calls that were handed to it stay there. Any thread.
  virtual void RemoveComponent(const std::string& component) = 0;
  // Whether anybody answers. Any thread.
  virtual bool is_answered() const = 0;
  // INVALID_ARGUMENT: the servicer answers another service.
  virtual absl::Status SetServicer(AnyHandler& servicer) = 0;

  // Lets its calls in where the plane has no place for others: see PlaneLimits.
  virtual void ReservePlaces() = 0;

  // For the plane: what is registered with gRPC, and, once the server runs, the start of it all.
  virtual grpc::Service& grpc_service() = 0;
  virtual void Arm(Ingress& ingress) = 0;
};

// What a binding knows of its service. All of it lives as long as the process.
struct ServiceDescription {
  const char* name;
  absl::Span<const RpcDescription> methods;
  // The component as an inbox of the service; null: it is of another.
  AnyInbox* (*inbox_of)(Addressee& component);
  // The same for what answers on the ingress thread; it must outlive the inbox.
  std::unique_ptr<AnyInbox> (*servicer_of)(AnyHandler& handler);
};

std::unique_ptr<Service> NewService(const ServiceDescription& description);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_SERVICE_H_
