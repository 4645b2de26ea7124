// Stepped and Running: one component without a host, turned by the test step by step on a clock of
// its own, or on a thread of its own in real time.
#ifndef MAINSPRING_TESTS_COMPONENTS_MAINSPRING_HOSTING_H_
#define MAINSPRING_TESTS_COMPONENTS_MAINSPRING_HOSTING_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/component_thread.h"
#include "mainspring/control_loop.h"
#include "mainspring/mailbox.h"
#include "tests/components/mainspring/fakes.h"

namespace mainspring::testing {

// What a supervisor does with the mailbox of a component that it starts, and stops.
inline void PushStart(MailboxBase& mailbox, uint64_t generation = 1,
                      OnException on_exception = OnException::kRestart) {
  mailbox.Open();
  mailbox.PushControl(control::Start{generation, on_exception});
}
inline void PushStop(MailboxBase& mailbox, SteadyTime deadline) {
  const absl::Status why = absl::UnavailableError(
      absl::StrCat("component \"", mailbox.component(), "\": STOPPING: asked to stop"));
  mailbox.Close(why);
  mailbox.PushControl(control::Stop{deadline, why});
}

// Nothing happens but in RunReady. One thread only.
template <class RequestEnum>
struct Stepped {
  explicit Stepped(ComponentFactory factory, MailboxOptions options = {})
      : mailbox(std::make_shared<Mailbox<RequestEnum>>("subject", options, time)),
        loop(std::make_unique<ControlLoop>(mailbox, std::move(factory),
                                           Surroundings{time, neighbours}, lifecycle)) {}

  bool RunReady() { return loop->RunReady(); }
  // Sends it, and does what it makes possible.
  bool Send(ControlRequest request) {
    mailbox->PushControl(std::move(request));
    return RunReady();
  }
  void Start() {
    PushStart(*mailbox, ++generation, on_exception);
    RunReady();
  }
  // Stops within `grace`, as far as it can without time passing.
  void Stop(absl::Duration grace = absl::Seconds(5)) {
    PushStop(*mailbox, After(time.Now(), grace));
    RunReady();
  }
  void Advance(absl::Duration duration) {
    time.Advance(duration);
    RunReady();
  }

  uint64_t generation = 0;
  OnException on_exception = OnException::kRestart;
  ManualTime time;
  Neighbours neighbours;
  LifecycleRecord lifecycle;
  const std::shared_ptr<Mailbox<RequestEnum>> mailbox;
  std::unique_ptr<ControlLoop> loop;
};

// Starts with the object. What is public belongs to the test's thread.
template <class RequestEnum>
struct Running {
  explicit Running(ComponentFactory factory, std::string name = "subject",
                   MailboxOptions options = {})
      : mailbox(
            std::make_shared<Mailbox<RequestEnum>>(std::move(name), options, TimeSource::Real())),
        thread(ComponentThread::Start(mailbox, std::move(factory),
                                      Surroundings{TimeSource::Real(), neighbours}, lifecycle)
                   .value()) {
    PushStart(*mailbox);
  }

  Neighbours neighbours;
  LifecycleRecord lifecycle;
  const std::shared_ptr<Mailbox<RequestEnum>> mailbox;
  std::unique_ptr<ComponentThread> thread;
};

// The answer as it is now, without waiting for one.
template <class AnswerType>
auto AnswerNow(AnswerType answer) {
  return answer.Await(kNoWait);
}

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_COMPONENTS_MAINSPRING_HOSTING_H_
