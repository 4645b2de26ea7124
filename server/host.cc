#include "server/host.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "grpc/health/v1/health.binding.pb.h"
#include "grpc/reflection/v1/reflection.binding.pb.h"
#include "grpc/reflection/v1alpha/reflection.binding.pb.h"
#include "mainspring/lifecycle/v1/lifecycle.binding.pb.h"
#include "mainspring/thread.h"
#include "server/drain/drain.h"
#include "server/drain/exit_guard.h"
#include "server/health/health_servicer.h"
#include "server/health/health_table.h"
#include "server/lifecycle/describe.h"
#include "server/lifecycle/supervision.h"
#include "server/reflection/reflection_servicer.h"
#include "server/rpc/acceptor.h"
#include "server/rpc/plane.h"

namespace mainspring {
namespace {

using Services = std::vector<std::unique_ptr<rpc::Service>>;

// For planes to come up once their addresses are found, which may take as long as a resolver does:
// they wait for nobody.
constexpr absl::Duration kPlanesTimeout = absl::Seconds(30);
// An ingress thread runs nobody's code, and is at one event for microseconds.
constexpr absl::Duration kIngressStuck = absl::Seconds(60);

// The servicers of one plane, besides the host's health.
struct Reflection {
  Reflection(std::vector<std::string> services, size_t max_streams)
      : plane(std::move(services), max_streams) {}
  ReflectedPlane plane;
  ReflectionV1 v1{plane};
  ReflectionV1Alpha v1alpha{plane};
};

using Listeners = std::vector<std::unique_ptr<rpc::Listener>>;

absl::StatusOr<Listeners> ListenOn(const char* plane, const PlaneConfig& config) {
  auto listeners = rpc::Listener::Listen(config.addresses);
  if (!listeners.ok()) {
    return absl::Status(listeners.status().code(),
                        absl::StrCat("plane \"", plane, "\": cannot listen on ",
                                     std::string(listeners.status().message())));
  }
  for (const int socket : config.sockets) {
    auto adopted = rpc::Listener::Adopt(socket);
    if (!adopted.ok()) {
      return absl::Status(adopted.status().code(),
                          absl::StrCat("plane \"", plane, "\": cannot take over ",
                                       std::string(adopted.status().message())));
    }
    listeners->push_back(*std::move(adopted));
  }
  return listeners;
}

}  // namespace

// In the order in which they are made; destroyed in reverse.
class Host::Parts {
 public:
  Parts(std::vector<ComponentType> types, HostConfig config, World world)
      : types_(std::move(types)), config_(std::move(config)), world_(std::move(world)) {}

  ~Parts() {
    if (running_) Abandon();
  }

  absl::Status Start(DrainTrigger& trigger) {
    absl::Status status = Validate(config_);
    // Beside the components' there are a few dozen.
    Thread::Expect(config_.components.size());
    if (status.ok()) status = StartPlanes(trigger);
    if (!status.ok()) {
      Abandon();
      return status;
    }
    running_ = true;
    for (const PlaneParts* parts : {&probe_, &admin_, &data_}) LogListening(parts->plane.get());
    for (const std::string& warning : Warnings(config_)) {
      world_.log->Warning("configuration", {{"warning", warning}});
    }
    const auto guard = Guard(trigger, kNever);
    status = guard.status();
    if (status.ok()) {
      status = supervision_->Start();
      if (!status.ok()) status = absl::AbortedError(status.message());
    }
    if (!status.ok()) {
      Abandon();
      return status;
    }
    MutexLock lock(mutex_);
    if (pulls_ > 0) trigger.PullTo(pulls_, why_pulled_);
    if (abandoned_) return absl::OkStatus();
    world_.log->Info("serving",
                     {{"components", absl::StrJoin(supervision_->table().Names(), ",")}});
    return absl::OkStatus();
  }

  void AbandonStart() {
    MutexLock lock(mutex_);
    abandoned_ = true;
    if (supervision_ != nullptr) supervision_->AbandonStart();
  }

