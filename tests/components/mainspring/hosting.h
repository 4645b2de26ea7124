// Stepped and Running: one component without a host, turned by the test step by step on a clock of
// its own, or on a thread of its own in real time.
#ifndef MAINSPRING_TESTS_COMPONENTS_MAINSPRING_HOSTING_H_
#define MAINSPRING_TESTS_COMPONENTS_MAINSPRING_HOSTING_H_

#include <memory>
#include <string>
#include <utility>

#include "mainspring/component_thread.h"
#include "mainspring/control_loop.h"
#include "mainspring/mailbox.h"
#include "tests/components/mainspring/fakes.h"

namespace mainspring::testing {

// Nothing happens but in RunReady. One thread only.
template <class RequestEnum>
struct Stepped {
  explicit Stepped(ComponentFactory factory, MailboxOptions options = {})
      : mailbox(std::make_shared<Mailbox<RequestEnum>>("subject", options, time)),
        loop(std::make_unique<ControlLoop>(mailbox, std::move(factory), time, neighbours,
                                           lifecycle)) {}

  bool RunReady() { return loop->RunReady(); }
  void Start() {
    mailbox->PushControl(StartRequest{});
    RunReady();
  }
  // Stops within `grace`, as far as it can without time passing.
  void Stop(absl::Duration grace = absl::Seconds(5)) {
    mailbox->PushControl(StopRequest{After(time.Now(), grace)});
    RunReady();
  }
  void Advance(absl::Duration duration) {
    time.Advance(duration);
    RunReady();
  }

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
        thread(ComponentThread::Start(mailbox, std::move(factory), TimeSource::Real(), neighbours,
                                      lifecycle)
                   .value()) {
    mailbox->Open();
    mailbox->PushControl(StartRequest{});
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
