#include "tests/simulation/simulation.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mainspring::simulation {
namespace {

namespace proto = lifecycle::v1;

constexpr absl::Duration kChaos = absl::Seconds(60);
constexpr absl::Duration kCalm = absl::Seconds(60);
constexpr absl::Duration kStop = absl::Seconds(60);
constexpr size_t kSenders = 3;
constexpr size_t kCalls = 120;
constexpr size_t kCommands = 25;
constexpr size_t kResumes = 10;
constexpr size_t kReconfigurations = 8;
constexpr absl::Duration kPoll = absl::Milliseconds(10);

// The structs of calls, by the message that asks.
template <class Request>
struct CallOf;
#define MAINSPRING_SIMULATION_CALL(name)       \
  template <>                                  \
  struct CallOf<proto::name##Request> {        \
    using Struct = proto::LifecycleCall::name; \
    using Response = proto::name##Response;    \
  }
MAINSPRING_SIMULATION_CALL(StartComponent);
MAINSPRING_SIMULATION_CALL(StopComponent);
MAINSPRING_SIMULATION_CALL(RestartComponent);
MAINSPRING_SIMULATION_CALL(PauseComponent);
MAINSPRING_SIMULATION_CALL(ResumeComponent);
MAINSPRING_SIMULATION_CALL(DrainComponent);
MAINSPRING_SIMULATION_CALL(UndrainComponent);
MAINSPRING_SIMULATION_CALL(ListComponents);
#undef MAINSPRING_SIMULATION_CALL

}  // namespace

WriteResult Watching::Write(Message&& message) {
  if (left_) return WriteResult::kClosed;
  if (full_ || (moody_ && scheduler_.Chance(0.2))) {
    full_ = true;
    return WriteResult::kFull;
  }
  path_.Follow(message);
  return WriteResult::kAccepted;
}

void Watching::OnReady(Callback callback) {
  ready_.emplace(std::move(callback));
  scheduler_.In(scheduler_.Within(absl::Seconds(2)), [this] {
    full_ = false;
    if (ready_.has_value()) ready_->Post();
  });
}

Simulation::Simulation(uint64_t seed, Sabotage sabotage, bool log)
    : sabotage_(sabotage),
      scheduler_(seed),
      log_(log ? *EventLog::Start(LogFormat::kText) : std::make_unique<EventLog>()) {
  DrawComponents();
  DrawFaults();
  Launch();
  DrawTraffic();
}

Simulation::~Simulation() = default;

void Simulation::DrawComponents() {
  const size_t count = 1 + scheduler_.Pick(6);
  for (size_t i = 0; i < count; ++i) {
    ComponentConfig config;
    config.name = std::string(1, static_cast<char>('a' + i));
    config.type = "worker";
    config.essential = scheduler_.Chance(0.3);
    config.autostart = scheduler_.Chance(0.9);
    for (size_t on = 0; on < i; ++on) {
      if (scheduler_.Chance(0.4)) {
        config.depends_on.push_back({components_[on].name, scheduler_.Chance(0.7)});
      }
    }
    config.mailbox.max_calls = 1 + scheduler_.Pick(20);
    config.mailbox.max_queue_age = absl::Seconds(1 + scheduler_.Pick(5));
    config.start_timeout = absl::Seconds(1 + scheduler_.Pick(3));
    config.stop_timeout = absl::Seconds(1 + scheduler_.Pick(3));
    if (scheduler_.Chance(0.5)) config.lame_duck = scheduler_.Within(absl::Seconds(2));
    config.stall_warning = absl::Seconds(1);
    config.stall_limit = absl::Seconds(5);
    config.restart.kind = static_cast<RestartKind>(scheduler_.Pick(3));
    config.restart.max_failures = static_cast<int>(1 + scheduler_.Pick(6));
    config.restart.period = absl::Seconds(20);
    config.restart.most_backoff = absl::Seconds(2);
    config.restart.reset_after = absl::Seconds(10);
    config.on_exception = scheduler_.Chance(0.5) ? OnException::kRestart : OnException::kFailCall;
    components_.push_back(config);
  }
}

