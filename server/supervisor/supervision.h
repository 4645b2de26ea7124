// Supervision: the components of a host with what runs them, and the supervisor with its own.
// Whoever is not the supervisor talks to it through this.
#ifndef MAINSPRING_SERVER_SUPERVISOR_SUPERVISION_H_
#define MAINSPRING_SERVER_SUPERVISOR_SUPERVISION_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mainspring/component.h"
#include "mainspring/runner.h"
#include "server/config/host_config.h"
#include "server/supervisor/supervisor.h"

namespace mainspring {

// What is supervised: a component, and how it is made.
struct SupervisedComponent {
  ComponentConfig config;
  std::string service;
  ComponentFactory make;
  std::shared_ptr<MailboxBase> mailbox;
};

struct SupervisionOptions {
  const TimeSource* time = &TimeSource::Real();
  EventLog* log = &EventLog::Silent();
  HostControl control;
  // The supervisor itself failed: nothing is supervised any more.
  std::function<void(const std::string& what)> on_supervisor_failure;
  std::function<double()> random;
  std::string incarnation;
  std::string version;
  size_t event_history = 10'000;
  size_t max_watchers = 1000;
  // Makes what turns the control loops.
  Launch launch;
};

// Made and destroyed by one thread; the rest, any thread.
class Supervision final : private LifecycleObserver {
 public:
  // Starts the threads; no component is started yet.
  // INVALID_ARGUMENT: the dependencies. RESOURCE_EXHAUSTED: no more threads.
  static absl::StatusOr<std::unique_ptr<Supervision>> Launch(
      std::vector<SupervisedComponent> components, SupervisionOptions options);

  // Blocks until every thread has ended. Stop comes first.
  ~Supervision() override;

  const ComponentTable& table() const { return table_; }
  const DependencyGraph& graph() const { return graph_; }
  // Where Lifecycle is asked.
  const std::shared_ptr<MailboxBase>& mailbox() const { return mailbox_; }

  // Starts the components; see Supervisor::StartAll. `done` runs on the supervisor's thread.
  void BeginStart(Supervisor::StartCallback done);
  void BeginStop(Supervisor::StopCallback done);
  void BeginEndDrainStreams(Callback done);
  // The same, and blocks for the outcome. Not on the supervisor's thread.
  absl::Status Start();
  StopReport Stop();
  void EndDrainStreams();
  // See Supervisor. Do not block.
  void AbandonStart();
  void EndPauses();

  // Whether the supervisor's own thread is in one call for longer than any should take.
  bool IsStuck() const;

 private:
  Supervision(DependencyGraph graph, SupervisionOptions options);

  absl::Status LaunchAll(std::vector<SupervisedComponent> components);
  // Has it done on the supervisor's thread.
  void Tell(absl::AnyInvocable<void(Supervisor&)> what);

  void OnStarted(const std::string& component, uint64_t generation,
                 const absl::Status& status) override;
  void OnStopped(const std::string& component, uint64_t generation, size_t refused) override;
  void OnFailed(const std::string& component, uint64_t generation, const Failure& failure) override;
  void OnFinished(const std::string& component, uint64_t generation) override;

  // Hears of the supervisor.
  struct SelfObserver final : LifecycleObserver {
    explicit SelfObserver(Supervision& supervision) : supervision(supervision) {}
    void OnStarted(const std::string&, uint64_t, const absl::Status&) override {}
    void OnStopped(const std::string&, uint64_t, size_t) override {}
    void OnFailed(const std::string&, uint64_t, const Failure& failure) override {
      supervision.options_.on_supervisor_failure(absl::StrCat(failure.during, ": ", failure.error));
    }
    void OnFinished(const std::string&, uint64_t) override {}
    Supervision& supervision;
  };

  const SupervisionOptions options_;
  const DependencyGraph graph_;
  ComponentTable table_;
  SelfObserver self_{*this};
  const std::shared_ptr<MailboxBase> mailbox_;
  Supervisor* supervisor_ = nullptr;  // supervisor's thread only

  // Last: the threads use all of the above. The supervisor's ends first, for it looks at the
  // others.
  std::vector<std::unique_ptr<Runner>> runners_;
  std::unique_ptr<Runner> runner_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_SUPERVISION_H_
