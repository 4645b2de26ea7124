#include "mainspring/server/rpc/plane.h"

#include <grpc/compression.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "mainspring/mutex.h"
#include "mainspring/server/rpc/core_calls.h"
#include "mainspring/server/rpc/grpc_time.h"
#include "mainspring/server/rpc/headroom.h"
#include "mainspring/server/rpc/ingress.h"
#include "mainspring/status_details.h"
#include "mainspring/thread.h"

namespace mainspring::rpc {
namespace {

using grpc::experimental::ExternalConnectionAcceptor;

// Of taking calls to refuse them, while a flood goes on; each takes some tens.
constexpr int kRounds = 1000;
// Of those after which none had come: a call that gRPC has begun to read comes within a few, and
// one that has not by then has no end that its client ever sends.
constexpr int kQuietRounds = 50;
// What is sent at a deadline, the ends of calls, has so long to reach clients that take it.
constexpr std::chrono::milliseconds kLastAnswers(500);

void Apply(const PlaneLimits& limits, grpc::ServerBuilder& builder) {
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
  if (limits.max_connection_age > absl::ZeroDuration()) {
    set_time(GRPC_ARG_MAX_CONNECTION_AGE_MS, limits.max_connection_age);
  }
  if (limits.max_connection_idle > absl::ZeroDuration()) {
    set_time(GRPC_ARG_MAX_CONNECTION_IDLE_MS, limits.max_connection_idle);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Plane>> Plane::Start(
    const std::string& name, std::vector<std::unique_ptr<Listener>> listeners,
    const PlaneLimits& limits, const std::vector<Service*>& services, const Plane* leader,
    Elsewhere elsewhere) {
  absl::Status room = CheckDescriptors();
  if (leader == nullptr) room.Update(CheckThreads());
  if (!room.ok()) {
    return absl::ResourceExhaustedError(absl::StrCat("plane \"", name, "\": ", room.message()));
  }
  std::unique_ptr<Plane> plane(new Plane(name, limits));
  for (const auto& listener : listeners) plane->addresses_.push_back(listener->address());

  grpc::ServerBuilder builder;
  Apply(limits, builder);
  plane->connector_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  plane->ingress_ = std::make_shared<Ingress>(builder.AddCompletionQueue(), limits,
                                              leader == nullptr ? nullptr : leader->ingress_);
  if (absl::Status built = plane->StartServer(builder, services, std::move(elsewhere));
      !built.ok()) {
    return built;
  }
  plane->door_ = std::make_unique<Door>(
      std::move(listeners), limits.max_connections, limits.keepalive_timeout,
      [connector = plane->connector_.get(), ingress = plane->ingress_.get()](int fd) {
        ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.listener_fd = -1;
        connection.fd = fd;
        connector->HandleNewConnection(&connection);
        ingress->ConnectionCame();
      });
  absl::Status started = plane->ingress_->Start(
      absl::StrCat("ingress/", name),
      [door = plane->door_.get()] { return door->CountConnections() != 0; },
      [self = plane.get()](SteadyTime now) { self->Sweep(now); });
  if (!started.ok()) {
    plane->Shutdown(SteadyTime::min());
    return started;
  }
  return plane;
}

absl::Status Plane::StartServer(grpc::ServerBuilder& builder, const std::vector<Service*>& services,
                                Elsewhere elsewhere) {
  std::set<std::string> names;
  for (Service* service : services) {
    builder.RegisterService(&service->grpc_service());
    names.insert(service->name());
  }
  unknown_calls_ = std::make_unique<UnknownCalls>(std::move(names), std::move(elsewhere));
  unknown_calls_->RegisterWith(builder);
  server_number_ = NumberOfServer([&] { server_ = builder.BuildAndStart(); });
  if (server_ == nullptr) {
    ingress_->Stop();
    return absl::InternalError(absl::StrCat("plane \"", name_, "\": gRPC does not start a server"));
  }
  for (Service* service : services) service->Arm(*ingress_);
  unknown_calls_->Arm(*ingress_);
  return absl::OkStatus();
}

Plane::Plane(std::string name, const PlaneLimits& limits)
    : name_(std::move(name)),
      // gRPC's age is give or take a tenth.
      oldest_(limits.max_connection_age > absl::ZeroDuration()
                  ? limits.max_connection_age * 1.1 + limits.connection_grace
                  : absl::InfiniteDuration()),
      longest_idle_(limits.max_connection_idle > absl::ZeroDuration()
                        ? limits.max_connection_idle * 1.1 + limits.connection_grace
                        : absl::InfiniteDuration()) {}
Plane::~Plane() = default;

// Connections that gRPC has asked to go, or would have, and that have no call that came whole.
void Plane::Sweep(SteadyTime now) {
  door_->CloseUnused(now, oldest_, longest_idle_, [this](const std::string& connection) {
    return ingress_->IsUsed(connection);
  });
}

size_t Plane::calls_in_flight() const { return ingress_->calls_in_flight(); }

size_t Plane::cut_calls() const { return ingress_->cut_calls(); }

size_t Plane::refused_calls() const { return ingress_->refused_calls() + lost_calls_.load(); }

uint64_t Plane::events() const { return ingress_->events(); }

SteadyTime Plane::busy_since() const { return ingress_->busy_since(); }

void Plane::EndStreams(const absl::Status& status) {
  ingress_->Post(0, [this, ingress = ingress_.get(), status] {
    never_whole_ = std::min(never_whole_, NotHandedOver());
    ingress->RefuseStreams(status);
    ingress->ForEachCall([&](ServerCall& call) { call.EndStream(status); });
  });
}

size_t Plane::Cut(const absl::Status& status) {
  size_t cut = 0;
  absl::Notification done;
  ingress_->Post(0, [&, ingress = ingress_.get()] {
    ingress->ForEachCall([&](ServerCall& call) {
      if (!call.Cut(status)) return;
      ingress->CountCut(call);
      ++cut;
    });
    done.Notify();
  });
  done.WaitForNotification();
  return cut;
}

void Plane::Shutdown(SteadyTime deadline) {
  if (door_ != nullptr) door_->Close();
  // What has come since the last cut, or still comes, is not waited for.
  const absl::Status gone =
      WithReason(absl::UnavailableError("draining"), "DRAINING", "", kRetryWhenDown);
  if (ingress_->running()) {
    ingress_->Post(0, [ingress = ingress_.get(), gone] { ingress->RefuseCalls(gone); });
    Cut(gone);
    // Those that wait inside gRPC come when others have been taken: until none does, or, where they
    // are sent without end, time is up.
    int quiet = 0;
    for (int round = 0; round < kRounds && quiet < kQuietRounds &&
                        (round == 0 || std::chrono::steady_clock::now() < deadline);
         ++round) {
      const uint64_t come = ingress_->calls_come();
      ingress_->RunBehindEvents([this] { never_whole_ = std::min(never_whole_, NotHandedOver()); });
      if (ingress_->calls_come() != come) continue;
      quiet = never_whole_ <= 0 ? kQuietRounds : quiet + 1;
    }
  }
  ShutDownServer(deadline);
  // A call whose client has gone is not waited for, and one that is still in the queue has not been
  // counted: taken from a queue that was shut down it would be an assertion inside gRPC.
  if (ingress_->running()) ingress_->EndRequests();
  // What a component has begun to answer is still on its way to the ingress.
  ingress_->AwaitNoCalls();
  // A call that comes while gRPC shuts down is answered CANCELLED, and nobody else hears of it.
  lost_calls_.store(static_cast<size_t>(std::max<int64_t>(0, NotHandedOver() - never_whole_)));
  ingress_->Stop();
}

// gRPC waits for what it has begun to send, also beyond the deadline: a client that takes nothing
// would hold it up. So connections that are left then are closed.
void Plane::ShutDownServer(SteadyTime deadline) {
  Mutex mutex;
  CondVar changed;
  bool over = false;
  const absl::StatusOr<std::unique_ptr<Thread>> closer = Thread::Start("close", [&] {
    const SteadyTime last = std::max(deadline, std::chrono::steady_clock::now()) + kLastAnswers;
    MutexLock lock(mutex);
    while (!over && std::chrono::steady_clock::now() < last) changed.WaitUntil(mutex, last);
    if (!over && door_ != nullptr) door_->CloseAll();
  });
  server_->Shutdown(GrpcDeadline(Between(std::chrono::steady_clock::now(), deadline)));
  MutexLock lock(mutex);
  over = true;
  changed.NotifyAll();
}

int64_t Plane::NotHandedOver() const {
  if (server_number_ == 0) return 0;
  return CallsStarted(server_number_) - static_cast<int64_t>(ingress_->calls_come());
}

}  // namespace mainspring::rpc