void Simulation::DrawFaults() {
  // A host where nothing fails, one where all does, and those in between.
  const double rate = scheduler_.Chance(0.2) ? 0 : scheduler_.Random();
  faults_.at_construction = 0.1 * rate;
  faults_.at_start = 0.3 * rate;
  faults_.at_work = 0.3 * rate;
  faults_.at_stop = 0.3 * rate;
  faults_.never_return = 0.2 * rate;
}

void Simulation::Launch() {
  std::vector<SupervisedComponent> supervised;
  records_.resize(components_.size());
  for (size_t i = 0; i < components_.size(); ++i) {
    records_[i].name = components_[i].name;
    mailboxes_.push_back(std::make_shared<Mailbox<WorkRequest>>(
        components_[i].name, components_[i].mailbox, scheduler_.time()));
    supervised.push_back(Make(components_[i]));
    present_.insert(i);
  }
  SupervisionOptions options;
  options.time = &scheduler_.time();
  options.log = log_.get();
  options.launch = scheduler_.launch();
  if (sabotage_ == Sabotage::kForgetStarted) {
    options.launch = [real = options.launch](auto mailbox, auto factory, const auto& surroundings,
                                             auto& observer) {
      struct Deaf final : LifecycleObserver {
        explicit Deaf(LifecycleObserver& real) : real(real) {}
        void OnStarted(const std::string&, uint64_t, const absl::Status&) override {}
        void OnStopped(const std::string& name, uint64_t generation, size_t refused) override {
          real.OnStopped(name, generation, refused);
        }
        void OnFailed(const std::string& name, uint64_t generation,
                      const Failure& failure) override {
          real.OnFailed(name, generation, failure);
        }
        void OnFinished(const std::string& name, uint64_t generation) override {
          real.OnFinished(name, generation);
        }
        LifecycleObserver& real;
      };
      static std::deque<Deaf> deaf;
      return real(mailbox, factory, surroundings, deaf.emplace_back(observer));
    };
  }
  options.random = [this] { return scheduler_.Random(); };
  options.make = [this](const ComponentConfig& config) { return Make(config); };
  options.incarnation = "simulated";
  options.event_history = scheduler_.Chance(0.5) ? 10'000 : 20;
  // Now and then somebody watches the health of what changes.
  options.health.on_change = [this](size_t) { return scheduler_.Chance(0.3); };
  options.health.on_essential_failure = [this](const std::string& reason) {
    essential_failures_.push_back(reason);
  };
  options.on_supervisor_failure = [this](const std::string& what) {
    Expect(false, absl::StrCat("the supervisor failed: ", what));
  };
  supervision_ = *Supervision::Launch(std::move(supervised), std::move(options));
  lifecycle_ = std::dynamic_pointer_cast<Mailbox<proto::LifecycleRequest>>(supervision_->mailbox());
  truth_ = std::make_unique<Path>(components_);
  resumed_ = std::make_unique<Path>(components_);
}

SupervisedComponent Simulation::Make(const ComponentConfig& config) {
  const size_t number = static_cast<size_t>(config.name[0] - 'a');
  return {config,
          {"simulation.Worker"},
          [this, number](Context& context) {
            return std::make_unique<Worker>(context, scheduler_, faults_, records_[number]);
          },
          mailboxes_[number]};
}

// Some leave, and some come back; those that stay may have other settings from here on. One step at
// a time, as a host takes them.
void Simulation::Reconfigure(bool bring_all_back) {
  if (reconfiguring_ || stopped_.has_value() || !started_.has_value() || !started_->ok()) return;
  std::set<size_t> wanted = present_;
  if (bring_all_back) {
    for (size_t i = 0; i < components_.size(); ++i) wanted.insert(i);
    if (wanted == present_) return;
  } else {
    const size_t drawn = scheduler_.Pick(components_.size());
    if (wanted.erase(drawn) == 0) wanted.insert(drawn);
    if (!IsClosed(wanted)) return;
  }
  std::vector<ComponentConfig> configs;
  for (const size_t each : wanted) {
    ComponentConfig& config = configs.emplace_back(components_[each]);
    config.mailbox.max_calls = 1 + scheduler_.Pick(20);
    config.essential = scheduler_.Chance(0.3);
  }
  reconfiguring_ = true;
  auto asked = std::make_shared<Asked<Nothing>>();
  commands_.push_back([asked] { return asked->answers; });
  supervision_->Adopt(configs, Reply<Nothing>(asked.get()));
  AwaitReconfigured(asked, std::move(wanted));
}

