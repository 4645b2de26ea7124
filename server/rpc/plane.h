// Plane: listeners with the services that they serve, on a gRPC server, a completion queue and an
// ingress thread of their own, so that load on one plane cannot starve another.
#ifndef MAINSPRING_SERVER_RPC_PLANE_H_
#define MAINSPRING_SERVER_RPC_PLANE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/steady_time.h"
#include "server/rpc/acceptor.h"
#include "server/rpc/listener.h"
#include "server/rpc/plane_limits.h"
#include "server/rpc/service.h"
#include "server/rpc/unknown_call.h"

namespace grpc {
class Server;
namespace experimental {
class ExternalConnectionAcceptor;
}
}  // namespace grpc

namespace mainspring::rpc {

class Ingress;

// Made, then shut down, then destroyed, by one thread; the rest, any thread.
class Plane {
 public:
  // Serves at once. The services must outlive the plane. `leader`, null for the first, is the plane
  // whose ingress this one's follows; it is shut down first. `elsewhere` is what calls to services
  // of other planes are told.
  // RESOURCE_EXHAUSTED: no more threads. INTERNAL: gRPC refused; the log says why.
  static absl::StatusOr<std::unique_ptr<Plane>> Start(
      const std::string& name, std::vector<std::unique_ptr<Listener>> listeners,
      const PlaneLimits& limits, const std::vector<Service*>& services, const Plane* leader,
      Elsewhere elsewhere = {});

  // Shutdown must have been called.
  ~Plane();

  const std::string& name() const { return name_; }
  // Where the plane listens, as text.
  const std::vector<std::string>& addresses() const { return addresses_; }
  Door& door() { return *door_; }

  size_t calls_in_flight() const;
  // See Ingress.
  uint64_t events() const;
  SteadyTime busy_since() const;

  // Ends every call that answers with a stream, and from here on each that comes: what was written
  // is sent, then `status`.
  void EndStreams(const absl::Status& status);
  // Answers every call that is not answered with `status`. Blocks until that is done; says how many
  // there were.
  size_t Cut(const absl::Status& status);

  // Closes the door, shuts gRPC down and ends the ingress. Calls that are not over by `deadline`
  // are cancelled. Calls that nobody has answered are cut. Blocks.
  void Shutdown(SteadyTime deadline);

 private:
  explicit Plane(std::string name);

  const std::string name_;
  std::vector<std::string> addresses_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connector_;
  std::unique_ptr<UnknownCalls> unknown_calls_;
  std::shared_ptr<Ingress> ingress_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Door> door_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_PLANE_H_
