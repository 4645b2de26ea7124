// SupervisedTest: a supervisor of hooked components, which are called in process.
#ifndef MAINSPRING_TESTS_SERVER_SUPERVISOR_SUPERVISED_H_
#define MAINSPRING_TESTS_SERVER_SUPERVISOR_SUPERVISED_H_

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "mainspring/mutex.h"
#include "server/observe/event_log.h"
#include "server/supervisor/supervisor.h"
#include "tests/server/gate.h"
#include "tests/server/hooked_component.h"

namespace mainspring::testing {

// The real time, moved on by what the test says. Any thread.
class MovedTime final : public TimeSource {
 public:
  SteadyTime Now() const override { return TimeSource::Now() + offset_.load(); }
  SteadyTime CoarseNow() const override { return TimeSource::CoarseNow() + offset_.load(); }
  void MoveOn(std::chrono::seconds time) { offset_.store(offset_.load() + time); }

 private:
  std::atomic<std::chrono::seconds> offset_{std::chrono::seconds(0)};
};

class SupervisedTest : public ::testing::Test {
 protected:
  // Whatever a test found, no thread is held any longer.
  ~SupervisedTest() override { gate_.Open(); }

  void Add(
      const std::string& name, Hooks hooks = {},
      const std::function<void(ComponentConfig&)>& adjust = [](ComponentConfig&) {}) {
    ComponentConfig config;
    config.name = name;
    config.type = "hooked";
    adjust(config);
    ASSERT_TRUE(supervisor_.Add(config, HookedType("hooked", std::move(hooks))).ok());
  }

  trial::v1::TrialRef RefOf(const std::string& name) {
    return trial::v1::TrialRef(
        std::dynamic_pointer_cast<Mailbox<trial::v1::TrialRequest>>(supervisor_.Find(name)));
  }

  absl::StatusOr<trial::v1::EchoResponse> Echo(const std::string& name) {
    return RefOf(name).Echo(EchoOf("hello")).Await(Soon());
  }

  ComponentView View(const std::string& name) {
    for (ComponentView& view : supervisor_.Components()) {
      if (view.name == name) return view;
    }
    ADD_FAILURE() << "no component " << name;
    return {};
  }

  bool Reaches(const std::string& name, LifecycleState state) {
    return Eventually([&] { return View(name).state == state; });
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
  MovedTime time_;
  EventLog log_;
  Supervisor supervisor_{time_, log_, [this] { ++changes_; }};
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_SUPERVISOR_SUPERVISED_H_