// Whether each has what it needs.
bool Simulation::IsClosed(const std::set<size_t>& wanted) const {
  return std::all_of(wanted.begin(), wanted.end(), [&](size_t each) {
    const auto& needed = components_[each].depends_on;
    return std::all_of(needed.begin(), needed.end(), [&](const Dependency& dependency) {
      return wanted.count(static_cast<size_t>(dependency.component[0] - 'a')) != 0;
    });
  });
}

// Sees off who has left, as soon as that one is down.
void Simulation::AwaitReconfigured(std::shared_ptr<Asked<Nothing>> asked, std::set<size_t> wanted) {
  if (asked->answers == 1 && !asked->answer.ok()) {
    reconfiguring_ = false;
    return;
  }
  bool waits = asked->answers == 0;
  for (const size_t each : present_) {
    if (waits || wanted.count(each) != 0) continue;
    const ComponentStatus status = supervision_->table().status(each);
    if (!status.wanted && IsDown(status.state)) {
      auto forgotten = std::make_shared<Asked<Nothing>>();
      commands_.push_back([forgotten] { return forgotten->answers; });
      supervision_->Forget(each, Reply<Nothing>(forgotten.get()));
      AwaitForgotten(forgotten, each, asked, std::move(wanted));
      return;
    }
    waits = true;
  }
  if (!waits) {
    present_ = std::move(wanted);
    reconfiguring_ = false;
    return;
  }
  scheduler_.In(kPoll, [this, asked, wanted = std::move(wanted)] {
    if (supervision_ != nullptr) AwaitReconfigured(asked, wanted);
  });
}

void Simulation::AwaitForgotten(std::shared_ptr<Asked<Nothing>> forgotten, size_t component,
                                std::shared_ptr<Asked<Nothing>> asked, std::set<size_t> wanted) {
  if (forgotten->answers != 0) {
    supervision_->EndThread(component);
    present_.erase(component);
    return AwaitReconfigured(std::move(asked), std::move(wanted));
  }
  scheduler_.In(kPoll, [this, forgotten, component, asked, wanted = std::move(wanted)] {
    AwaitForgotten(forgotten, component, asked, wanted);
  });
}

void Simulation::DrawTraffic() {
  const auto watch = [this](Path& path, bool moody) {
    proto::WatchComponentsRequest request;
    request.set_incarnation(path.incarnation());
    request.set_after_sequence(path.sequence());
    Watching& sink = watching_.emplace_back(scheduler_, path, moody);
    lifecycle_->Push(proto::LifecycleCall::WatchComponents{
        std::move(request), ReplyStream<proto::WatchComponentsResponse>(&sink)});
  };
  watch(*truth_, /*moody=*/false);
  supervision_->BeginStart([this](absl::Status status) {
    Expect(!started_.has_value(), "the start was reported twice");
    started_ = std::move(status);
  });
  for (size_t i = 0; i < kCalls; ++i) {
    scheduler_.In(scheduler_.Within(kChaos), [this] { Call(scheduler_.Pick(components_.size())); });
  }
  for (size_t i = 0; i < kCommands; ++i) {
    scheduler_.In(scheduler_.Within(kChaos), [this] { Command(); });
  }
  for (size_t i = 0; i < kReconfigurations; ++i) {
    scheduler_.In(scheduler_.Within(kChaos), [this] { Reconfigure(/*bring_all_back=*/false); });
  }
  for (size_t i = 0; i < kResumes; ++i) {
    scheduler_.In(kChaos * i / kResumes + scheduler_.Within(absl::Seconds(5)), [this, watch] {
      if (watching_.size() > 1) watching_.back().Leave();
      watch(*resumed_, /*moody=*/true);
    });
  }
}

