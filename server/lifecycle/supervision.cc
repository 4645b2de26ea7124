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
    supervision->table_.Add(components[i].config, components[i].services, essential[i],
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
  const Lifecycle::Options options{
      .supervisor = {.table = table_,
                     .graph = graph_,
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
  const Surroundings surroundings{*options_.time, table_, *options_.blocking};
  auto runner = options_.launch(
      mailbox_,
      [this, options](Context& context) {
        auto lifecycle = std::make_unique<Lifecycle>(context, options);
        lifecycle_ = lifecycle.get();
        return lifecycle;
      },
      surroundings, self_);
  if (!runner.ok()) return runner.status();
  runner_ = *std::move(runner);
  for (size_t i = 0; i < components.size(); ++i) {
    runner = options_.launch(components[i].mailbox, std::move(components[i].make), surroundings,
                             reporters_.emplace_back(*this, i));
    if (!runner.ok()) return runner.status();
    runners_.push_back(*std::move(runner));
    table_.SetRunner(i, *runners_.back());
  }
  mailbox_->Open();
  mailbox_->PushControl(control::Start{kGeneration});
  return absl::OkStatus();
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
