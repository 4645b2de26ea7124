// Supervision: runs a host's components, and the component that answers Lifecycle, on whose thread
// the supervisor lives. Whoever is on another thread talks to the supervisor through this.
#ifndef MAINSPRING_SERVER_LIFECYCLE_SUPERVISION_H_
#define MAINSPRING_SERVER_LIFECYCLE_SUPERVISION_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/component.h"
#include "mainspring/runner.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/lifecycle/host_control.h"
#include "mainspring/server/lifecycle/lifecycle.h"
#include "mainspring/server/supervisor/supervisor.h"

namespace mainspring {

// What is supervised: a component, and how it is made.
struct SupervisedComponent {
  ComponentConfig config;
  std::vector<std::string> services;
  ComponentFactory make;
  std::shared_ptr<MailboxBase> mailbox;
};

struct SupervisionOptions {
  const TimeSource* time = &TimeSource::Real();
  EventLog* log = &EventLog::Silent();
  HealthHooks health;
  HostControl host;
  // The supervisor itself failed: nothing is supervised any more.
  std::function<void(const std::string& what)> on_supervisor_failure;
  std::function<double()> random;
  // Tells this host's sequence numbers from those of its next start.
  std::string incarnation;
  std::string version;
  size_t event_history = 10'000;
  size_t max_watchers = 1000;
  // Where components' blocking work is done.
  Blocking* blocking = &Blocking::AtOnce();
  // Makes what turns the control loops.
  Launch launch;
};

// Made and destroyed by one thread; the rest, any thread.
class Supervision final {
 public:
  // Starts the threads; no component is started yet.
  // INVALID_ARGUMENT: the dependencies. RESOURCE_EXHAUSTED: no more threads.
  static absl::StatusOr<std::unique_ptr<Supervision>> Launch(
      std::vector<SupervisedComponent> components, SupervisionOptions options);

  // Blocks until every thread has ended. Stop comes first.
  ~Supervision();
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;

  const ComponentTable& table() const { return table_; }
  // For whoever gives components another section.
  ComponentTable& table() { return table_; }
  const DependencyGraph& graph() const { return graph_; }
  // Where Lifecycle is asked.
  const std::shared_ptr<MailboxBase>& mailbox() const { return mailbox_; }

  // Starts the components; see Supervisor::StartAll. `done` runs on the supervisor's thread.
  void BeginStart(Supervisor::StartCallback done);
  void BeginStop(Supervisor::StopCallback done);
  void BeginEndDrainStreams(Callback done);
  // The same, and blocks for the outcome. Not on the supervisor's thread. `begun` runs once the
  // components that wait for nobody take calls; what it returns, if it is not OK, counts.
  absl::Status Start(const std::function<absl::Status()>& begun = [] { return absl::OkStatus(); });
  StopReport Stop();
  void EndDrainStreams();
  // See Supervisor and Lifecycle. Do not block.
  void AbandonStart();
  void EndPauses();
  void BeginDrain();
  // Answers once the supervisor has heard all that it was told before.
  void Pass(Reply<Nothing> reply);
  // As an operator does, but without a lame duck, and only where it is wanted up.
  void Restart(size_t component, const std::string& why);

  // Whether the supervisor's own thread is in one call for longer than any should take.
  bool IsStuck() const;

 private:
  Supervision(DependencyGraph graph, SupervisionOptions options);

  absl::Status LaunchAll(std::vector<SupervisedComponent> components);
  // Has it done on the supervisor's thread.
  void Tell(absl::AnyInvocable<void(Lifecycle&)> what);

  // Hears of one component, and tells the supervisor.
  class Reporter final : public LifecycleObserver {
   public:
    Reporter(Supervision& supervision, size_t component)
        : supervision_(supervision), component_(component) {}
    void OnStarted(const std::string&, uint64_t generation, const absl::Status& status) override;
    void OnStopped(const std::string&, uint64_t generation, size_t refused) override;
    void OnFailed(const std::string&, uint64_t generation, const Failure& failure) override;
    void OnCallFailed(const std::string& component, uint64_t, const Failure& failure) override;
    void OnMisuse(const std::string& component, uint64_t, const std::string& what) override;
    void OnServing(const std::string&, uint64_t generation, bool serving,
                   const std::string& why) override;
    void OnFinished(const std::string&, uint64_t generation) override;

   private:
    Supervision& supervision_;
    const size_t component_;
  };

  // Hears of the supervisor itself.
  class SelfReporter final : public LifecycleObserver {
   public:
    explicit SelfReporter(Supervision& supervision) : supervision_(supervision) {}
    void OnFailed(const std::string&, uint64_t, const Failure& failure) override;

   private:
    Supervision& supervision_;
  };

  const SupervisionOptions options_;
  const DependencyGraph graph_;
  ComponentTable table_;
  SelfReporter self_{*this};
  std::deque<Reporter> reporters_;
  const std::shared_ptr<MailboxBase> mailbox_;
  Lifecycle* lifecycle_ = nullptr;  // supervisor's thread only

  // Last: the threads use all of the above. The supervisor's ends first, for it looks at the
  // others.
  std::vector<std::unique_ptr<Runner>> runners_;
  std::unique_ptr<Runner> runner_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_SUPERVISION_H_
