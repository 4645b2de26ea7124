#include "mainspring/server/lifecycle/supervision.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/mutex.h"

namespace mainspring {
namespace {

// The supervisor answers nothing that takes this long.
constexpr absl::Duration kStuckAfter = absl::Seconds(60);
constexpr uint64_t kGeneration = 1;

// A result that one thread gives and another waits for.
template <class T>
class Outcome {
 public:
  void Give(T value) {
    MutexLock lock(mutex_);
    value_ = std::move(value);
    given_.NotifyAll();
  }
  T Await() {
    MutexLock lock(mutex_);
    while (!value_.has_value()) given_.Wait(mutex_);
    return *std::move(value_);
  }

 private:
  Mutex mutex_;
  CondVar given_;
  std::optional<T> value_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Supervision>> Supervision::Launch(
    std::vector<SupervisedComponent> components, SupervisionOptions options) {
  std::vector<ComponentConfig> configs;
  configs.reserve(components.size());
  for (const SupervisedComponent& component : components) configs.push_back(component.config);
  absl::StatusOr<DependencyGraph> graph = DependencyGraph::Build(configs);
  if (!graph.ok()) return graph.status();
  std::unique_ptr<Supervision> supervision(new Supervision(std::move(options)));
  std::vector<bool> essential;
  for (const ComponentConfig& each : configs) essential.push_back(each.essential);
  essential = graph->Essential(std::move(essential));
  for (const SupervisedComponent& each : components) {
    const size_t number =
        supervision->table_.Add(each.config, each.services, each.mailbox, each.set);
    supervision->table_.SetEssential(number, essential[number]);
  }
  if (absl::Status launched = supervision->LaunchAll(std::move(components), *std::move(graph));
      !launched.ok()) {
    return launched;
  }
  return supervision;
}

Supervision::Supervision(SupervisionOptions options)
    : options_(std::move(options)),
      table_(*options_.time),
      surroundings_{*options_.time, table_, *options_.blocking},
      mailbox_(std::make_shared<Mailbox<lifecycle::v1::LifecycleRequest>>(
          kSupervisorName, MailboxOptions(), *options_.time)) {}

Supervision::~Supervision() {
  MutexLock lock(mutex_);
  // Asked all together first, so that they end side by side.
  for (size_t i = 0; i < runners_.size(); ++i) {
    if (runners_[i] != nullptr) table_.mailbox(i).PushControl(control::Quit{});
  }
}

absl::Status Supervision::LaunchAll(std::vector<SupervisedComponent> components,
                                    DependencyGraph graph) {
  const Lifecycle::Options options{
      .supervisor = {.table = table_,
                     .graph = std::move(graph),
                     .log = *options_.log,
                     .health = options_.health,
                     .random = options_.random},
      .host = options_.host,
      .incarnation = options_.incarnation,
      .version = options_.version,
      .start_time = options_.time->WallNow(),
      .event_history = options_.event_history,
      .max_watchers = options_.max_watchers,
  };
  auto runner = options_.launch(
      mailbox_,
      [this, options](Context& context) {
        auto lifecycle = std::make_unique<Lifecycle>(context, options);
        lifecycle_ = lifecycle.get();
        return lifecycle;
      },
      surroundings_, self_);
  if (!runner.ok()) return runner.status();
  runner_ = *std::move(runner);
  for (size_t i = 0; i < components.size(); ++i) {
    runner = LaunchOne(i, components[i].mailbox, std::move(components[i].make));
    if (!runner.ok()) return runner.status();
    Keep(i, *std::move(runner));
  }
  mailbox_->Open();
  mailbox_->PushControl(control::Start{kGeneration});
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Runner>> Supervision::LaunchOne(size_t component,
                                                               std::shared_ptr<MailboxBase> mailbox,
                                                               ComponentFactory make) {
  Reporter* reporter;
  {
    MutexLock lock(mutex_);
    reporter = &reporters_.try_emplace(component, *this, component).first->second;
  }
  return options_.launch(std::move(mailbox), std::move(make), surroundings_, *reporter);
}

void Supervision::Keep(size_t component, std::unique_ptr<Runner> runner) {
  table_.SetRunner(component, runner.get());
  MutexLock lock(mutex_);
  if (runners_.size() <= component) runners_.resize(component + 1);
  // There was none.
  runners_[component].swap(runner);
}

bool Supervision::IsRun(size_t component) const {
  MutexLock lock(mutex_);
  return component < runners_.size() && runners_[component] != nullptr;
}

void Supervision::Adopt(const std::vector<ComponentConfig>& wanted, Reply<Nothing> reply) {
  Supervisor::Roster roster;
  Runners runners;
  size_t next = table_.size();
  for (const ComponentConfig& config : wanted) {
    if (const std::optional<size_t> number = table_.NumberOf(config.name)) {
      roster.staying.emplace_back(*number, config);
      continue;
    }
    SupervisedComponent joining = options_.make(config);
    const std::optional<size_t> last = table_.LastNumberOf(config.name);
    const size_t number = last.has_value() ? *last : next++;
    const bool is_again = last.has_value() && table_.config(number).type == config.type;
    // Whoever has kept a ref of it reaches it again.
    if (is_again) joining.mailbox = table_.mailbox_of(number);
    roster.joining.push_back(
        {config, std::move(joining.services), joining.mailbox, std::move(joining.set)});
    if (IsRun(number)) {
      if (is_again) continue;
      return reply.Fail(absl::FailedPreconditionError(
          absl::StrCat("component \"", config.name,
                       "\": a thread of one of that name, of another type, does not come back")));
    }
    joining.mailbox->BeginControl();
    auto runner = LaunchOne(number, joining.mailbox, std::move(joining.make));
    if (!runner.ok()) return reply.Fail(runner.status());
    runners.emplace_back(number, *std::move(runner));
  }
  Tell([this, roster = std::move(roster), runners = std::move(runners),
        reply = std::move(reply)](Lifecycle& lifecycle) mutable {
    if (absl::Status adopted = lifecycle.supervisor().Adopt(roster); !adopted.ok()) {
      return reply.Fail(std::move(adopted));
    }
    for (auto& [number, runner] : runners) Keep(number, std::move(runner));
    for (const auto& each : roster.joining) {
      options_.on_join(table_.NumberOf(each.config.name).value(), each.config);
    }
    reply.Send(Nothing());
  });
}

void Supervision::Forget(size_t component, Reply<Nothing> reply) {
  Tell([this, component, reply = std::move(reply)](Lifecycle& lifecycle) mutable {
    options_.on_leave(table_.config(component));
    lifecycle.supervisor().Forget(component);
    reply.Send(Nothing());
  });
}

void Supervision::EndThread(size_t component) {
  // One that does not come back is kept, as are those of components that are here.
  if (table_.mailbox(component).thread_status().doing() != nullptr) return;
  table_.SetRunner(component, nullptr);
  std::unique_ptr<Runner> ended;
  MutexLock lock(mutex_);
  if (component < runners_.size()) ended.swap(runners_[component]);
}

void Supervision::Tell(absl::AnyInvocable<void(Lifecycle&)> what) {
  mailbox_->Post(kGeneration, [this, what = std::move(what)]() mutable { what(*lifecycle_); });
}

void Supervision::BeginStart(Supervisor::StartCallback done) {
  Tell([done = std::move(done)](Lifecycle& lifecycle) mutable {
    lifecycle.supervisor().StartAll(std::move(done));
  });
}

void Supervision::BeginStop(Supervisor::StopCallback done) {
  Tell([done = std::move(done)](Lifecycle& lifecycle) mutable {
    lifecycle.supervisor().StopAll(std::move(done));
  });
}

void Supervision::BeginEndDrainStreams(Callback done) {
  Tell([done = std::move(done)](Lifecycle& lifecycle) mutable {
    lifecycle.EndDrainStreams();
    done();
  });
}

absl::Status Supervision::Start(const std::function<absl::Status()>& begun) {
  Outcome<absl::Status> outcome;
  BeginStart([&](absl::Status status) { outcome.Give(std::move(status)); });
  Outcome<bool> has_begun;
  Tell([&](Lifecycle&) { has_begun.Give(true); });
  has_begun.Await();
  absl::Status status = begun();
  if (!status.ok()) AbandonStart();
  status.Update(outcome.Await());
  return status;
}

StopReport Supervision::Stop() {
  Outcome<StopReport> outcome;
  BeginStop([&](StopReport report) { outcome.Give(std::move(report)); });
  return outcome.Await();
}

void Supervision::AbandonStart() {
  Tell([](Lifecycle& lifecycle) { lifecycle.supervisor().AbandonStart(); });
}

void Supervision::EndPauses() {
  Tell([](Lifecycle& lifecycle) { lifecycle.EndPauses(); });
}

void Supervision::BeginDrain() {
  Tell([](Lifecycle& lifecycle) { lifecycle.supervisor().DrainHost(); });
}

void Supervision::Pass(Reply<Nothing> reply) {
  Tell([reply = std::move(reply)](Lifecycle&) mutable { reply.Send(Nothing()); });
}

void Supervision::Restart(size_t component, const std::string& why) {
  Tell([component, why](Lifecycle& lifecycle) {
    Supervisor& supervisor = lifecycle.supervisor();
    if (!supervisor.engine().is_wanted(component)) return;
    supervisor.WantRestart(component, why);
    supervisor.Settle();
  });
}

void Supervision::EndDrainStreams() {
  Outcome<bool> outcome;
  BeginEndDrainStreams([&] { outcome.Give(true); });
  outcome.Await();
}

bool Supervision::IsStuck() const {
  const ThreadStatus& status = mailbox_->thread_status();
  return status.doing() != nullptr && Between(status.since(), options_.time->Now()) > kStuckAfter;
}

void Supervision::Reporter::OnStarted(const std::string&, uint64_t generation,
                                      const absl::Status& status) {
  supervision_.Tell(
      [component = component_, generation, status = OwnCopy(status)](Lifecycle& lifecycle) {
        lifecycle.supervisor().Started(component, generation, status);
      });
}

void Supervision::Reporter::OnStopped(const std::string&, uint64_t generation, size_t refused) {
  supervision_.Tell([component = component_, generation, refused](Lifecycle& lifecycle) {
    lifecycle.supervisor().Stopped(component, generation, refused);
  });
}

void Supervision::Reporter::OnFailed(const std::string&, uint64_t generation,
                                     const Failure& failure) {
  supervision_.Tell([component = component_, generation, failure](Lifecycle& lifecycle) {
    lifecycle.supervisor().Failed(component, generation, failure);
  });
}

// On the component's own thread: nothing follows from it, and whoever makes it throw makes it throw
// again.
void Supervision::Reporter::OnCallFailed(const std::string& component, uint64_t,
                                         const Failure& failure) {
  supervision_.options_.log->Error("failure", {{"component", component},
                                               {"during", failure.during},
                                               {"cost", "call"},
                                               {"request_id", failure.request_id},
                                               {"what", failure.error}});
}

void Supervision::Reporter::OnMisuse(const std::string& component, uint64_t,
                                     const std::string& what) {
  supervision_.options_.log->Warning("misuse", {{"component", component}, {"what", what}});
}

void Supervision::Reporter::OnServing(const std::string&, uint64_t generation, bool serving,
                                      const std::string& why) {
  supervision_.Tell([component = component_, generation, serving, why](Lifecycle& lifecycle) {
    lifecycle.supervisor().SetServing(component, generation, serving, why);
  });
}

void Supervision::Reporter::OnFinished(const std::string&, uint64_t generation) {
  supervision_.Tell([component = component_, generation](Lifecycle& lifecycle) {
    lifecycle.supervisor().Finished(component, generation);
  });
}

void Supervision::SelfReporter::OnFailed(const std::string&, uint64_t, const Failure& failure) {
  supervision_.options_.on_supervisor_failure(absl::StrCat(failure.during, ": ", failure.error));
}

}  // namespace mainspring
