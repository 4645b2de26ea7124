// Receivers: who answers the calls of a service on one plane.
#ifndef MAINSPRING_SERVER_RPC_RECEIVERS_H_
#define MAINSPRING_SERVER_RPC_RECEIVERS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/inbox.h"
#include "mainspring/mutex.h"
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

// Components join and leave while the plane serves; a servicer is there before it does.
class Receivers {
 public:
  explicit Receivers(const ServiceDescription& service) : service_(service) {}

  // See Service. Any thread.
  absl::Status AddComponent(const std::shared_ptr<Addressee>& component, const Before& before,
                            const std::shared_ptr<Addressee>& set);
  void RemoveComponent(const std::string& name);
  bool any() const;
  absl::Status SetServicer(AnyHandler& servicer);

  // For whom the call is: the servicer, or the component, or the set of them, that is meant.
  // NOT_FOUND: there is no such component; UNAVAILABLE: there is none at all; INVALID_ARGUMENT:
  // there are several and it names none. Ingress thread.
  absl::StatusOr<std::shared_ptr<const Receiver>> For(GrpcContext& context) const;

 private:
  using ReceiverPtr = std::shared_ptr<const Receiver>;
  struct Entry {
    ReceiverPtr receiver;
    std::string set;  // that it is one of; empty: none
  };

  absl::StatusOr<ReceiverPtr> NewReceiver(const std::shared_ptr<Addressee>& component,
                                          const Before& before) const;
  absl::StatusOr<ReceiverPtr> Find(const std::string& name) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Ambiguous() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Names() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Finds out anew whom calls are for that name none.
  void Choose() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ServiceDescription service_;
  ReceiverPtr servicer_;  // constant once the plane serves
  mutable Mutex mutex_;
  std::map<std::string, Entry> receivers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, ReceiverPtr> sets_ ABSL_GUARDED_BY(mutex_);
  ReceiverPtr only_ ABSL_GUARDED_BY(mutex_);  // null: there is none, or not one alone
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_RECEIVERS_H_
