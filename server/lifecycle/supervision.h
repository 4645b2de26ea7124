// Supervision: runs a host's components, and the component that answers Lifecycle, on whose thread
// the supervisor lives. Whoever is on another thread talks to the supervisor through this.
#ifndef MAINSPRING_SERVER_LIFECYCLE_SUPERVISION_H_
#define MAINSPRING_SERVER_LIFECYCLE_SUPERVISION_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/component.h"
#include "mainspring/mutex.h"
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
  // For one of several replicas: what all of them are called by, where there is none yet.
  std::shared_ptr<AnyReplicaSet> set = nullptr;
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
  // What a component that joins while the host runs is made of.
  std::function<SupervisedComponent(const ComponentConfig& config)> make;
  // It has joined, or has left. Called on the supervisor's thread; must not block.
  std::function<void(size_t component, const ComponentConfig& config)> on_join =
      [](size_t, const ComponentConfig&) {};
  std::function<void(const ComponentConfig& config)> on_leave = [](const ComponentConfig&) {};
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

  // One thread at a time has the components changed, by these three. See Supervisor: launches those
  // that join, and answers once all is decided. RESOURCE_EXHAUSTED: no more threads.
  // FAILED_PRECONDITION: there is a thread of that name, of another type, which does not come back.
  void Adopt(const std::vector<ComponentConfig>& wanted, Reply<Nothing> reply);
  void Forget(size_t component, Reply<Nothing> reply);
  // Of one that is forgotten; blocks as long as a thread takes to end.
  void EndThread(size_t component);

  // Whether the supervisor's own thread is in one call for longer than any should take.
  bool IsStuck() const;

 private:
  using Runners = std::vector<std::pair<size_t, std::unique_ptr<Runner>>>;

  explicit Supervision(SupervisionOptions options);

  absl::Status LaunchAll(std::vector<SupervisedComponent> components, DependencyGraph graph);
  absl::StatusOr<std::unique_ptr<Runner>> LaunchOne(size_t component,
                                                    std::shared_ptr<MailboxBase> mailbox,
                                                    ComponentFactory make);
  void Keep(size_t component, std::unique_ptr<Runner> runner);
  bool IsRun(size_t component) const;
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
  ComponentTable table_;
  const Surroundings surroundings_;
  SelfReporter self_{*this};
  mutable Mutex mutex_;
  std::map<size_t, Reporter> reporters_ ABSL_GUARDED_BY(mutex_);  // stay where they are
  const std::shared_ptr<MailboxBase> mailbox_;
  Lifecycle* lifecycle_ = nullptr;  // supervisor's thread only

  // Last: the threads use all of the above. The supervisor's ends first, for it looks at the
  // others.
  std::vector<std::unique_ptr<Runner>> runners_ ABSL_GUARDED_BY(mutex_);  // by component
  std::unique_ptr<Runner> runner_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_SUPERVISION_H_
