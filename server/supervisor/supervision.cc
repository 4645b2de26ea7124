#include "server/supervisor/supervision.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/mutex.h"

namespace mainspring {
namespace {

// The supervisor answers nothing that takes this long.
constexpr absl::Duration kStuck = absl::Seconds(60);
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

// By configuration, or because an essential component cannot do without it.
std::vector<bool> EssentialOf(const std::vector<SupervisedComponent>& components,
                              const DependencyGraph& graph) {
  std::vector<bool> essential;
  essential.reserve(components.size());
  for (const SupervisedComponent& component : components) {
    essential.push_back(component.config.essential);
  }
  for (auto each = graph.order().rbegin(); each != graph.order().rend(); ++each) {
    if (!essential[*each]) continue;
    for (const auto& edge : graph.dependencies(*each)) {
      if (edge.hard) essential[edge.component] = true;
    }
  }
  return essential;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Supervision>> Supervision::Launch(
    std::vector<SupervisedComponent> components, SupervisionOptions options) {
  std::vector<ComponentConfig> configs;
  configs.reserve(components.size());
  for (const SupervisedComponent& component : components) configs.push_back(component.config);
  absl::StatusOr<DependencyGraph> graph = DependencyGraph::Build(configs);
  if (!graph.ok()) return graph.status();
  const std::vector<bool> essential = EssentialOf(components, *graph);
  std::unique_ptr<Supervision> supervision(new Supervision(*std::move(graph), std::move(options)));
  for (size_t i = 0; i < components.size(); ++i) {
    supervision->table_.Add(components[i].config, components[i].service, essential[i],
                            components[i].mailbox);
  }
  if (absl::Status launched = supervision->LaunchAll(std::move(components)); !launched.ok()) {
    return launched;
  }
  return supervision;
}

Supervision::Supervision(DependencyGraph graph, SupervisionOptions options)
    : options_(std::move(options)),
      graph_(std::move(graph)),
      table_(*options_.time),
      mailbox_(std::make_shared<Mailbox<lifecycle::v1::LifecycleRequest>>(
          kSupervisorName, MailboxOptions(), *options_.time)) {}

Supervision::~Supervision() {
  // Asked all together first, so that they end side by side.
  for (size_t i = 0; i < runners_.size(); ++i) table_.mailbox(i).PushControl(control::Quit{});
}

absl::Status Supervision::LaunchAll(std::vector<SupervisedComponent> components) {
  const SupervisorParts parts{table_,
                              graph_,
                              *options_.log,
                              options_.control,
                              options_.random,
                              options_.incarnation,
                              options_.version,
                              options_.time->WallNow(),
                              options_.event_history,
                              options_.max_watchers};
  auto runner = options_.launch(
      mailbox_,
      [this, parts](Context& context) {
        auto supervisor = std::make_unique<Supervisor>(context, parts);
        supervisor_ = supervisor.get();
        return supervisor;
      },
      *options_.time, table_, self_);
  if (!runner.ok()) return runner.status();
  runner_ = *std::move(runner);
  for (size_t i = 0; i < components.size(); ++i) {
    runner = options_.launch(components[i].mailbox, std::move(components[i].make), *options_.time,
                             table_, *this);
    if (!runner.ok()) return runner.status();
    runners_.push_back(*std::move(runner));
    table_.SetRunner(i, *runners_.back());
  }
  mailbox_->Open();
  mailbox_->PushControl(control::Start{kGeneration});
  return absl::OkStatus();
}

void Supervision::Tell(absl::AnyInvocable<void(Supervisor&)> what) {
  mailbox_->Post(kGeneration, [this, what = std::move(what)]() mutable { what(*supervisor_); });
}

void Supervision::BeginStart(Supervisor::StartCallback done) {
  Tell([done = std::move(done)](Supervisor& supervisor) mutable {
    supervisor.StartAll(std::move(done));
  });
}

void Supervision::BeginStop(Supervisor::StopCallback done) {
  Tell([done = std::move(done)](Supervisor& supervisor) mutable {
    supervisor.StopAll(std::move(done));
  });
}

void Supervision::BeginEndDrainStreams(Callback done) {
  Tell([done = std::move(done)](Supervisor& supervisor) mutable {
    supervisor.EndDrainStreams();
    done();
  });
}

absl::Status Supervision::Start() {
  Outcome<absl::Status> outcome;
  BeginStart([&](absl::Status status) { outcome.Give(std::move(status)); });
  return outcome.Await();
}

StopReport Supervision::Stop() {
  Outcome<StopReport> outcome;
  BeginStop([&](StopReport report) { outcome.Give(std::move(report)); });
  return outcome.Await();
}

void Supervision::AbandonStart() {
  Tell([](Supervisor& supervisor) { supervisor.AbandonStart(); });
}

void Supervision::EndPauses() {
  Tell([](Supervisor& supervisor) { supervisor.EndPauses(); });
}

void Supervision::EndDrainStreams() {
  Outcome<bool> outcome;
  BeginEndDrainStreams([&] { outcome.Give(true); });
  outcome.Await();
}

bool Supervision::IsStuck() const {
  const ThreadStatus& status = mailbox_->thread_status();
  return status.doing() != nullptr && Between(status.since(), options_.time->Now()) > kStuck;
}

void Supervision::OnStarted(const std::string& component, uint64_t generation,
                            const absl::Status& status) {
  Tell([number = *table_.NumberOf(component), generation, status = OwnCopy(status)](
           Supervisor& supervisor) { supervisor.Started(number, generation, status); });
}

void Supervision::OnStopped(const std::string& component, uint64_t generation, size_t refused) {
  Tell([number = *table_.NumberOf(component), generation, refused](Supervisor& supervisor) {
    supervisor.Stopped(number, generation, refused);
  });
}

void Supervision::OnFailed(const std::string& component, uint64_t generation,
                           const Failure& failure) {
  Tell([number = *table_.NumberOf(component), generation, failure](Supervisor& supervisor) {
    supervisor.Failed(number, generation, failure);
  });
}

void Supervision::OnFinished(const std::string& component, uint64_t generation) {
  Tell([number = *table_.NumberOf(component), generation](Supervisor& supervisor) {
    supervisor.Finished(number, generation);
  });
}

}  // namespace mainspring