void Simulation::Call(size_t component) {
  const size_t sender = scheduler_.Pick(kSenders);
  uint64_t number = ++numbers_[{sender, component}];
  if (sabotage_ == Sabotage::kReorderCalls) number = 1'000'000 - number;
  const SteadyTime deadline =
      scheduler_.Chance(0.5) ? kNever
                             : After(scheduler_.time().Now(), scheduler_.Within(absl::Seconds(5)));
  Asked<Done>& call = calls_.emplace_back(deadline);
  if (sabotage_ == Sabotage::kLoseAnswers && scheduler_.Chance(0.05)) return;
  mailboxes_[component]->Push(WorkCall{{sender, number}, Reply<Done>(&call)});
  if (scheduler_.Chance(0.1)) {
    scheduler_.In(scheduler_.Within(absl::Seconds(1)), [&call] {
      if (call.answers == 0) call.MarkCancelled();
    });
  }
}

template <class T, class Request>
Asked<T>& Simulation::Ask(Request request) {
  auto asked = std::make_shared<Asked<T>>();
  commands_.push_back([asked] { return asked->answers; });
  lifecycle_->Push(typename CallOf<Request>::Struct{std::move(request), Reply<T>(asked.get())});
  return *asked;
}

template <class Request>
Request Simulation::Named() {
  Request request;
  request.set_name(components_[scheduler_.Pick(components_.size())].name);
  return request;
}

void Simulation::Command() {
  const auto give = [this](auto request) {
    using Request = decltype(request);
    using Response = typename CallOf<Request>::Response;
    request.set_cascade(scheduler_.Chance(0.7));
    request.set_dry_run(scheduler_.Chance(0.1));
    if (scheduler_.Chance(0.2)) request.set_expected_generation(scheduler_.Pick(4));
    if (!request.dry_run() && !request.has_expected_generation()) {
      request.set_request_id(absl::StrCat("request ", ++last_request_));
    }
    // Some ask again: at once, or later.
    const int times = request.request_id().empty() ? 1 : static_cast<int>(1 + scheduler_.Pick(3));
    for (int i = 0; i < times; ++i) {
      scheduler_.In(i == 0 ? absl::ZeroDuration() : scheduler_.Within(absl::Seconds(5)),
                    [this, request] {
                      auto& asked = Ask<Response>(request);
                      if (request.request_id().empty() && scheduler_.Chance(0.3)) {
                        scheduler_.In(scheduler_.Within(absl::Seconds(1)), [&asked] {
                          if (asked.answers == 0) asked.MarkCancelled();
                        });
                      }
                      if (!request.request_id().empty()) {
                        by_request_id_[request.request_id()].push_back(
                            [&asked] { return asked.answer.status().code(); });
                      }
                    });
    }
  };
  switch (scheduler_.Pick(8)) {
    case 0:
    case 1:
      return give(Named<proto::StartComponentRequest>());
    case 2:
      return give(Named<proto::StopComponentRequest>());
    case 3:
    case 4:
      return give(Named<proto::RestartComponentRequest>());
    case 5: {
      const auto request = Named<proto::PauseComponentRequest>();
      Ask<proto::PauseComponentResponse>(request);
      scheduler_.In(scheduler_.Within(absl::Seconds(5)), [this, name = request.name()] {
        proto::ResumeComponentRequest resume;
        resume.set_name(name);
        Ask<proto::ResumeComponentResponse>(resume);
      });
      return;
    }
    case 6: {
      const auto request = Named<proto::DrainComponentRequest>();
      Ask<proto::DrainComponentResponse>(request);
      scheduler_.In(scheduler_.Within(absl::Seconds(5)), [this, name = request.name()] {
        proto::UndrainComponentRequest undrain;
        undrain.set_name(name);
        Ask<proto::UndrainComponentResponse>(undrain);
      });
      return;
    }
    default:
      Ask<proto::ListComponentsResponse>(proto::ListComponentsRequest());
  }
}

// Nothing fails any more, and what hung comes back: whatever the state is, all can run again.
void Simulation::Calm() {
  faults_ = Faults();
  scheduler_.Release();
  for (int second = 1; second < 25; ++second) {
    scheduler_.In(absl::Seconds(second), [this] { Reconfigure(/*bring_all_back=*/true); });
  }
  for (int round = 0; round < 2; ++round) {
    scheduler_.In(absl::Seconds(15 * (round + 1)), [this] {
      for (const ComponentConfig& component : components_) {
        proto::StartComponentRequest request;
        request.set_name(component.name);
        request.set_cascade(true);
        Ask<proto::StartComponentResponse>(std::move(request));
      }
    });
  }
}