  int Run(DrainTrigger& trigger) {
    {
      MutexLock lock(mutex_);
      trigger_ = &trigger;
      if (pulls_ > 0) trigger.PullTo(pulls_, why_pulled_);
    }
    trigger.Await(DrainTrigger::kDrain);
    world_.log->Info("drain", {{"trigger", trigger.reason()},
                               {"lame_duck", config_.lame_duck},
                               {"drain_timeout", config_.drain_timeout}});
    running_ = false;
    const auto begin = [this] {
      health_table_->Drain();
      health_->PublishAll();
      world_.on_drain();
    };
    const int code =
        RunDrain(config_, world_, trigger,
                 {*data_.plane, *admin_.plane, probe_.plane.get(), acceptor_, *supervision_,
                  report_, begin, [this] { return component_failed_.load(); }});
    MutexLock lock(mutex_);
    trigger_ = nullptr;
    return code;
  }

  const std::vector<std::string>& data_addresses() const { return data_.plane->addresses(); }
  const std::vector<std::string>& admin_addresses() const { return admin_.plane->addresses(); }

  HostStatus Status() const {
    HostStatus status;
    if (const auto phase = report_.phase(); phase.has_value()) status.drain = Name(phase->first);
    const Supervision* const supervision = this->supervision();
    if (supervision == nullptr) return status;
    status.alive = health_table_->alive();
    status.ready = health_table_->ready();
    const ComponentTable& table = supervision->table();
    status.components = table.size();
    for (size_t i = 0; i < table.size(); ++i) {
      if (table.state(i) == LifecycleState::kRunning) ++status.running;
    }
    return status;
  }

  void LogStates() const {
    const Supervision* const supervision = this->supervision();
    if (supervision == nullptr) return world_.log->Info("starting", {});
    for (const ComponentView& each : supervision->table().Views()) {
      world_.log->Info("component", {{"component", each.name},
                                     {"type", each.type},
                                     {"state", Name(each.status.state)},
                                     {"reason", each.status.reason},
                                     {"queued", each.mailbox.queued_calls},
                                     {"handled", each.mailbox.handled},
                                     {"failed", each.mailbox.failed},
                                     {"rejected", each.mailbox.rejected},
                                     {"expired", each.mailbox.expired},
                                     {"method", each.method},
                                     {"in_method_ms", each.in_method}});
    }
  }

 private:
  struct PlaneParts {
    Services services;
    std::unique_ptr<Reflection> reflection;
    std::unique_ptr<rpc::Plane> plane;
  };

  // Null before there are components. Any thread.
  const Supervision* supervision() const {
    MutexLock lock(mutex_);
    return supervision_.get();
  }

  // Ends the process when a start does not end.
  absl::StatusOr<std::unique_ptr<ExitGuard>> Guard(DrainTrigger& trigger, SteadyTime deadline) {
    return ExitGuard::Start(trigger, deadline, [this, &trigger](const char* why) {
      EndByForce(world_, report_, trigger.reason(), why, [this] { return WhoIsStuck(); });
    });
  }

  // Whether the threads make progress that everything else depends on. Logs when one begins not to,
  // by its name, and when all do again.
  bool IsAlive(const Supervision& supervision) {
    const char* stuck = supervision.IsStuck() ? kSupervisorName : nullptr;
    if (planes_serve_.load(std::memory_order_acquire)) {
      for (const PlaneParts* parts : {&data_, &admin_, &probe_}) {
        if (parts->plane == nullptr) continue;
        const SteadyTime since = parts->plane->busy_since();
        if (since != kNever && Between(since, world_.time->Now()) > kIngressStuck) {
          stuck = parts->plane->name().c_str();
        }
      }
    }
    if (stuck_told_.exchange(stuck != nullptr) != (stuck != nullptr)) {
      if (stuck != nullptr) {
        world_.log->Error("stall", {{"thread", stuck}, {"state", "stuck"}});
      } else {
        world_.log->Info("stall", {{"state", "over"}});
      }
    }
    return stuck == nullptr;
  }

