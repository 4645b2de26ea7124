#include "mainspring/server/lifecycle/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/components/mainspring/fakes.h"
#include "tests/server/hooked_component.h"

namespace mainspring {
namespace {

namespace proto = lifecycle::v1;
using testing::ManualTime;
using TrialMailbox = Mailbox<trial::v1::TrialRequest>;

TEST(ToProto, ForEachState_IsTheSameByName) {
  for (LifecycleState state :
       {LifecycleState::kStopped, LifecycleState::kStarting, LifecycleState::kRunning,
        LifecycleState::kStopping, LifecycleState::kBackoff, LifecycleState::kFailed}) {
    EXPECT_EQ(Name(state), proto::Component::State_Name(ToProto(state)));
  }
}

TEST(ToProto, ForAnEvent_TellsAllOfIt) {
  const proto::Event event =
      ToProto(LifecycleEvent{42, absl::FromUnixSeconds(7), "mail", 3, LifecycleState::kRunning,
                             LifecycleState::kBackoff, "failed"});
  EXPECT_EQ(42u, event.sequence());
  EXPECT_EQ(7, event.time().seconds());
  EXPECT_EQ("mail", event.component());
  EXPECT_EQ(3u, event.generation());
  EXPECT_EQ(proto::Component::RUNNING, event.from());
  EXPECT_EQ(proto::Component::BACKOFF, event.to());
  EXPECT_EQ("failed", event.reason());
  EXPECT_EQ(proto::Event::STATE, event.kind());
}

TEST(ToProto, ForEachKindOfEvent_HasOneOfItsOwn) {
  EXPECT_EQ(proto::Event::PAUSE, ToProto(TrafficChange::kPause));
  EXPECT_EQ(proto::Event::RESUME, ToProto(TrafficChange::kResume));
  EXPECT_EQ(proto::Event::DRAIN, ToProto(TrafficChange::kDrain));
  EXPECT_EQ(proto::Event::UNDRAIN, ToProto(TrafficChange::kUndrain));
}

class DescribeTest : public ::testing::Test {
 protected:
  DescribeTest() {
    ComponentConfig store;
    store.name = "store";
    store.type = "db";
    ComponentConfig mail;
    mail.name = "mail";
    mail.type = "smtp";
    mail.depends_on = {{"store", true}};
    ComponentConfig web;
    web.name = "web";
    web.depends_on = {{"store", false}};
    for (const ComponentConfig& config : {store, mail, web}) {
      configs_.push_back(config);
      table_.Add(config, {"x.v1.X"},
                 std::make_shared<TrialMailbox>(config.name, config.mailbox, time_));
      table_.SetEssential(table_.size() - 1, config.name == "mail");
    }
    graph_ = *DependencyGraph::Build(configs_);
  }

  proto::Component DescribeOne(size_t component) { return Describe(component, table_, *graph_); }