std::vector<std::string> Simulation::Play() {
  const SteadyTime start = scheduler_.time().Now();
  const bool calm = scheduler_.Chance(0.6);
  const absl::Duration stop_after = kChaos + (calm ? kCalm : absl::ZeroDuration());
  scheduler_.In(kChaos, [this, calm] {
    if (calm) Calm();
  });
  scheduler_.In(stop_after - absl::Nanoseconds(1), [this, calm] {
    const bool rolled_back = started_.has_value() && !started_->ok();
    if (!calm || rolled_back) return;
    Expect(present_.size() == components_.size(), "in calm, not all have come back");
    for (size_t i = 0; i < components_.size(); ++i) {
      const ComponentView view = supervision_->table().View(i);
      Expect(view.status.state == LifecycleState::kRunning,
             absl::StrCat("in calm, component \"", view.name, "\" is ", Name(view.status.state),
                          ": ", view.status.reason));
    }
  });
  scheduler_.In(stop_after, [this] {
    supervision_->BeginStop([this](StopReport report) {
      Expect(!stopped_.has_value(), "the stop was reported twice");
      stopped_ = std::move(report);
    });
  });
  // Long enough for every stop timeout, one after the other.
  scheduler_.In(stop_after + kStop - absl::Nanoseconds(1), [this] {
    Expect(stopped_.has_value(), "the stop was not over in time");
    scheduler_.Release();
  });
  scheduler_.Run(After(start, stop_after + kStop + absl::Seconds(5)));
  Check();
  return wrong_;
}

void Simulation::Check() {
  Expect(started_.has_value(), "the start was never reported");
  for (size_t i = 0; i < components_.size(); ++i) {
    const ComponentView view = supervision_->table().View(i);
    Expect(IsDown(view.status.state),
           absl::StrCat("at the end, component \"", view.name, "\" is ", Name(view.status.state)));
    Expect(truth_->state(view.name) ==
               static_cast<Path::State>(static_cast<int>(view.status.state) + 1),
           absl::StrCat("the watcher has another state of \"", view.name, "\""));
    Expect(view.mailbox.queued_calls == 0,
           absl::StrCat("calls are left in the mailbox of \"", view.name, "\""));
    Expect(records_[i].instances == 0,
           absl::StrCat("an instance of \"", view.name, "\" is left over"));
  }
  for (const Path* path : {truth_.get(), resumed_.get()}) {
    wrong_.insert(wrong_.end(), path->violations().begin(), path->violations().end());
  }
  for (const WorkerRecord& record : records_) {
    wrong_.insert(wrong_.end(), record.violations.begin(), record.violations.end());
  }
  for (Watching& watching : watching_) watching.Leave();
  supervision_.reset();
  for (const Asked<Done>& call : calls_) {
    Expect(call.answers == 1, absl::StrCat("a call was answered ", call.answers, " times"));
  }
  for (const auto& answers : commands_) {
    Expect(answers() == 1, absl::StrCat("a command was answered ", answers(), " times"));
  }
  CheckRequestIds();
}

// However often it was asked, it was carried out once. What was refused was not, and may be asked
// again; a host that stops refuses as well.
void Simulation::CheckRequestIds() {
  for (const auto& [request_id, codes] : by_request_id_) {
    std::set<std::string> outcomes;
    for (const auto& code : codes) {
      if (code() != absl::StatusCode::kFailedPrecondition &&
          code() != absl::StatusCode::kUnavailable && code() != absl::StatusCode::kNotFound) {
        outcomes.insert(absl::StatusCodeToString(code()));
      }
    }
    Expect(
        outcomes.size() <= 1,
        absl::StrCat("\"", request_id, "\" had several outcomes: ", absl::StrJoin(outcomes, ", ")));
  }
}

void Simulation::Expect(bool holds, const std::string& what) {
  if (!holds) wrong_.push_back(what);
}

}  // namespace mainspring::simulation
