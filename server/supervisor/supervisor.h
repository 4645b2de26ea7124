// Supervisor: owns the components of a host with their threads, and is the only writer of their
// lifecycle states. It starts them together, stops them in reverse order, and starts a failed one
// again, until it has failed too often.
#ifndef MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_H_
#define MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/component_thread.h"
#include "mainspring/context.h"
#include "mainspring/control_loop.h"
#include "mainspring/mutex.h"
#include "server/component_type.h"
#include "server/config/host_config.h"
#include "server/observe/event_log.h"
#include "server/supervisor/state.h"

namespace mainspring {

// One component, as it was when it was asked for.
struct ComponentView {
  std::string name;
  std::string type;
  std::string service;
  bool essential;
  LifecycleState state;
  std::string reason;     // of the last change of state
  bool has_been_running;  // once, at least
  MailboxStats mailbox;
  std::string method;         // that its thread is in; empty: none
  absl::Duration in_method;   // for how long
  bool stalled;               // longer than its stall limit
};

// A component whose thread did not come back in time.
struct HungComponent {
  std::string component;
  std::string method;
  absl::Duration age;
};

struct StopReport {
  size_t refused_calls = 0;  // answered UNAVAILABLE because time was up
  std::vector<HungComponent> hung;
};

// Any thread, unless a method says otherwise.
class Supervisor final : public LifecycleObserver, public Directory {
 public:
  // A restart within this time counts against the budget: past kMaxRestarts of them, a component
  // stays FAILED. Erlang/OTP calls the two intensity and period.
  static constexpr int kMaxRestarts = 5;
  static constexpr absl::Duration kRestartPeriod = absl::Seconds(60);

  // `on_change` hears that states have changed, on whatever thread they did, and may ask for them;
  // it must not block.
  Supervisor(const TimeSource& time, EventLog& log, std::function<void()> on_change)
      : time_(time), log_(log), on_change_(std::move(on_change)) {}
  // Blocks until every thread has ended. Stop comes first.
  ~Supervisor() override;

  // One thread, before Start. RESOURCE_EXHAUSTED: no more threads.
  absl::Status Add(const ComponentConfig& config, const ComponentType& type);

  // Starts all components at once and blocks until each is RUNNING. Otherwise what was started is
  // stopped again, and the first error told: the component's own, or DEADLINE_EXCEEDED.
  absl::Status Start();

  // Stops all components, the last one added first, and blocks until each has stopped or run out
  // of its time.
  StopReport Stop();

  std::vector<ComponentView> Components() const;

  // Directory.
  std::shared_ptr<MailboxBase> Find(absl::string_view name) const override;
  std::vector<std::string> Names() const override;

  // LifecycleObserver: component threads.
  void OnStarted(const std::string& component, const absl::Status& status) override;
  void OnStopped(const std::string& component, size_t refused) override;
  void OnFailed(const std::string& component, const Failure& failure) override;

 private:
  struct Supervised {
    ComponentConfig config;
    ComponentType type;
    std::shared_ptr<MailboxBase> mailbox;
    LifecycleState state = LifecycleState::kStopped;
    std::string reason = "not started";
    bool has_been_running = false;
    size_t refused = 0;
    std::deque<SteadyTime> failures;  // within the period
  };

  // Stands in front of a lock: tells of changes once it has been given back.
  struct Announcement {
    const Supervisor& supervisor;
    ~Announcement() { supervisor.on_change_(); }
  };

  Supervised& At(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Change(Supervised& component, LifecycleState to, const std::string& reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayRestart(Supervised& component) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AwaitStart(Supervised& component);
  void StopOne(Supervised& component, StopReport& report);

  const TimeSource& time_;
  EventLog& log_;
  const std::function<void()> on_change_;

  // Constant after the last Add; what they point to is guarded.
  std::vector<std::unique_ptr<Supervised>> components_;
  mutable Mutex mutex_;
  CondVar changed_;

  // Last: the threads use all of the above.
  std::vector<std::unique_ptr<ComponentThread>> threads_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_SUPERVISOR_H_
