// SupervisedTest: hooked components under supervision, each on a thread of its own, in real time.
// What can be tested step by step is in stepped.h's way instead.
#ifndef MAINSPRING_TESTS_SERVER_LIFECYCLE_SUPERVISED_H_
#define MAINSPRING_TESTS_SERVER_LIFECYCLE_SUPERVISED_H_

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/component_thread.h"
#include "mainspring/lifecycle/v1/lifecycle.component.pb.h"
#include "mainspring/mutex.h"
#include "mainspring/server/lifecycle/supervision.h"
#include "mainspring/server/observe/event_log.h"
#include "tests/server/gate.h"
#include "tests/server/hooked_component.h"
#include "tests/server/lifecycle/configs.h"

namespace mainspring::testing {

class SupervisedTest : public ::testing::Test {
 protected:
  // Whatever a test found, no thread is held any longer.
  ~SupervisedTest() override {
    gate_.Open();
    if (supervision_ != nullptr) supervision_->Stop();
  }

  // Before Launch. A component that failed comes back after a millisecond.
  void Add(
      const std::string& name, Hooks hooks = {},
      const std::function<void(ComponentConfig&)>& adjust = [](ComponentConfig&) {}) {
    ComponentConfig config = HookedConfig(name);
    config.restart.least_backoff = absl::Milliseconds(1);
    config.restart.most_backoff = absl::Milliseconds(2);
    adjust(config);
    components_.push_back(
        {config,
         {HookedComponent::kService},
         [hooks](Context& context) { return std::make_unique<HookedComponent>(context, hooks); },
         std::make_shared<Mailbox<trial::v1::TrialRequest>>(name, config.mailbox,
                                                            TimeSource::Real())});
  }

  // What was added, not started.
  void Launch() {
    SupervisionOptions options;
    options.log = &log_;
    options.random = [] { return 0.5; };
    options.incarnation = "test";
    options.launch = ComponentThread::Start;
    options.health.on_change = [this](size_t) {
      ++changes_;
      return false;
    };
    options.health.on_essential_failure = [this](const std::string& reason) { Note(reason); };
    options.on_supervisor_failure = [](const std::string& what) { ADD_FAILURE() << what; };
    auto launched = Supervision::Launch(std::exchange(components_, {}), std::move(options));
    ASSERT_TRUE(launched.ok()) << launched.status();
    supervision_ = *std::move(launched);
  }

  absl::Status Start() {
    if (supervision_ == nullptr) Launch();
    return supervision_->Start();
  }

  lifecycle::v1::LifecycleRef lifecycle() {
    return lifecycle::v1::LifecycleRef(
        std::dynamic_pointer_cast<Mailbox<lifecycle::v1::LifecycleRequest>>(
            supervision_->mailbox()));
  }

  trial::v1::TrialRef RefOf(const std::string& name) {
    return trial::v1::TrialRef(std::dynamic_pointer_cast<Mailbox<trial::v1::TrialRequest>>(
        supervision_->table().Find(name)));
  }

  absl::StatusOr<trial::v1::EchoResponse> Echo(const std::string& name) {
    return RefOf(name).Echo(EchoOf("hello")).Await(Soon());
  }

  ComponentView View(const std::string& name) {
    return supervision_->table().View(supervision_->table().NumberOf(name).value());
  }
  LifecycleState State(const std::string& name) { return View(name).status.state; }

  bool Reaches(const std::string& name, LifecycleState state) {
    return Eventually([&] { return State(name) == state; });
  }

  // For hooks: what happened, in order.
  void Note(const std::string& what) {
    MutexLock lock(mutex_);
    notes_.push_back(what);
  }
  std::vector<std::string> notes() {
    MutexLock lock(mutex_);
    return notes_;
  }

  Gate gate_;
  Mutex mutex_;
  std::vector<std::string> notes_ ABSL_GUARDED_BY(mutex_);
  std::atomic<int> changes_{0};
  EventLog log_;
  std::vector<SupervisedComponent> components_;
  std::unique_ptr<Supervision> supervision_;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_LIFECYCLE_SUPERVISED_H_
