// Plane: listeners with the services that they serve, on a gRPC server, a completion queue and an
// ingress thread of their own, so that load on one plane cannot starve another.
#ifndef MAINSPRING_SERVER_RPC_PLANE_H_
#define MAINSPRING_SERVER_RPC_PLANE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "mainspring/steady_time.h"
#include "server/rpc/acceptor.h"
#include "server/rpc/listener.h"
#include "server/rpc/service.h"

namespace grpc {
class Server;
namespace experimental {
class ExternalConnectionAcceptor;
}
}  // namespace grpc

namespace mainspring::rpc {

class Ingress;

struct PlaneLimits {
  int max_message_bytes = 4 << 20;    // received or sent; gRPC's default for what is received
  int max_metadata_bytes = 16 << 10;  // of one call
  int max_streams = 256;              // of one connection
  size_t max_connections = 4096;
  size_t max_calls = 16384;  // in flight
  absl::Duration keepalive_time = absl::Seconds(60);
  absl::Duration keepalive_timeout = absl::Seconds(20);
  absl::Duration least_ping_interval = absl::Seconds(10);
  absl::Duration handshake_timeout = absl::Seconds(10);
  // After this, give or take 10 %, a connection is asked to go, gracefully: its calls are
  // finished. Zero: never. Not on a unix socket.
  absl::Duration max_connection_age = absl::Seconds(30);
};

// Made, then shut down, then destroyed, by one thread; the rest, any thread.
class Plane {
 public:
  // Serves at once. The services must outlive the plane.
  // RESOURCE_EXHAUSTED: no more threads. INTERNAL: gRPC refused; the log says why.
  static absl::StatusOr<std::unique_ptr<Plane>> Start(
      const std::string& name, std::vector<std::unique_ptr<Listener>> listeners,
      const PlaneLimits& limits, const std::vector<Service*>& services);

  // Shutdown must have been called.
  ~Plane();

  const std::string& name() const { return name_; }
  // Where the plane listens, as text.
  const std::vector<std::string>& addresses() const { return addresses_; }
  Door& door() { return *door_; }

  size_t calls_in_flight() const;
  // See Ingress.
  uint64_t events() const;

  // Ends every call that answers with a stream: what was written is sent, then `status`.
  void EndStreams(const absl::Status& status);
  // Answers every call that is not answered with `status`. Blocks until that is done; says how many
  // there were.
  size_t Cut(const absl::Status& status);

  // Closes the door, shuts gRPC down and ends the ingress. Calls that are not over by `deadline`
  // are cancelled. Blocks; every call must have been answered, or be cut, before.
  void Shutdown(SteadyTime deadline);

 private:
  explicit Plane(std::string name) : name_(std::move(name)) {}

  const std::string name_;
  std::vector<std::string> addresses_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connector_;
  std::shared_ptr<Ingress> ingress_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Door> door_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_PLANE_H_
