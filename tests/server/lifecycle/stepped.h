// SteppedTest: hooked components under supervision, without a thread: the test turns the control
// loops, the supervisor's too, on a clock of its own. A day of restarts takes milliseconds, and
// happens the same way each time.
#ifndef MAINSPRING_TESTS_SERVER_LIFECYCLE_STEPPED_H_
#define MAINSPRING_TESTS_SERVER_LIFECYCLE_STEPPED_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mainspring/control_loop.h"
#include "mainspring/lifecycle/v1/lifecycle.component.pb.h"
#include "mainspring/server/lifecycle/supervision.h"
#include "mainspring/server/observe/event_log.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/server/hooked_component.h"
#include "tests/server/lifecycle/configs.h"
#include "tests/server/lifecycle/loops.h"
#include "tests/server/lifecycle/messages.h"

namespace mainspring::testing {

template <class T>
using Record = std::shared_ptr<ReplyRecord<T>>;
template <class Call>
using ResponseTo = typename CallTypes<Call>::Response;

class SteppedTest : public ::testing::Test {
 protected:
  using EchoRecord = Record<trial::v1::EchoResponse>;

  ~SteppedTest() override {
    if (supervision_ == nullptr) return;
    supervision_->BeginStop([](StopReport) {});
    loops_.Advance(absl::Minutes(10));
  }

  // Before Launch. For `dependencies` see HookedConfig.
  void Add(
      const std::string& name, const std::vector<std::string>& dependencies = {}, Hooks hooks = {},
      const std::function<void(ComponentConfig&)>& adjust = [](ComponentConfig&) {}) {
    ComponentConfig config = HookedConfig(name, dependencies);
    adjust(config);
    components_.push_back(Make(config, std::move(hooks)));
  }
  SupervisedComponent Make(const ComponentConfig& config, Hooks hooks) {
    const auto make = [this, name = config.name, hooks](Context& context) {
      contexts_[name] = &context;
      return std::make_unique<HookedComponent>(context, hooks);
    };
    return {config,
            {HookedComponent::kService},
            make,
            std::make_shared<Mailbox<trial::v1::TrialRequest>>(config.name, config.mailbox, time_)};
  }

  absl::Status TryLaunch() {
    SupervisionOptions options;
    options.time = &time_;
    options.log = &log_;
    options.random = [this] { return random_; };
    options.incarnation = "first";
    options.version = "1.2.3";
    options.max_watchers = max_watchers_;
    options.event_history = event_history_;
    options.launch = loops_.launch();
    options.make = [this](const auto& config) { return Make(config, Noting(config.name)); };
    options.health.on_change = [this](size_t component) {
      ++changes_;
      const bool serves = supervision_ != nullptr && supervision_->table().IsServing(component);
      return std::exchange(served_[component], serves) != serves && health_is_watched_;
    };
    options.health.on_stall = [this](size_t component, bool past_limit) {
      stalls_.push_back(absl::StrCat(supervision_->table().name(component),
                                     past_limit ? " past its limit" : " back"));
    };
    options.health.on_essential_failure = [this](const std::string& reason) {
      essential_failures_.push_back(reason);
    };
    options.host.drain = [this] { ++drains_; };
    options.host.shut_down_now = [this] { ++shutdowns_; };
    options.host.draining = [this] {
      return progress_.phase() != lifecycle::v1::DrainProgress::SERVING;
    };
    options.host.drain_progress = [this] { return progress_; };
    options.on_supervisor_failure = [](const std::string& what) {
      ADD_FAILURE() << "the supervisor failed: " << what;
    };
    auto launched = Supervision::Launch(std::exchange(components_, {}), std::move(options));
    if (!launched.ok()) return launched.status();
    supervision_ = *std::move(launched);
    loops_.Settle();
    return absl::OkStatus();
  }
  void Launch() { ASSERT_TRUE(TryLaunch().ok()); }

  // Has the host start all; see start_.
  void BeginStart() {
    if (supervision_ == nullptr) Launch();
    supervision_->BeginStart([this](absl::Status status) { start_ = std::move(status); });
    loops_.Settle();
  }
  // What start_ is once all that can be done is done.
  absl::Status Start() {
    BeginStart();
    return start_.value_or(absl::UnknownError("not started yet"));
  }
  void BeginStop() {
    supervision_->BeginStop([this](StopReport report) { stop_ = std::move(report); });
    loops_.Settle();
  }
  StopReport Stop() {
    BeginStop();
    EXPECT_TRUE(stop_.has_value()) << "not stopped yet";
    return stop_.value_or(StopReport());
  }
  void Advance(absl::Duration duration) { loops_.Advance(duration); }
  void Settle() { loops_.Settle(); }

