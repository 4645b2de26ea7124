// SteppedTest: hooked components under supervision, without a thread: the test turns the control
// loops, the supervisor's too, on a clock of its own. A day of restarts takes milliseconds, and
// happens the same way each time.
#ifndef MAINSPRING_TESTS_SERVER_LIFECYCLE_STEPPED_H_
#define MAINSPRING_TESTS_SERVER_LIFECYCLE_STEPPED_H_

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
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
#include "server/lifecycle/supervision.h"
#include "server/observe/event_log.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/server/hooked_component.h"

namespace mainspring::testing {

// What a component's configuration is adjusted by.
inline void NotEssential(ComponentConfig& config) { config.essential = false; }
inline void Temporary(ComponentConfig& config) { config.restart.kind = RestartKind::kTemporary; }

// The control loops of a supervision, turned in turns.
class Loops {
 public:
  explicit Loops(ManualTime& time) : time_(time) {}

  // What takes the place of ComponentThread::Start.
  mainspring::Launch launch() {
    return [this](std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
                  const TimeSource& time, const Directory& directory,
                  LifecycleObserver& observer) -> absl::StatusOr<std::unique_ptr<Runner>> {
      const std::string name = mailbox->component();
      if (no_threads_left_for_ == name) return absl::ResourceExhaustedError("no more threads");
      loops_[name] = {std::make_unique<ControlLoop>(std::move(mailbox), std::move(factory), time,
                                                    directory, observer)};
      return std::make_unique<OneLoop>(*this, name);
    };
  }

  // Does all that can be done without time passing. From within a component's hook, all but what
  // that component would do: its thread is in the hook.
  void Settle() {
    for (bool ran = true; ran;) {
      ran = false;
      for (auto& [name, turned] : loops_) {
        if (turned.busy || held_.count(name) != 0) continue;
        // Without time passing.
        if (++turns_ > kMostTurns) throw std::logic_error("the components go round in circles");
        turned.busy = true;
        const bool had_something = turned.loop->RunNext();
        turned.busy = false;
        if (!had_something) continue;
        ran = true;
        ++work_;
      }
    }
  }

  // Time passes; what is due meanwhile is done when it is due.
  void Advance(absl::Duration duration) {
    const SteadyTime end = After(time_.Now(), duration);
    Settle();
    while (true) {
      const SteadyTime next = NextWake();
      if (next > end) break;
      if (next > time_.Now()) PassUntil(next);
      Settle();
    }
    // A hook may have let more time pass.
    if (end > time_.Now()) PassUntil(end);
    Settle();
  }

  // Its thread does nothing until it is let go.
  void Hold(const std::string& component) { held_.insert(component); }
  void LetGo(const std::string& component) {
    held_.erase(component);
    Settle();
  }
  void RunOutOfThreadsAt(const std::string& component) { no_threads_left_for_ = component; }
  size_t size() const { return loops_.size(); }
  // How much the loops have had to do so far: calls, timers, callbacks.
  int work() const { return work_; }

 private:
  static constexpr int kMostTurns = 100'000;

  struct Turned {
    std::unique_ptr<ControlLoop> loop;
    bool busy = false;
  };

  struct OneLoop final : Runner {
    OneLoop(Loops& loops, std::string name) : loops(loops), name(std::move(name)) {}
    ~OneLoop() override { loops.loops_.erase(name); }
    int thread_id() const override { return 4711; }
    absl::Duration cpu_time() const override { return absl::Seconds(3); }
    Loops& loops;
    const std::string name;
  };

  void PassUntil(SteadyTime time) {
    time_.AdvanceTo(time);
    turns_ = 0;
  }

  SteadyTime NextWake() const {
    SteadyTime next = kNever;
    for (const auto& [name, turned] : loops_) {
      if (turned.busy || held_.count(name) != 0) continue;
      next = std::min(next, turned.loop->next_wake());
    }
    return next;
  }

  ManualTime& time_;
  std::map<std::string, Turned> loops_;
  std::set<std::string> held_;
  std::string no_threads_left_for_;
  int turns_ = 0;
  int work_ = 0;
};

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

