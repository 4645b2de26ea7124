// Planes: what a host listens on, and what it serves there.
//
//   data    the components' services, health, reflection
//   admin   Lifecycle, health, reflection
//   probe   health alone; only where it has an address
//
// One more plane is one more member here and in all(), its line in the lists of planes.cc, and its
// part of HostConfig, with its flag, its share of descriptors and its place in the drain.
#ifndef MAINSPRING_SERVER_PLANES_PLANES_H_
#define MAINSPRING_SERVER_PLANES_PLANES_H_

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/health/health_servicer.h"
#include "mainspring/server/lifecycle/supervision.h"
#include "mainspring/server/observe/event_log.h"
#include "mainspring/server/planes/served_plane.h"
#include "mainspring/server/reconfigure/reconfiguration.h"
#include "mainspring/server/rpc/acceptor.h"
#include "mainspring/server/rpc/component_type.h"

namespace mainspring {

// Used by one thread, but for what says otherwise.
class Planes {
 public:
  // All must outlive the planes.
  Planes(const HostConfig& config, const TimeSource& time, EventLog& log);

  // Binds all addresses; blocks as long as a resolver does.
  // UNAVAILABLE: one cannot be bound.
  absl::Status Listen();
  // Serves the components of `types`, and what the host itself answers. `supervision`,
  // `reconfiguration` and `health` must live until the planes are shut down, by a drain or by
  // Abandon, and be destroyed before the planes are: replies that they hold belong to one of them.
  // INVALID_ARGUMENT: a component answers another service than its type says. RESOURCE_EXHAUSTED:
  // no more threads or descriptors. INTERNAL: gRPC refused.
  absl::Status Serve(const std::vector<ComponentType>& types, const Supervision& supervision,
                     const Reconfiguration& reconfiguration, HealthServicer& health);
  // Lets connections in, which have waited since Listen. RESOURCE_EXHAUSTED: no more descriptors or
  // threads.
  absl::Status Accept() { return acceptor_.Start(); }
  // A component of that type joins or leaves. After Serve; any thread.
  void AddComponent(const ComponentType& type, const std::shared_ptr<Addressee>& component,
                    const std::shared_ptr<Addressee>& set);
  void RemoveComponent(const ComponentType& type, const std::string& name);
  void LogListening() const;
  // Ends what serves without ceremony; blocks.
  void Abandon();

  // After Serve, or in a call that has come through a plane. Any thread.
  rpc::Plane& data() const { return *data_.plane(); }
  rpc::Plane& admin() const { return *admin_.plane(); }
  // Null: there is none.
  rpc::Plane* probe() const { return probe_.plane(); }
  rpc::Acceptor& acceptor() { return acceptor_; }

  // The plane whose ingress thread does not come back from what it is at; null: none. Any thread.
  const rpc::Plane* FindStuck() const;

 private:
  absl::Status AddServices(const std::vector<ComponentType>& types, const Supervision& supervision,
                           const Reconfiguration& reconfiguration, HealthServicer& health);
  absl::Status AddComponents(const std::vector<ComponentType>& types,
                             const Supervision& supervision);
  std::array<const ServedPlane*, 3> all() const { return {&data_, &admin_, &probe_}; }
  std::array<ServedPlane*, 3> all() { return {&data_, &admin_, &probe_}; }

  const HostConfig& config_;
  const TimeSource& time_;
  EventLog& log_;
  ServedPlane probe_;
  ServedPlane admin_;
  ServedPlane data_;
  rpc::Acceptor acceptor_;
  std::atomic<bool> serve_{false};
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_PLANES_PLANES_H_