  // Asks the supervisor, with the request as text, and does what follows at once.
  template <class Call>
  Record<ResponseTo<Call>> Ask(const std::string& text = "") {
    auto record = Send<Call>(text);
    loops_.Settle();
    return record;
  }
  // The same, of what is answered at once.
  template <class Call>
  absl::Status StatusOf(const std::string& text) {
    auto record = Ask<Call>(text);
    EXPECT_EQ(1, record->answers()) << text;
    return record->status();
  }
  template <class Call>
  Record<ResponseTo<Call>> Send(const std::string& text = "") {
    auto record = std::make_shared<ReplyRecord<ResponseTo<Call>>>();
    records_.push_back(record);
    lifecycle().Push(Call{Parse<typename CallTypes<Call>::Request>(text),
                          Reply<ResponseTo<Call>>(record.get())});
    return record;
  }
  template <class Call>
  std::shared_ptr<StreamRecord<ResponseTo<Call>>> Follow(const std::string& text = "",
                                                         size_t room = 1'000'000) {
    auto record = std::make_shared<StreamRecord<ResponseTo<Call>>>();
    record->room = room;
    records_.push_back(record);
    lifecycle().Push(Call{Parse<typename CallTypes<Call>::Request>(text),
                          ReplyStream<ResponseTo<Call>>(record.get())});
    loops_.Settle();
    return record;
  }
  EchoRecord Echo(const std::string& name, SteadyTime deadline = kNever) {
    auto record = std::make_shared<ReplyRecord<trial::v1::EchoResponse>>(deadline);
    records_.push_back(record);
    static_cast<Mailbox<trial::v1::TrialRequest>&>(*supervision_->table().Find(name))
        .Push(trial::v1::TrialCall::Echo{EchoOf("hello"),
                                         Reply<trial::v1::EchoResponse>(record.get())});
    return record;
  }
  // Has its next call throw, where it was added with Crashing or Noting.
  EchoRecord Crash(const std::string& name) {
    crash_.insert(name);
    EchoRecord record = Echo(name);
    loops_.Settle();
    return record;
  }
  // Its calls are answered, but for those that Crash makes.
  Hooks Crashing(const std::string& name) {
    Hooks hooks;
    hooks.handle = [this, name](trial::v1::TrialRequest request) {
      if (crash_.erase(name) != 0) throw std::runtime_error("crashed");
      AnswerEcho(std::move(request));
    };
    return hooks;
  }
  // Notes its starts and stops.
  Hooks Noting(const std::string& name) {
    Hooks hooks = Crashing(name);
    hooks.start = [this, name] {
      notes_.push_back("start " + name);
      return absl::OkStatus();
    };
    hooks.stop = [this, name] { notes_.push_back("stop " + name); };
    return hooks;
  }
  std::vector<std::string> TakeNotes() { return std::exchange(notes_, {}); }

  size_t NumberOf(const std::string& name) const {
    return supervision_->table().NumberOf(name).value();
  }
  ComponentView View(const std::string& name) const {
    return supervision_->table().View(NumberOf(name));
  }
  ComponentStatus Status(const std::string& name) const { return View(name).status; }
  LifecycleState State(const std::string& name) const { return Status(name).state; }
  // "RUNNING" and so on.
  std::string StateName(const std::string& name) const { return Name(State(name)); }
  std::string Reason(const std::string& name) const { return Status(name).reason; }
  // "a RUNNING, b STOPPED": all of them.
  std::string States() const {
    std::string states;
    for (const std::string& name : supervision_->table().Names()) {
      absl::StrAppend(&states, states.empty() ? "" : ", ", name, " ", StateName(name));
    }
    return states;
  }

  Mailbox<lifecycle::v1::LifecycleRequest>& lifecycle() {
    return static_cast<Mailbox<lifecycle::v1::LifecycleRequest>&>(*supervision_->mailbox());
  }

  ManualTime time_;
  EventLog log_;
  double random_ = 0.5;  // no jitter
  size_t max_watchers_ = 10;
  size_t event_history_ = 10'000;
  int changes_ = 0;
  bool health_is_watched_ = false;
  std::map<size_t, bool> served_;
  std::vector<std::string> stalls_;
  int drains_ = 0;
  int shutdowns_ = 0;
  lifecycle::v1::DrainProgress progress_ = Parse<lifecycle::v1::DrainProgress>("phase: SERVING");
  std::vector<std::string> essential_failures_;
  std::vector<std::string> notes_;
  std::set<std::string> crash_;
  // Of the latest instances.
  std::map<std::string, Context*> contexts_;
  std::optional<absl::Status> start_;
  std::optional<StopReport> stop_;
  // Outlive what answers them.
  std::vector<std::shared_ptr<void>> records_;
  Loops loops_{time_};
  std::vector<SupervisedComponent> components_;
  std::unique_ptr<Supervision> supervision_;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_LIFECYCLE_STEPPED_H_