  // Before Launch. Depends on `dependencies`, hard; "?x" is a soft one on x.
  void Add(
      const std::string& name, const std::vector<std::string>& dependencies = {}, Hooks hooks = {},
      const std::function<void(ComponentConfig&)>& adjust = [](ComponentConfig&) {}) {
    ComponentConfig config;
    config.name = name;
    config.type = "hooked";
    for (const std::string& each : dependencies) {
      const bool hard = each[0] != '?';
      config.depends_on.push_back({hard ? each : each.substr(1), hard});
    }
    adjust(config);
    const auto make = [this, name, hooks](Context& context) {
      contexts_[name] = &context;
      return std::make_unique<HookedComponent>(context, hooks);
    };
    components_.push_back(
        {config, HookedComponent::kService, make,
         std::make_shared<Mailbox<trial::v1::TrialRequest>>(name, config.mailbox, time_)});
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
    lifecycle().Push(lifecycle::v1::LifecycleRequest(
        std::in_place_type<Call>, Call{Parse<typename CallTypes<Call>::Request>(text),
                                       Reply<ResponseTo<Call>>(record.get())}));
    return record;
  }
  template <class Call>
  std::shared_ptr<StreamRecord<ResponseTo<Call>>> Follow(const std::string& text = "",
                                                         size_t room = 1'000'000) {
    auto record = std::make_shared<StreamRecord<ResponseTo<Call>>>();
    record->room = room;
    records_.push_back(record);
    lifecycle().Push(lifecycle::v1::LifecycleRequest(
        std::in_place_type<Call>, Call{Parse<typename CallTypes<Call>::Request>(text),
                                       ReplyStream<ResponseTo<Call>>(record.get())}));
    loops_.Settle();
    return record;
  }
  template <class Request>
  static Request Parse(const std::string& text) {
    Request request;
    if (!google::protobuf::TextFormat::ParseFromString(text, &request)) {
      throw std::invalid_argument(text);
    }
    return request;
  }

  // What each step of an operation does: "stop a", and "start b" in brackets once it is done.
  template <class Message>
  static std::vector<std::string> StepsOf(const Message& message) {
    std::vector<std::string> steps;
    for (const lifecycle::v1::Step& step : message.steps()) {
      const char* action = step.action() == lifecycle::v1::Step::STOP ? "stop " : "start ";
      steps.push_back(
          absl::StrCat(step.done() ? "[" : "", action, step.component(), step.done() ? "]" : ""));
    }
    return steps;
  }

  EchoRecord Echo(const std::string& name, SteadyTime deadline = kNever) {
    auto record = std::make_shared<ReplyRecord<trial::v1::EchoResponse>>(deadline);
    records_.push_back(record);
    static_cast<Mailbox<trial::v1::TrialRequest>&>(*supervision_->table().Find(name))
        .Push(trial::v1::TrialRequest(
            std::in_place_type<trial::v1::EchoCall>,
            trial::v1::EchoCall{EchoOf("hello"), Reply<trial::v1::EchoResponse>(record.get())}));
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

// Four components that depend on each other.
class ChainTest : public SteppedTest {
 protected:
  // web needs mail, mail needs store; web is told of cache.
  void StartChain() {
    Add("web", {"mail", "?cache"}, Noting("web"));
    Add("mail", {"store"}, Noting("mail"));
    Add("store", {}, Noting("store"));
    Add("cache", {}, Noting("cache"));
    ASSERT_TRUE(Start().ok());
    TakeNotes();
  }

  lifecycle::v1::Operation OperationOf(const std::string& request_id) {
    auto record = Ask<lifecycle::v1::GetOperationCall>("request_id: '" + request_id + "'");
    EXPECT_TRUE(record->status().ok()) << record->status();
    return record->answer().value_or(lifecycle::v1::GetOperationResponse()).operation();
  }
  template <class RecordOf>
  static std::string TextOf(const RecordOf& record) {
    return std::string(record->status().message());
  }
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_LIFECYCLE_STEPPED_H_
