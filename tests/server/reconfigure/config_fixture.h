// ConfigTest: Config over three components, "a" and "b", which have opinions of their sections, and
// "plain", which takes none; without a thread, on a clock that the test sets.
#ifndef MAINSPRING_TESTS_SERVER_RECONFIGURE_CONFIG_FIXTURE_H_
#define MAINSPRING_TESTS_SERVER_RECONFIGURE_CONFIG_FIXTURE_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/lifecycle/supervision.h"
#include "mainspring/server/reconfigure/reconfiguration.h"
#include "sample.pb.h"
#include "tests/server/lifecycle/loops.h"
#include "tests/server/reconfigure/loaded.h"
#include "tests/server/trial_directory.h"

namespace mainspring::testing {

using sample::v1::Item;

// A component that nobody calls.
struct NoCall {
  static constexpr char kMethod[] = "/test.Nothing/None";
  Item request;
  Reply<Item> reply;
};
using NoRequest = std::variant<NoCall>;

// What components have taken, by their names.
using Taken = std::map<std::string, int>;

class Picky final : public Component, public Handler<NoRequest>, public Configurable<Item> {
 public:
  static constexpr int kRefused = 13;
  static constexpr int kThrows = 666;
  static constexpr int kUnready = 7;

  Picky(Context& context, Taken* taken) : Component(context), taken_(*taken) {}

  absl::Status Validate(const Item& config) override {
    if (config.value() != kRefused) return absl::OkStatus();
    return absl::InvalidArgumentError("value: 13 is refused");
  }
  void Apply(Item config) override {
    if (config.value() == kThrows) throw std::runtime_error("666");
    context().SetServing(config.value() != kUnready, "7");
    taken_[context().name()] = config.value();
  }
  void Handle(NoRequest&&) override {}

