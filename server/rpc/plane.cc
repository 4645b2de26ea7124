#include "server/rpc/plane.h"

#include <grpc/compression.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "server/rpc/grpc_time.h"
#include "server/rpc/ingress.h"

namespace mainspring::rpc {
namespace {

using grpc::experimental::ExternalConnectionAcceptor;

void Apply(const PlaneLimits& limits, bool ages, grpc::ServerBuilder& builder) {
  const auto set = [&](const char* name, int value) { builder.AddChannelArgument(name, value); };
  const auto set_time = [&](const char* name, absl::Duration value) {
    set(name, ToGrpcMilliseconds(value));
  };
  builder.SetMaxReceiveMessageSize(limits.max_message_bytes);
  builder.SetMaxSendMessageSize(limits.max_message_bytes);
  // gRPC checks the size of a message before it inflates it.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  set(GRPC_ARG_MAX_METADATA_SIZE, limits.max_metadata_bytes);
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.max_streams);
  set_time(GRPC_ARG_KEEPALIVE_TIME_MS, limits.keepalive_time);
  set_time(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, limits.keepalive_timeout);
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set_time(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, limits.least_ping_interval);
  set_time(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, limits.handshake_timeout);
  // No grace period goes with it: a stream may outlive the age, only new calls go elsewhere.
  if (ages && limits.max_connection_age > absl::ZeroDuration()) {
    set_time(GRPC_ARG_MAX_CONNECTION_AGE_MS, limits.max_connection_age);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Plane>> Plane::Start(
    const std::string& name, std::vector<std::unique_ptr<Listener>> listeners,
    const PlaneLimits& limits, const std::vector<Service*>& services, const Plane* leader,
    Elsewhere elsewhere) {
  std::unique_ptr<Plane> plane(new Plane(name));
  for (const auto& listener : listeners) plane->addresses_.push_back(listener->address());
  const bool ages = std::none_of(listeners.begin(), listeners.end(),
                                 [](const auto& listener) { return listener->is_unix(); });

  grpc::ServerBuilder builder;
  Apply(limits, ages, builder);
  plane->connector_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  std::set<std::string> names;
  for (Service* service : services) {
    builder.RegisterService(&service->grpc_service());
    names.insert(service->name());
  }
  plane->unknown_calls_ = std::make_unique<UnknownCalls>(std::move(names), std::move(elsewhere));
  plane->unknown_calls_->RegisterWith(builder);
  plane->ingress_ = std::make_shared<Ingress>(builder.AddCompletionQueue(), limits.max_calls,
                                              leader == nullptr ? nullptr : leader->ingress_);
  plane->server_ = builder.BuildAndStart();
  if (plane->server_ == nullptr) {
    plane->ingress_->Stop();
    return absl::InternalError(absl::StrCat("plane \"", name, "\": gRPC does not start a server"));
  }
  for (Service* service : services) service->Arm(*plane->ingress_);
  plane->unknown_calls_->Arm(*plane->ingress_);
  plane->door_ = std::make_unique<Door>(
      std::move(listeners), limits.max_connections,
      [connector = plane->connector_.get(), ingress = plane->ingress_.get()](int fd) {
        ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.listener_fd = -1;
        connection.fd = fd;
        connector->HandleNewConnection(&connection);
        ingress->ConnectionCame();
      });
  absl::Status started =
      plane->ingress_->Start(absl::StrCat("ingress/", name),
                             [door = plane->door_.get()] { return door->CountConnections() != 0; });
  if (!started.ok()) {
    plane->Shutdown(SteadyTime::min());
    return started;
  }
  return plane;
}

Plane::Plane(std::string name) : name_(std::move(name)) {}
Plane::~Plane() = default;

size_t Plane::calls_in_flight() const { return ingress_->calls_in_flight(); }

uint64_t Plane::events() const { return ingress_->events(); }

SteadyTime Plane::busy_since() const { return ingress_->busy_since(); }

void Plane::EndStreams(const absl::Status& status) {
  ingress_->Post(0, [ingress = ingress_.get(), status] {
    ingress->RefuseStreams(status);
    ingress->calls().ForEach([&](ServerCall& call) { call.EndStream(status); });
  });
}

size_t Plane::Cut(const absl::Status& status) {
  size_t cut = 0;
  absl::Notification done;
  ingress_->Post(0, [&, ingress = ingress_.get()] {
    ingress->calls().ForEach([&](ServerCall& call) { cut += call.Cut(status) ? 1 : 0; });
    done.Notify();
  });
  done.WaitForNotification();
  return cut;
}

void Plane::Shutdown(SteadyTime deadline) {
  if (door_ != nullptr) door_->Close();
  // What has come since the last cut, or still comes, is not waited for.
  const absl::Status gone = absl::UnavailableError("draining");
  if (ingress_->running()) {
    ingress_->Post(0, [ingress = ingress_.get(), gone] { ingress->RefuseCalls(gone); });
    Cut(gone);
  }
  server_->Shutdown(GrpcDeadline(Between(std::chrono::steady_clock::now(), deadline)));
  // A call whose client has gone is not waited for, and one that is still in the queue has not been
  // counted: were the queue shut down now, taking it, or asking for the next, would be an assertion
  // inside gRPC.
  if (ingress_->running()) ingress_->EndRequests();
  // What a component has begun to answer is still on its way to the ingress.
  ingress_->AwaitNoCalls();
  ingress_->Stop();
}

}  // namespace mainspring::rpc