  std::vector<StuckComponent> WhoIsStuck() const {
    const Supervision* const supervision = this->supervision();
    if (supervision == nullptr) return {};
    return Busy(*supervision, world_.time->Now());
  }

  absl::Status StartPlanes(DrainTrigger& trigger) {
    auto guard = Guard(trigger, kNever);
    absl::Status status = guard.status();
    if (status.ok()) status = Supervise();
    if (!status.ok()) return status;
    auto data = ListenOn("data", config_.data);
    if (!data.ok()) return data.status();
    auto admin = ListenOn("admin", config_.admin);
    if (!admin.ok()) return admin.status();
    auto probe = ListenOn("probe", config_.probe);
    if (!probe.ok()) return probe.status();
    guard->reset();
    guard = Guard(trigger, After(world_.time->Now(), kPlanesTimeout));
    status.Update(guard.status());
    status.Update(AddServices());
    TellWhere("data", *data, data_);
    TellWhere("admin", *admin, admin_);
    if (status.ok()) status = StartPlane("data", *std::move(data), config_.data.limits, data_);
    if (status.ok()) status = StartPlane("admin", *std::move(admin), config_.admin.limits, admin_);
    if (status.ok() && !probe->empty()) {
      status = StartPlane("probe", *std::move(probe), config_.probe.limits, probe_);
    }
    planes_serve_.store(status.ok(), std::memory_order_release);
    if (status.ok()) status = acceptor_.Start();
    return status;
  }

