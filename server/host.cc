#include "mainspring/server/host.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/proto_time.h"
#include "mainspring/server/configuration.h"
#include "mainspring/server/drain/drain.h"
#include "mainspring/server/drain/exit_guard.h"
#include "mainspring/server/health/health_servicer.h"
#include "mainspring/server/health/health_table.h"
#include "mainspring/server/lifecycle/supervision.h"
#include "mainspring/server/planes/planes.h"
#include "mainspring/server/reconfigure/reconfiguration.h"
#include "mainspring/server/world/blocking_pool.h"
#include "mainspring/thread.h"

namespace mainspring {
namespace {

// For planes to come up once their addresses are found, which may take as long as a resolver does:
// they wait for nobody.
constexpr absl::Duration kPlanesTimeout = absl::Seconds(30);

const ComponentType& TypeOf(const ComponentConfig& component,
                            const std::vector<ComponentType>& types) {
  // It is there: the configuration is right.
  return *std::find_if(types.begin(), types.end(),
                       [&](const ComponentType& each) { return each.name == component.type; });
}

SupervisedComponent Make(const ComponentConfig& component, const std::vector<ComponentType>& types,
                         const TimeSource& time) {
  const ComponentType& type = TypeOf(component, types);
  std::vector<std::string> services;
  for (const ComponentType::ServedService& each : type.services) services.push_back(each.service);
  return {component, std::move(services), type.make,
          type.make_mailbox(component.name, component.mailbox, time),
          component.replica_of.empty() ? nullptr : type.make_replica_set(component.replica_of)};
}

}  // namespace

HostConfig OneOfEach(const std::vector<ComponentType>& types) {
  HostConfig config;
  for (const ComponentType& type : types) {
    ComponentConfig& component = config.Add(type.name);
    for (const std::string& needed : type.depends_on) component.depends_on.push_back({needed});
  }
  return config;
}

// In the order in which they are made; destroyed in reverse.
class Host::Impl {
 public:
  Impl(std::vector<ComponentType> types, HostConfig config, World world)
      : types_(std::move(types)), config_(std::move(config)), world_(std::move(world)) {}

  ~Impl() {
    if (running_) Abandon();
  }

