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
#include "mainspring/configurable.h"
#include "mainspring/context.h"
#include "mainspring/mailbox.h"
#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// How a component's instance failed.
struct Failure {
  std::string error;   // INTERNAL and the exception's text, or what Context::Fail was given;
                       // a BoundedText
  std::string during;  // "construction", "Start", "Stop", "a timer", "a callback", "a descriptor's
                       // callback", "Draining", "DependencyChanged", "Apply", or the rpc's method
  std::string request_id;  // what the callers whose calls it cost were told
};

// Hears what becomes of a component, on the component's thread; must not block. `generation` says
// of which instance it hears.
class LifecycleObserver {
 public:
  virtual ~LifecycleObserver() = default;
  // A control::Start was carried out: the instance serves, or there is none.
  virtual void OnStarted(const std::string& /*component*/, uint64_t /*generation*/,
                         const absl::Status& /*status*/) {}
  // A control::Stop was carried out: there is no instance; `refused` calls were answered because
  // time was up.
  virtual void OnStopped(const std::string& /*component*/, uint64_t /*generation*/,
                         size_t /*refused*/) {}
  // The instance threw, or said that it failed; there is none any more. Calls wait in the mailbox.
  virtual void OnFailed(const std::string& /*component*/, uint64_t /*generation*/,
                        const Failure& /*failure*/) {}
  // The instance threw in a call, which was answered with that; it goes on.
  virtual void OnCallFailed(const std::string& /*component*/, uint64_t /*generation*/,
                            const Failure& /*failure*/) {}
  // What the component's program does wrong with its calls; each once.
  virtual void OnMisuse(const std::string& /*component*/, uint64_t /*generation*/,
                        const std::string& /*what*/) {}
  // The instance said whether it serves; `why` where it does not. From its Start on: before
  // OnStarted then.
  virtual void OnServing(const std::string& /*component*/, uint64_t /*generation*/,
                         bool /*serving*/, const std::string& /*why*/) {}
  // The instance said that its work is done, and was stopped. Calls wait in the mailbox.
  virtual void OnFinished(const std::string& /*component*/, uint64_t /*generation*/) {}
};

// One thread only, but for what the mailbox allows others. All that it is given must outlive it.
class ControlLoop {
 public:
  ControlLoop(std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
              const Surroundings& surroundings, LifecycleObserver& observer);
  ~ControlLoop();
  ControlLoop(const ControlLoop&) = delete;
  ControlLoop& operator=(const ControlLoop&) = delete;

  // Does all that can be done now. False once a control::Quit was carried out.
  bool RunReady();
  // Does the next thing that can be done now: one batch of the control lane, or one timer, or one
  // call. False where there is nothing.
  bool RunNext();

  // When there is something to do even if nothing comes into the mailbox.
  SteadyTime next_wake() const;

  // Blocks until there is something to do.
  void Wait();

 private:
  struct Instance;

  void Obey(control::Start request);
  void Obey(control::Configure request);
  void Obey(control::Stop request);
  void Obey(control::Discard request);
  void Obey(control::Pause request);
  void Obey(control::Resume request);
  void Obey(control::Drain request);
  void Obey(control::Dependency request);
  void Obey(control::Quit request);
  void Obey(control::Run request);

  // Gives the new instance its section. OK, or why it refuses it; afterwards there may be none.
  absl::Status GiveFirst(const Section& section);
  AnyConfigurable* configurable() const;
  absl::Status Check(AnyConfigurable& configurable, const google::protobuf::Message& config);
  bool RunControl();
  bool RunOne();
  bool RunDescriptor(SteadyTime now, bool idle);
  void FinishStop(bool refuse_the_rest);
  // `why` is for whoever still waits for the instance's replies. False where Stop threw.
  bool StopInstance(const absl::Status& why);
  void Destroy(const absl::Status& why);
  absl::Status Gone() const;
  bool serves_calls() const { return instance_ != nullptr && !paused_; }

  // Runs `step` of the instance, which the thread is in as `during`; what it throws ends the
  // instance and is reported so.
  template <class Step>
  void Run(const char* during, Step step);
  // The same for a step of an instance that serves: it may ask for its own end in there. `now` is
  // coarse.
  template <class Step>
  void Serve(const char* during, SteadyTime now, Step step);
  template <class Step>
  void RunGuarded(const char* during, SteadyTime now, Step& step);
  void HearMisuses();
  void HearNotices(const char* during);
  void TellServing();
  void EndIfAsked(const char* during);
  // An exception's text; `method` is the rpc's in whose call it was thrown, or null.
  void Threw(const char* method, const char* during, const std::string& text);
  void Fail(const char* during, const absl::Status& status);

  const std::shared_ptr<MailboxBase> mailbox_;
  const ComponentFactory factory_;
  const Surroundings surroundings_;
  const TimeSource& time_;
  LifecycleObserver& observer_;

  uint64_t generation_ = 0;  // of the instance, or of the last one
  std::unique_ptr<Instance> instance_;
  std::optional<control::Stop> stop_;  // under way
  bool paused_ = false;
  bool calls_turn_ = false;
  bool descriptors_turn_over_ = false;
  SteadyTime polled_{};                                // when no descriptor was ready
  OnException on_exception_ = OnException::kFailCall;  // the instance's policy
  bool quit_ = false;
};

}  // namespace mainspring

#endif  // MAINSPRING_CONTROL_LOOP_H_