 private:
  Taken& taken_;
};

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    Add("a");
    Add("b");
    Add("plain");
  }
  ~ConfigTest() override {
    reconfiguration_.reset();
    if (supervision_ == nullptr) return;
    supervision_->BeginStop([](StopReport) {});
    loops_.Advance(absl::Minutes(1));
  }

  void Add(const std::string& name) {
    ComponentConfig& component = host_.Add(name == "plain" ? "plain" : "picky", name);
    component.essential = false;
  }
  static Section Of(int value) {
    auto item = std::make_shared<Item>();
    item->set_value(value);
    return item;
  }

  void Launch(RevisionStore store = RevisionStore()) {
    file_ = host_;
    ConfigSource source;
    source.load = [this]() -> absl::StatusOr<LoadedConfig> {
      ++loads_;
      if (!file_.ok()) return file_.status();
      return Loaded(*file_);
    };
    source.read = [this](const host::v1::HostConfig& said) -> absl::StatusOr<LoadedConfig> {
      HostConfig config;
      Apply(said, PathsOf(said), config);
      if (flags_.count("drain.timeout") != 0) config.drain_timeout = HostConfig().drain_timeout;
      Problems problems;
      CheckSections(config, types_, problems);
      if (!problems.empty()) return problems.status();
      return LoadedConfig{config, WithoutSections(said), flags_};
    };
    source.state = [this] { return file_state_; };
    source.first_state = file_state_;
    HostInForce in_force(Loaded(host_));
    if (store.latest() != nullptr) {
      std::string told;
      in_force = RestoreHost(Loaded(host_), *store.latest(), source.read, told);
      if (!told.empty()) warnings_.push_back(told);
    }
    host_ = in_force.config();
    SectionsInForce sections(host_, types_);
    if (store.latest() != nullptr) {
      for (const std::string& each : sections.Restore(*store.latest())) warnings_.push_back(each);
    }
    std::vector<SupervisedComponent> components;
    for (ComponentConfig& config : Replicated(host_.components)) {
      config.config = sections.at(ConfiguredName(config)).value;
      components.push_back(Make(config));
    }
    SupervisionOptions options;
    options.time = &time_;
    options.random = [] { return 0.5; };
    options.launch = loops_.launch();
    options.make = [this](const ComponentConfig& config) { return Make(config); };
    supervision_ = *Supervision::Launch(std::move(components), std::move(options));
    reconfiguration_ = *Reconfiguration::Launch(
        {supervision_->table(), EventLog::Silent(),
         [this](size_t component, const std::string& why) {
           supervision_->Restart(component, why);
         },
         Membership::ControlOf(*supervision_), [this](const HostConfig& config) { host_ = config; },
         in_force, source, std::move(sections), std::move(store), [this] { return draining_; },
         /*max_watchers=*/2},
        {time_, supervision_->table()}, loops_.launch());
    supervision_->BeginStart([](const absl::Status&) {});
    reconfiguration_->Watch();
    loops_.Settle();
  }

  // Where revisions are kept.
  RevisionStore Open() {
    std::vector<std::string> complaints;
    absl::StatusOr<RevisionStore> store = RevisionStore::Open(directory_.File("state"), complaints);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  // Another process of the same host.
  void Again() {
    reconfiguration_.reset();
    supervision_->BeginStop([](StopReport) {});
    loops_.Advance(absl::Minutes(1));
    supervision_.reset();
    taken_.clear();
    warnings_.clear();
    Launch(Open());
  }

  SupervisedComponent Make(const ComponentConfig& config) {
    return {config,
            {},
            MakerOf(config.type),
            std::make_shared<Mailbox<NoRequest>>(config.name, config.mailbox, time_)};
  }
  virtual ComponentFactory MakerOf(const std::string& type) {
    struct Plain final : Component, Handler<NoRequest> {
      using Component::Component;
      void Handle(NoRequest&&) override {}
    };
    if (type == "plain") return [](Context& context) { return std::make_unique<Plain>(context); };
    return [this](Context& context) { return std::make_unique<Picky>(context, &taken_); };
  }

  config::v1::ConfigRef config() const {
    return config::v1::ConfigRef(
        std::dynamic_pointer_cast<Inbox<config::v1::ConfigRequest>>(reconfiguration_->mailbox()));
  }
  template <class T>
  absl::StatusOr<T> Await(Answer<T> answer) {
    loops_.Settle();
    return answer.Await(kNoTime);
  }

  static config::v1::Change To(const std::string& name, int value) {
    config::v1::Change change;
    change.set_name(name);
    Item item;
    item.set_value(value);
    change.mutable_config()->PackFrom(item);
    return change;
  }
  static config::v1::UpdateConfigRequest UpdateOf(const std::vector<config::v1::Change>& changes) {
    config::v1::UpdateConfigRequest request;
    for (const config::v1::Change& each : changes) *request.add_changes() = each;
    return request;
  }
  absl::StatusOr<config::v1::UpdateConfigResponse> Update(
      const std::vector<config::v1::Change>& changes) {
    return Await(config().UpdateConfig(UpdateOf(changes)));
  }
  int InForce(const std::string& name) {
    config::v1::GetConfigRequest request;
    request.set_name(name);
    const auto response = Await(config().GetConfig(request));
    Item item;
    EXPECT_TRUE(response.ok() && response->section().config().UnpackTo(&item)) << response.status();
    return item.value();
  }
  uint64_t LatestRevision() {
    return Await(config().GetConfig(config::v1::GetConfigRequest()))->latest_revision();
  }
  std::vector<uint64_t> Revisions() {
    std::vector<uint64_t> numbers;
    const auto response = Await(config().ListRevisions(config::v1::ListRevisionsRequest()));
    for (const config::v1::Revision& each : response->revisions()) numbers.push_back(each.number());
    return numbers;
  }
  void Restart(const std::string& name) {
    lifecycle::v1::RestartComponentRequest request;
    request.set_name(name);
    const lifecycle::v1::LifecycleRef lifecycle(
        std::dynamic_pointer_cast<Inbox<lifecycle::v1::LifecycleRequest>>(supervision_->mailbox()));
    auto answer = lifecycle.RestartComponent(request);
    loops_.Advance(absl::Seconds(1));
    EXPECT_TRUE(answer.Await(kNoTime).ok());
  }

  static constexpr SteadyTime kNoTime = SteadyTime::min();

  std::map<std::string, std::string> flags_;  // that hold
  const TemporaryDirectory directory_;
  Sections types_{{"picky", &Item::default_instance()}, {"plain", nullptr}};
  ManualTime time_;
  Loops loops_{time_};
  HostConfig host_;
  absl::StatusOr<HostConfig> file_;  // what a reload reads
  std::string file_state_ = "first";
  int loads_ = 0;
  Taken taken_;
  bool draining_ = false;
  std::vector<std::string> warnings_;
  std::unique_ptr<Supervision> supervision_;
  std::unique_ptr<Reconfiguration> reconfiguration_;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_RECONFIGURE_CONFIG_FIXTURE_H_
