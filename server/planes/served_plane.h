// ServedPlane: one plane of a host: where it listens and what it serves there.
#ifndef MAINSPRING_SERVER_PLANES_SERVED_PLANE_H_
#define MAINSPRING_SERVER_PLANES_SERVED_PLANE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/health/health_servicer.h"
#include "mainspring/server/observe/event_log.h"
#include "mainspring/server/reflection/reflection_servicer.h"
#include "mainspring/server/rpc/acceptor.h"
#include "mainspring/server/rpc/listener.h"
#include "mainspring/server/rpc/plane.h"
#include "mainspring/server/rpc/service.h"

namespace mainspring {

// Listens, then is given its services, then serves. One thread only.
class ServedPlane {
 public:
  // `config` must outlive it.
  ServedPlane(std::string name, const PlaneConfig& config);

  // Finds its addresses, which may take as long as a resolver does, and binds them; takes over the
  // sockets that were passed for it.
  // UNAVAILABLE: one cannot be had; the text says which and why.
  absl::Status Listen();
  // Whether it has an address. Between Listen and Serve.
  bool listens() const { return !listeners_.empty(); }

  // The service, as the plane has it from here on.
  rpc::Service& Add(std::unique_ptr<rpc::Service> service);
  // The service of that name; null where it has none.
  rpc::Service* Find(const std::string& name) const;
  // With places of its own. `health` must live until the plane is shut down.
  absl::Status AddHealth(HealthServicer& health);
  // Of the services that it has, of `messages` that these send in a google.protobuf.Any, and of
  // itself.
  absl::Status AddReflection(const std::vector<std::string>& messages, size_t max_streams);

  // Where its services are, for callers that look for them on another plane. Between Listen and
  // Serve.
  void TellWhere(rpc::Elsewhere& where) const;

  // `leader`: see rpc::Plane; null for the first. Its connections come through `acceptor`.
  // RESOURCE_EXHAUSTED: no more threads or descriptors. INTERNAL: gRPC refused.
  absl::Status Serve(const rpc::Plane* leader, const rpc::Elsewhere& elsewhere,
                     rpc::Acceptor& acceptor);
  // Of one that does not serve: closes what it listens on.
  void StopListening() { listeners_.clear(); }
  // Ends one that serves without ceremony, by `deadline`; blocks.
  void Abandon(SteadyTime deadline);

  // Null before Serve.
  rpc::Plane* plane() const { return plane_.get(); }
  void LogListening(EventLog& log) const;

 private:
  struct Reflection {
    Reflection(std::vector<std::string> services, const std::vector<std::string>& messages,
               size_t max_streams, ReflectedPlane::IsAnswered is_answered)
        : plane(std::move(services), max_streams, messages, std::move(is_answered)) {}
    ReflectedPlane plane;
    ReflectionV1 v1{plane};
    ReflectionV1Alpha v1alpha{plane};
  };

  const std::string name_;
  const PlaneConfig& config_;
  std::vector<std::unique_ptr<rpc::Listener>> listeners_;  // until they serve
  std::unique_ptr<Reflection> reflection_;
  std::vector<std::unique_ptr<rpc::Service>> services_;
  std::unique_ptr<rpc::Plane> plane_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_PLANES_SERVED_PLANE_H_