  ManualTime time_;
  ComponentTable table_{time_};
  std::vector<ComponentConfig> configs_;
  std::optional<DependencyGraph> graph_;
};

TEST_F(DescribeTest, WhenItWasNeverStarted_SaysSoAndLeavesTimesOut) {
  const proto::Component component = DescribeOne(0);
  EXPECT_EQ("store", component.name());
  EXPECT_EQ("db", component.type());
  EXPECT_EQ("x.v1.X", component.service());
  EXPECT_EQ(proto::Component::STOPPED, component.state());
  EXPECT_EQ("not started", component.reason());
  EXPECT_FALSE(component.has_since());
  EXPECT_FALSE(component.has_next_restart_time());
  EXPECT_EQ(1024u, component.mailbox().capacity());
  EXPECT_FALSE(component.essential());
}

TEST_F(DescribeTest, WhenThereAreDependencies_NamesThemBothWays) {
  const proto::Component store = DescribeOne(0);
  ASSERT_EQ(2, store.dependents_size());
  EXPECT_EQ("mail", store.dependents(0).component());
  EXPECT_TRUE(store.dependents(0).hard());
  EXPECT_EQ("web", store.dependents(1).component());
  EXPECT_FALSE(store.dependents(1).hard());
  EXPECT_EQ(0, store.depends_on_size());
  const proto::Component mail = DescribeOne(1);
  ASSERT_EQ(1, mail.depends_on_size());
  EXPECT_EQ("store", mail.depends_on(0).component());
  EXPECT_TRUE(mail.essential());
}

TEST_F(DescribeTest, WhenItFailed_TellsItsFailuresAndWhenItComesBack) {
  ComponentStatus status;
  status.state = LifecycleState::kBackoff;
  status.since = absl::FromUnixSeconds(100);
  status.generation = 4;
  status.wanted = true;
  status.last_error = "INTERNAL: bad (in Start)";
  status.failures.push_back({absl::FromUnixSeconds(99), "Start", "INTERNAL: bad", "00ff"});
  status.next_restart = absl::FromUnixSeconds(101);
  table_.Publish(1, status);
  proto::Component component = DescribeOne(1);
  EXPECT_EQ(4u, component.generation());
  EXPECT_EQ(100, component.since().seconds());
  EXPECT_TRUE(component.wanted());
  EXPECT_EQ("INTERNAL: bad (in Start)", component.last_error());
  ASSERT_EQ(1, component.recent_failures_size());
  EXPECT_EQ("Start", component.recent_failures(0).during());
  EXPECT_EQ("INTERNAL: bad", component.recent_failures(0).error());
  EXPECT_EQ("00ff", component.recent_failures(0).request_id());
  EXPECT_EQ(99, component.recent_failures(0).time().seconds());
  EXPECT_EQ(101, component.next_restart_time().seconds());
  status.state = LifecycleState::kRunning;
  table_.Publish(1, status);
  EXPECT_FALSE(DescribeOne(1).has_next_restart_time());
}

TEST_F(DescribeTest, ForAnOperation_TellsHowItEnded) {
  Operation operation;
  operation.order = {Command::kRestart, 1, "r-1", std::nullopt};
  operation.SetSteps({{Step::Action::kStop, 1, true}, {Step::Action::kStart, 1}});
  operation.start_time = absl::FromUnixSeconds(5);
  proto::Operation message = ToProto(operation, table_);
  EXPECT_EQ("r-1", message.request_id());
  EXPECT_EQ(proto::Operation::RESTART, message.command());
  EXPECT_EQ("mail", message.component());
  EXPECT_EQ(proto::Operation::UNDER_WAY, message.phase());
  EXPECT_EQ(5, message.start_time().seconds());
  EXPECT_FALSE(message.has_end_time());
  ASSERT_EQ(2, message.steps_size());
  EXPECT_EQ(proto::Step::STOP, message.steps(0).action());
  EXPECT_TRUE(message.steps(0).done());
  EXPECT_FALSE(message.steps(1).done());

  operation.ended = true;
  operation.status = absl::UnavailableError("it did not start");
  operation.end_time = absl::FromUnixSeconds(6);
  operation.generation = 9;
  message = ToProto(operation, table_);
  EXPECT_EQ(proto::Operation::FAILED, message.phase());
  EXPECT_EQ("UNAVAILABLE", message.status());
  EXPECT_EQ("it did not start", message.error());
  EXPECT_EQ(6, message.end_time().seconds());
  EXPECT_EQ(9u, message.generation());

  operation.status = absl::UnavailableError("caf\xE9");
  EXPECT_EQ("caf\\xe9", ToProto(operation, table_).error());

  operation.status = absl::OkStatus();
  EXPECT_EQ(proto::Operation::SUCCEEDED, ToProto(operation, table_).phase());
}

TEST(DescribeProcess, WhenAsked_TellsWhatTheKernelKnows) {
  const proto::HostProcess process = DescribeProcess();
  EXPECT_EQ(getpid(), process.pid());
  EXPECT_GE(process.threads(), 1u);
  EXPECT_GE(process.open_descriptors(), 3u);
  EXPECT_GT(process.resident_bytes(), 1u << 20);
  const int one_more = dup(0);
  EXPECT_EQ(process.open_descriptors() + 1, DescribeProcess().open_descriptors());
  close(one_more);
}

}  // namespace
}  // namespace mainspring
