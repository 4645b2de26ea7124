// Plane: listeners with the services that they serve, on a gRPC server, a completion queue and an
// ingress thread of their own. Not of their own is the reader: gRPC has one for the process, so
// that a flood of frames on one plane keeps the others waiting; see ingress.h.
#ifndef MAINSPRING_SERVER_RPC_PLANE_H_
#define MAINSPRING_SERVER_RPC_PLANE_H_

#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/server/rpc/acceptor.h"
#include "mainspring/server/rpc/listener.h"
#include "mainspring/server/rpc/plane_limits.h"
#include "mainspring/server/rpc/service.h"
#include "mainspring/server/rpc/unknown_call.h"
#include "mainspring/steady_time.h"

namespace grpc {
class Server;
class ServerBuilder;
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
  // RESOURCE_EXHAUSTED: no more threads or descriptors. INTERNAL: gRPC refused; the log says why.
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
  // Calls that were let in, and that the end of the plane has cost their answer: it cut them, or
  // what they were answered with reached nobody. Not those whose clients had gone before, and no
  // streams that EndStreams has ended.
  size_t cut_calls() const;
  // Calls that came and were not let in because the plane ended; complete after Shutdown.
  size_t refused_calls() const;
  // See Ingress.
  uint64_t events() const;
  SteadyTime busy_since() const;

  // Begins the end: ends every call that answers with a stream, or that asks with one and is not
  // through with it, and from here on each that comes. What was written is sent, then `status`.
  void EndStreams(const absl::Status& status);
  // Answers every call that is not answered with `status`. Blocks until that is done; says how many
  // there were.
  size_t Cut(const absl::Status& status);

  // Closes the door, shuts gRPC down and ends the ingress. Calls that are not over by `deadline`
  // are cancelled, and connections that are left half a second later are closed. Calls that nobody
  // has answered are cut. Blocks.
  void Shutdown(SteadyTime deadline);

 private:
  Plane(std::string name, const PlaneLimits& limits);
  void ShutDownServer(SteadyTime deadline);
  absl::Status StartServer(grpc::ServerBuilder& builder, const std::vector<Service*>& services,
                           Elsewhere elsewhere);
  void Sweep(SteadyTime now);

  // Calls that have come to gRPC, and were not handed over.
  int64_t NotHandedOver() const;

  const std::string name_;
  const absl::Duration oldest_;
  const absl::Duration longest_idle_;
  intptr_t server_number_ = 0;  // channelz's
  std::atomic<size_t> lost_calls_{0};
  std::vector<std::string> addresses_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connector_;
  std::unique_ptr<UnknownCalls> unknown_calls_;
  std::shared_ptr<Ingress> ingress_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Door> door_;
  // The least that NotHandedOver has been since the end began: calls that never come whole. One
  // that its client takes back meanwhile, before the ingress has it, looks as if it were lost.
  // Ingress thread only, while that runs.
  int64_t never_whole_ = std::numeric_limits<int64_t>::max();
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_PLANE_H_