  absl::Status Supervise() {
    std::vector<SupervisedComponent> components;
    for (const ComponentConfig& component : config_.components) {
      const auto type = std::find_if(types_.begin(), types_.end(), [&](const ComponentType& each) {
        return each.name == component.type;
      });
      if (type == types_.end()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "component \"", component.name, "\": no component type \"", component.type,
            "\"; there are: ",
            absl::StrJoin(types_, ", ", [](std::string* out, const ComponentType& each) {
              absl::StrAppend(out, each.name);
            })));
      }
      components.push_back({component, type->service, type->make,
                            type->make_mailbox(component.name, component.mailbox, *world_.time)});
    }
    SupervisionOptions options;
    options.time = world_.time;
    options.log = world_.log;
    options.random = world_.random;
    options.launch = world_.launch;
    options.incarnation = absl::StrCat(
        absl::Hex(static_cast<uint64_t>(world_.random() * 4294967296.0), absl::kZeroPad8));
    options.version = MAINSPRING_VERSION;
    options.event_history = config_.event_history;
    options.max_watchers = config_.max_lifecycle_watchers;
    options.health.on_change = [this](size_t component) {
      return health_->Publish(health_table_->Update(component));
    };
    options.health.on_stall = [this](size_t component, bool past_limit) {
      health_->Publish(health_table_->SetPastLimit(component, past_limit));
    };
    options.health.on_essential_failure = [this](const std::string& reason) {
      component_failed_.store(true);
      Pull(DrainTrigger::kDrain, reason);
    };
    options.host.drain = [this] { PullByOperator(DrainTrigger::kDrain, "Lifecycle.Drain"); };
    options.host.shut_down_now = [this] {
      PullByOperator(DrainTrigger::kStopNow, "Lifecycle.ShutdownNow");
    };
    options.host.draining = [this] { return report_.phase().has_value(); };
    options.host.drain_progress = [this] { return DrainProgress(); };
    options.on_supervisor_failure = [this](const std::string& what) {
      EndByForce(world_, report_, "", absl::StrCat("the supervisor failed: ", what).c_str(),
                 [this] { return WhoIsStuck(); });
    };
    auto supervision = Supervision::Launch(std::move(components), std::move(options));
    if (!supervision.ok()) return supervision.status();
    // Nothing is told of before something is started.
    health_table_.emplace((*supervision)->table(), [this, supervision = supervision->get()] {
      return IsAlive(*supervision);
    });
    health_.emplace(*health_table_, config_.max_health_watchers);
    MutexLock lock(mutex_);
    supervision_ = *std::move(supervision);
    if (abandoned_) supervision_->AbandonStart();
    return absl::OkStatus();
  }

  // Before Run has come, it is kept for it.
  void Pull(int pulls, const std::string& reason) {
    MutexLock lock(mutex_);
    if (trigger_ != nullptr) return trigger_->PullTo(pulls, reason);
    if (pulls_ == 0) why_pulled_ = reason;
    pulls_ = std::max(pulls_, pulls);
  }

  // As a signal does: a start goes no further.
  void PullByOperator(int pulls, const std::string& reason) {
    Pull(pulls, reason);
    AbandonStart();
  }

  lifecycle::v1::DrainProgress DrainProgress() {
    using Proto = lifecycle::v1::DrainProgress;
    Proto progress;
    progress.set_phase(Proto::SERVING);
    if (const auto phase = report_.phase(); phase.has_value()) {
      // The message's enum has SERVING before the phases.
      progress.set_phase(
          static_cast<Proto::Phase>(Proto::LAME_DUCK + static_cast<int>(phase->first)));
      *progress.mutable_in_phase() = ToProto(Between(phase->second, world_.time->Now()));
    }
    progress.set_open_connections(static_cast<uint32_t>(data_.plane->door().CountConnections()));
    progress.set_calls_in_flight(data_.plane->calls_in_flight());
    MutexLock lock(mutex_);
    if (trigger_ != nullptr) progress.set_trigger(trigger_->reason());
    return progress;
  }

  // To every plane what it serves.
  absl::Status AddServices() {
    absl::Status status = AddComponents(data_.services);
    admin_.services.push_back(lifecycle::v1::BindLifecycle());
    status.Update(admin_.services.back()->AddComponent(supervision_->mailbox()));
    for (PlaneParts* parts : {&data_, &admin_, &probe_}) {
      parts->services.push_back(grpc::health::v1::BindHealth());
      status.Update(parts->services.back()->SetServicer(*health_));
      parts->services.back()->ReservePlaces();
    }
    for (PlaneParts* parts : {&data_, &admin_}) status.Update(AddReflection(*parts));
    return status;
  }

  // The services of all types, with the components that answer them.
  absl::Status AddComponents(Services& services) {
    absl::Status status;
    for (const ComponentType& type : types_) {
      // Two types may answer the same service, each with components of its own.
      auto service = std::find_if(services.begin(), services.end(),
                                  [&](const auto& each) { return each->name() == type.service; });
      if (service == services.end()) service = services.insert(service, type.bind());
      for (const ComponentConfig& component : config_.components) {
        if (component.type != type.name) continue;
        status.Update((*service)->AddComponent(supervision_->table().Find(component.name)));
      }
    }
    return status;
  }

  // Of the services that are there, and of itself.
  absl::Status AddReflection(PlaneParts& parts) const {
    auto v1 = grpc::reflection::v1::BindServerReflection();
    auto v1alpha = grpc::reflection::v1alpha::BindServerReflection();
    std::vector<std::string> names = {v1->name(), v1alpha->name()};
    for (const auto& service : parts.services) names.push_back(service->name());
    parts.reflection =
        std::make_unique<Reflection>(std::move(names), config_.max_reflection_streams);
    absl::Status status = v1->SetServicer(parts.reflection->v1);
    status.Update(v1alpha->SetServicer(parts.reflection->v1alpha));
    parts.services.push_back(std::move(v1));
    parts.services.push_back(std::move(v1alpha));
    return status;
  }

  // Where the services of that plane are, for callers that look for them on another one. Not for
  // the probe plane, which has none of its own.
  void TellWhere(const char* plane, const Listeners& listeners, const PlaneParts& parts) {
    const std::string place =
        absl::StrCat("the ", plane, " plane ",
                     absl::StrJoin(listeners, ", ", [](std::string* out, const auto& listener) {
                       absl::StrAppend(out, listener->address());
                     }));
    for (const auto& service : parts.services) {
      std::string& places = where_[service->name()];
      absl::StrAppend(&places, places.empty() ? "" : " and ", place);
    }
  }

  absl::Status StartPlane(const char* name, Listeners listeners, const rpc::PlaneLimits& limits,
                          PlaneParts& parts) {
    std::vector<rpc::Service*> served;
    for (const auto& service : parts.services) served.push_back(service.get());
    auto plane = rpc::Plane::Start(name, std::move(listeners), limits, served,
                                   /*leader=*/data_.plane.get(), where_);
    if (!plane.ok()) return plane.status();
    parts.plane = *std::move(plane);
    acceptor_.Add(parts.plane->door());
    return absl::OkStatus();
  }

  void LogListening(const rpc::Plane* plane) {
    if (plane == nullptr) return;
    for (const std::string& address : plane->addresses()) {
      world_.log->Info("listening", {{"plane", plane->name()}, {"address", address}});
    }
  }

  // Ends what was started, without ceremony.
  void Abandon() {
    running_ = false;
    for (PlaneParts* parts : {&data_, &admin_, &probe_}) {
      if (parts->plane == nullptr) continue;
      parts->plane->door().Close();
      parts->plane->Cut(absl::UnavailableError("the host has gone"));
      parts->plane->Shutdown(After(world_.time->Now(), absl::Milliseconds(100)));
    }
    if (supervision_ == nullptr) return;
    const StopReport stopped = supervision_->Stop();
    // Waiting for a thread that does not come back would be for ever.
    if (!stopped.stuck.empty()) {
      EndByForce(world_, report_, "", "a component's thread does not come back",
                 [&] { return stopped.stuck; });
    }
  }

  const std::vector<ComponentType> types_;
  const HostConfig config_;
  const World world_;
  std::atomic<bool> component_failed_{false};
  std::atomic<bool> planes_serve_{false};
  std::atomic<bool> stuck_told_{false};
  DrainReport report_;
  bool running_ = false;

  // What other threads than the host's want of it.
  mutable Mutex mutex_;
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  DrainTrigger* trigger_ ABSL_GUARDED_BY(mutex_) = nullptr;
  int pulls_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string why_pulled_ ABSL_GUARDED_BY(mutex_);
  PlaneParts probe_;
  PlaneParts admin_;
  PlaneParts data_;
  rpc::Elsewhere where_;
  // After the planes, and so gone before them: replies and streams that these still hold belong to
  // a plane.
  std::optional<HealthTable> health_table_;
  std::optional<HealthServicer> health_;
  std::unique_ptr<Supervision> supervision_;
  rpc::Acceptor acceptor_{
      [this](bool exhausted) {
        world_.log->WriteLimited(
            exhausted ? "accept" : "accept again", exhausted ? Severity::kWarning : Severity::kInfo,
            "accept",
            {{"state", exhausted ? "no descriptor or place free; waiting" : "accepting again"}});
      },
      [this](const std::string& address) {
        world_.log->Error("accept",
                          {{"state", "the socket was shut down by another process; closed"},
                           {"address", address}});
      }};
};

Host::Host(std::vector<ComponentType> types, HostConfig config, World world)
    : parts_(std::make_unique<Parts>(std::move(types), std::move(config), std::move(world))) {}

Host::~Host() = default;

absl::Status Host::Start(DrainTrigger& trigger) { return parts_->Start(trigger); }
absl::Status Host::Start() {
  DrainTrigger trigger;
  return Start(trigger);
}
void Host::AbandonStart() { parts_->AbandonStart(); }
int Host::Run(DrainTrigger& trigger) { return parts_->Run(trigger); }
const std::vector<std::string>& Host::data_addresses() const { return parts_->data_addresses(); }
const std::vector<std::string>& Host::admin_addresses() const { return parts_->admin_addresses(); }
HostStatus Host::Status() const { return parts_->Status(); }
void Host::LogStates() const { parts_->LogStates(); }

}  // namespace mainspring
