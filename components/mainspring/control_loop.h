// ControlLoop: what a component's thread does. It constructs, starts, serves, stops and destroys
// the instances of one component, as the control lane of its mailbox says, and reports to an
// observer. It starts no thread and waits for nothing unless told to, so that a test can turn it
// step by step, on a clock of its own.
#ifndef MAINSPRING_CONTROL_LOOP_H_
#define MAINSPRING_CONTROL_LOOP_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "mainspring/component.h"
#include "mainspring/context.h"
#include "mainspring/mailbox.h"
#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// What a component's instance did when it threw.
struct Failure {
  absl::Status status;     // INTERNAL, with the exception's text
  std::string during;      // "Start", "Stop", "a timer", or the rpc's method
  std::string request_id;  // what the callers whose calls it cost were told
};

// Hears what becomes of a component, on the component's thread; must not block.
class LifecycleObserver {
 public:
  virtual ~LifecycleObserver() = default;
  // A StartRequest was carried out: the instance serves, or there is none.
  virtual void OnStarted(const std::string& component, const absl::Status& status) = 0;
  // A StopRequest was carried out: there is no instance; `refused` calls were answered UNAVAILABLE
  // because time was up.
  virtual void OnStopped(const std::string& component, size_t refused) = 0;
  // The instance threw; there is none any more. Calls wait in the mailbox.
  virtual void OnFailed(const std::string& component, const Failure& failure) = 0;
};

// One thread only, but for what the mailbox allows others. All that it is given must outlive it.
class ControlLoop {
 public:
  ControlLoop(std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
              const TimeSource& time, const Directory& directory, LifecycleObserver& observer);
  ~ControlLoop();
  ControlLoop(const ControlLoop&) = delete;
  ControlLoop& operator=(const ControlLoop&) = delete;

  // Does all that can be done now. False once a QuitRequest was carried out.
  bool RunReady();

  // When there is something to do even if nothing comes into the mailbox.
  SteadyTime next_wake() const;

  // Blocks until there is something to do.
  void Wait();

 private:
  struct Instance;

  void Obey(StartRequest request);
  void Obey(StopRequest request);
  void Obey(RefuseRequest request);
  void Obey(QuitRequest request);
  void Obey(CallbackRequest request);

  bool RunControl();
  bool RunOne();
  void FinishStop();
  void Destroy();

  // Runs `step` of the instance; what it throws ends the instance and is reported as `during`,
  // null being the rpc that was dispatched last.
  template <class Step>
  void Guard(const char* during, Step step);
  void Fail(const char* during, const char* what);

  const std::shared_ptr<MailboxBase> mailbox_;
  const ComponentFactory factory_;
  const TimeSource& time_;
  const Directory& directory_;
  LifecycleObserver& observer_;

  uint64_t instances_ = 0;
  std::unique_ptr<Instance> instance_;
  std::optional<SteadyTime> stop_deadline_;
  bool calls_turn_ = false;
  bool quit_ = false;
};

}  // namespace mainspring

#endif  // MAINSPRING_CONTROL_LOOP_H_