  absl::Status Start(DrainTrigger& trigger) {
    absl::Status status = Check();
    // Beside the components' there are a few dozen.
    Thread::Expect(config_.components.size());
    if (status.ok()) status = StartPlanes(trigger);
    if (!status.ok()) {
      Abandon();
      return status;
    }
    running_ = true;
    planes_.LogListening();
    if (config_.state_dir.empty()) {
      world_.log->Info("revisions", {{"kept", "in memory alone; --state-dir keeps them longer"}});
    }
    for (const Contradiction& each : FindAllContradictions(config_)) {
      world_.log->Warning("configuration", {{"path", each.paths.front()}, {"warning", each.what}});
    }
    const auto guard = Guard(trigger, kNever);
    status = guard.status();
    if (status.ok()) {
      // Whoever has waited for the host to listen is not told that nothing is started yet.
      status = supervision_->Start([this] { return planes_.Accept(); });
      if (!status.ok()) status = absl::AbortedError(absl::StrCat(status.message(), OfRevisions()));
    }
    if (!status.ok()) {
      Abandon();
      return status;
    }
    MutexLock lock(mutex_);
    if (pulls_ > 0) trigger.PullTo(pulls_, why_pulled_);
    started_ = true;
    reconfiguration_->Watch();
    for (auto& [author, done] : std::exchange(reloads_, {})) {
      reconfiguration_->Reload(std::move(author), std::move(done));
    }
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

  void SetSource(ConfigSource source) { source_ = std::move(source); }

  void Reload(std::string author, std::shared_ptr<void> done) {
    MutexLock lock(mutex_);
    if (started_) {
      reconfiguration_->Reload(std::move(author), std::move(done));
    } else {
      reloads_.emplace_back(std::move(author), std::move(done));
    }
  }

  int Run(DrainTrigger& trigger) {
    {
      MutexLock lock(mutex_);
      trigger_ = &trigger;
      if (pulls_ > 0) trigger.PullTo(pulls_, why_pulled_);
    }
    trigger.Await(DrainTrigger::kDrain);
    // The times of a drain are those that hold when it begins.
    const HostConfig config = current();
    world_.log->Info("drain", {{"trigger", trigger.reason()},
                               {"lame_duck", config.lame_duck},
                               {"drain_timeout", config.drain_timeout}});
    running_ = false;
    const auto begin = [this] {
      health_table_->Drain();
      health_->PublishAll();
      supervision_->BeginDrain();
      world_.on_drain();
    };
    const int code =
        RunDrain(config, world_, trigger,
                 {planes_.data(), planes_.admin(), planes_.probe(), planes_.acceptor(),
                  *supervision_, report_, begin, [this] { return component_failed_.load(); }});
    AwaitBlocking(code);
    MutexLock lock(mutex_);
    trigger_ = nullptr;
    return code;
  }

  const std::vector<std::string>& data_addresses() const { return planes_.data().addresses(); }
  const std::vector<std::string>& admin_addresses() const { return planes_.admin().addresses(); }

  HostStatus Status() const {
    HostStatus status;
    if (const auto phase = report_.phase(); phase.has_value()) status.drain = Name(phase->first);
    const Supervision* const supervision = this->supervision();
    if (supervision == nullptr) return status;
    status.alive = health_table_->alive();
    status.ready = health_table_->ready();
    const ComponentTable& table = supervision->table();
    for (const size_t each : table.numbers()) {
      ++status.components;
      if (table.state(each) == LifecycleState::kRunning) ++status.running;
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
    if (const rpc::Plane* plane = planes_.FindStuck()) stuck = plane->name().c_str();
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

  absl::Status Check() const {
    Problems problems;
    CheckConfig(types_, config_, problems);
    CheckPaths(config_, problems);
    return problems.status();
  }

  absl::Status StartPlanes(DrainTrigger& trigger) {
    auto guard = Guard(trigger, kNever);
    absl::Status status = guard.status();
    if (status.ok()) status = Supervise();
    if (!status.ok()) return status;
    status = planes_.Listen();
    if (!status.ok()) return status;
    guard->reset();
    guard = Guard(trigger, After(world_.time->Now(), kPlanesTimeout));
    status = guard.status();
    if (status.ok()) status = planes_.Serve(types_, *supervision_, *reconfiguration_, *health_);
    return status;
  }

  absl::Status Supervise() {
    absl::StatusOr<RevisionStore> store = OpenStore();
    if (!store.ok()) return store.status();
    // What was accepted before holds again.
    SectionsInForce sections(config_, SectionsOf(types_));
    Restore(*store, sections);
    std::vector<SupervisedComponent> components;
    for (ComponentConfig& component : Replicated(config_.components)) {
      component.config = sections.at(ConfiguredName(component)).value;
      components.push_back(Make(component, types_, *world_.time));
    }
    auto supervision = Supervision::Launch(std::move(components), OptionsOfSupervision());
    if (!supervision.ok()) return supervision.status();
    auto reconfiguration = Reconfiguration::Launch(
        {(*supervision)->table(), *world_.log,
         [supervision = supervision->get()](size_t component, const std::string& why) {
           supervision->Restart(component, why);
         },
         Membership::ControlOf(**supervision),
         [this](const HostConfig& config) { SetCurrent(config); }, HostNow(), source_,
         std::move(sections), *std::move(store), [this] { return report_.phase().has_value(); },
         config_.max_lifecycle_watchers},
        {*world_.time, (*supervision)->table(), blocking_}, world_.launch);
    if (!reconfiguration.ok()) return reconfiguration.status();
    // Nothing is told of before something is started.
    health_table_.emplace((*supervision)->table(), [this, supervision = supervision->get()] {
      return IsAlive(*supervision);
    });
    health_.emplace(*health_table_, config_.max_health_watchers);
    MutexLock lock(mutex_);
    supervision_ = *std::move(supervision);
    reconfiguration_ = *std::move(reconfiguration);
    if (abandoned_) supervision_->AbandonStart();
    return absl::OkStatus();
  }

  // In memory, where there is no directory for it.
  absl::StatusOr<RevisionStore> OpenStore() {
    if (config_.state_dir.empty()) return RevisionStore();
    if (source_.restored != nullptr && source_.restored->store.has_value()) {
      return *source_.restored->store;
    }
    std::vector<std::string> complaints;
    absl::StatusOr<RevisionStore> store = RevisionStore::Open(config_.state_dir, complaints);
    for (const std::string& each : complaints) {
      world_.log->Error("configuration", {{"set_aside", each}});
    }
    return store;
  }

  HostInForce HostNow() const {
    if (source_.restored != nullptr) return source_.restored->host;
    return HostInForce({config_, {}});
  }

  // What may be the reason where the file is right and the start fails.
  std::string OfRevisions() const {
    if (restored_.empty()) return "";
    return absl::StrCat("; from ", config_.state_dir, " are: ", restored_,
                        "; --state-dir= leaves them out");
  }

  void Restore(const RevisionStore& store, SectionsInForce& sections) {
    if (store.latest() == nullptr) return;
    for (const std::string& each : sections.Restore(*store.latest())) {
      world_.log->Warning("configuration", {{"warning", each}});
    }
    std::vector<std::string> restored = sections.OfRevisions();
    if (const HostInForce host = HostNow(); !host.is_the_files) {
      restored.insert(restored.begin(), absl::StrCat("the host (revision ", host.revision, ")"));
    }
    restored_ = absl::StrJoin(restored, ", ");
    if (restored_.empty()) return;
    world_.log->Info("revisions", {{"in_force", restored_}, {"from", config_.state_dir}});
  }

  HostConfig current() const {
    MutexLock lock(mutex_);
    return current_;
  }
  void SetCurrent(const HostConfig& config) {
    MutexLock lock(mutex_);
    current_ = config;
  }

  SupervisionOptions OptionsOfSupervision() {
    SupervisionOptions options;
    options.time = world_.time;
    options.log = world_.log;
    options.random = world_.random;
    options.launch = world_.launch;
    options.blocking = &blocking_;
    options.incarnation = absl::StrCat(
        absl::Hex(static_cast<uint64_t>(world_.random() * 4294967296.0), absl::kZeroPad8));
    options.version = MAINSPRING_VERSION;
    options.event_history = config_.event_history;
    options.max_watchers = config_.max_lifecycle_watchers;
    options.health = MakeHealthHooks();
    options.host = MakeHostControl();
    options.make = [this](const ComponentConfig& config) {
      return Make(config, types_, *world_.time);
    };
    options.on_join = [this](size_t component, const ComponentConfig& config) {
      const ComponentTable& table = supervision()->table();
      planes_.AddComponent(TypeOf(config, types_), table.mailbox_of(component),
                           table.replica_set(component));
    };
    options.on_leave = [this](const ComponentConfig& config) {
      planes_.RemoveComponent(TypeOf(config, types_), config.name);
    };
    options.on_supervisor_failure = [this](const std::string& what) {
      EndByForce(world_, report_, "", absl::StrCat("the supervisor failed: ", what).c_str(),
                 [this] { return WhoIsStuck(); });
    };
    return options;
  }

  HealthHooks MakeHealthHooks() {
    HealthHooks hooks;
    hooks.on_change = [this](size_t component) {
      return health_->Publish(health_table_->Update(component));
    };
    hooks.on_stall = [this](size_t component, bool past_limit) {
      health_->Publish(health_table_->SetPastLimit(component, past_limit));
    };
    hooks.on_essential_failure = [this](const std::string& reason) {
      component_failed_.store(true);
      Pull(DrainTrigger::kDrain, reason);
    };
    return hooks;
  }

  HostControl MakeHostControl() {
    HostControl control;
    control.drain = [this] { PullByOperator(DrainTrigger::kDrain, "Lifecycle.Drain"); };
    control.shut_down_now = [this] {
      PullByOperator(DrainTrigger::kStopNow, "Lifecycle.ShutdownNow");
    };
    control.draining = [this] { return report_.phase().has_value(); };
    control.drain_progress = [this] { return DrainProgress(); };
    return control;
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
      progress.set_phase(ToProto(phase->first));
      ToProto(Between(phase->second, world_.time->Now()), *progress.mutable_in_phase());
    }
    progress.set_open_connections(static_cast<uint32_t>(planes_.data().door().CountConnections()));
    progress.set_calls_in_flight(planes_.data().calls_in_flight());
    MutexLock lock(mutex_);
    if (trigger_ != nullptr) progress.set_trigger(trigger_->reason());
    return progress;
  }

  // Ends what was started, without ceremony.
  void Abandon() {
    running_ = false;
    planes_.Abandon();
    if (supervision_ == nullptr) return;
    const StopReport stopped = supervision_->Stop();
    // Waiting for a thread that does not come back would be for ever.
    if (!stopped.stuck.empty()) {
      EndByForce(world_, report_, "", "a component's thread does not come back",
                 [&] { return stopped.stuck; });
    }
    AwaitBlocking(kExitForced);
  }

  // Before the mailboxes go that it may answer to. Nobody is left who waits for it, and it cannot
  // be interrupted.
  void AwaitBlocking(int code) {
    if (blocking_.DropAndAwait(After(std::chrono::steady_clock::now(), config_.exit_margin)))
      return;
    world_.log->Error("stall", {{"thread", "blocking"}, {"state", "stuck"}});
    world_.terminate(code);
  }

  const std::vector<ComponentType> types_;
  const HostConfig config_;  // as it was started
  ConfigSource source_;
  const World world_;
  std::atomic<bool> component_failed_{false};
  std::atomic<bool> stuck_told_{false};
  DrainReport report_;
  std::string restored_;  // whose sections are those of revisions, for people
  bool running_ = false;

  // What other threads than the host's want of it.
  mutable Mutex mutex_;
  HostConfig current_ ABSL_GUARDED_BY(mutex_) = config_;
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  // That were wanted before.
  std::vector<std::pair<std::string, std::shared_ptr<void>>> reloads_ ABSL_GUARDED_BY(mutex_);
  DrainTrigger* trigger_ ABSL_GUARDED_BY(mutex_) = nullptr;
  int pulls_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string why_pulled_ ABSL_GUARDED_BY(mutex_);

  BlockingPool blocking_{config_.blocking_threads};
  Planes planes_{config_, *world_.time, *world_.log};
  // After the planes, and so gone before them: replies and streams that these still hold belong to
  // a plane.
  std::optional<HealthTable> health_table_;
  std::optional<HealthServicer> health_;
  std::unique_ptr<Supervision> supervision_;
  std::unique_ptr<Reconfiguration> reconfiguration_;
};

Host::Host(std::vector<ComponentType> types, HostConfig config, World world)
    : impl_(std::make_unique<Impl>(std::move(types), std::move(config), std::move(world))) {}

Host::~Host() = default;

absl::Status Host::Start(DrainTrigger& trigger) { return impl_->Start(trigger); }
absl::Status Host::Start() {
  DrainTrigger trigger;
  return Start(trigger);
}
void Host::AbandonStart() { impl_->AbandonStart(); }
int Host::Run(DrainTrigger& trigger) { return impl_->Run(trigger); }
void Host::SetSource(ConfigSource source) { impl_->SetSource(std::move(source)); }
void Host::Reload(std::string author, std::shared_ptr<void> done) {
  impl_->Reload(std::move(author), std::move(done));
}
const std::vector<std::string>& Host::data_addresses() const { return impl_->data_addresses(); }
const std::vector<std::string>& Host::admin_addresses() const { return impl_->admin_addresses(); }
HostStatus Host::Status() const { return impl_->Status(); }
void Host::LogStates() const { impl_->LogStates(); }

}  // namespace mainspring
