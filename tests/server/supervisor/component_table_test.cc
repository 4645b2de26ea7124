#include "mainspring/server/supervisor/component_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/components/mainspring/fakes.h"
#include "tests/server/hooked_component.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using testing::ManualTime;
using TrialMailbox = Mailbox<trial::v1::TrialRequest>;

struct FakeRunner final : Runner {
  int thread_id() const override { return 4711; }
  absl::Duration cpu_time() const override { return absl::Seconds(3); }
};

class ComponentTableTest : public ::testing::Test {
 protected:
  void Add(const std::string& name) {
    ComponentConfig config;
    config.name = name;
    config.type = "hooked";
    config.mailbox.max_calls = 17;
    table_.Add(config, {"x.v1.X"}, std::make_shared<TrialMailbox>(name, config.mailbox, time_));
  }
  // A replica of it.
  size_t AddReplica(const std::string& of, int number) {
    ComponentConfig config;
    config.name = ReplicaName(of, number);
    config.replica_of = of;
    config.type = "hooked";
    auto mailbox = std::make_shared<TrialMailbox>(config.name, config.mailbox, time_);
    mailbox->Open();
    return table_.Add(config, {}, mailbox,
                      std::make_shared<ReplicaSet<trial::v1::TrialRequest>>(of));
  }
  size_t QueuedAt(size_t component) { return table_.mailbox(component).stats().queued_calls; }
  TrialMailbox& mailbox() { return static_cast<TrialMailbox&>(table_.mailbox(0)); }
  trial::v1::TrialRef RefOf(const std::string& name) {
    return trial::v1::TrialRef(std::static_pointer_cast<TrialMailbox>(table_.Find(name)));
  }

  ManualTime time_;
  ComponentTable table_{time_};
};

TEST_F(ComponentTableTest, WhenAdded_IsFoundByNameAndNumber) {
  Add("one");
  Add("two");
  EXPECT_EQ(2u, table_.size());
  EXPECT_THAT(table_.Names(), ElementsAre("one", "two"));
  EXPECT_EQ(1u, table_.NumberOf("two"));
  EXPECT_EQ(std::nullopt, table_.NumberOf("three"));
  EXPECT_EQ("two", table_.Find("two")->component());
  EXPECT_EQ(nullptr, table_.Find("three"));
  EXPECT_EQ(nullptr, table_.Find(""));
  EXPECT_EQ("one", table_.name(0));
  EXPECT_EQ(std::vector<std::string>{"x.v1.X"}, table_.services(0));
}

TEST_F(ComponentTableTest, WhenOneBecomesSeveral_ARefOfBeforeReachesThem) {
  Add("one");
  mailbox().Open();
  const trial::v1::TrialRef ref = RefOf("one");
  const size_t replica = AddReplica("one", 0);
  table_.BeginLeaving(0);
  (void)ref.Block(trial::v1::BlockRequest());
  EXPECT_EQ(QueuedAt(0), 1u) << "it takes calls still";
  mailbox().Close(absl::UnavailableError("leaves"));
  (void)ref.Block(trial::v1::BlockRequest());
  EXPECT_EQ(QueuedAt(replica), 1u);
  table_.Remove(0);
  (void)ref.Block(trial::v1::BlockRequest());
  EXPECT_EQ(QueuedAt(replica), 2u);
}

TEST_F(ComponentTableTest, WhenSeveralBecomeOne_ARefOfBeforeReachesIt) {
  const size_t replica = AddReplica("one", 0);
  const trial::v1::TrialRef ref(
      std::static_pointer_cast<ReplicaSet<trial::v1::TrialRequest>>(table_.Find("one")));
  Add("one");
  const size_t one = table_.NumberOf("one").value();
  table_.mailbox(one).Open();
  table_.BeginLeaving(replica);
  table_.mailbox(replica).Close(absl::UnavailableError("leaves"));
  (void)ref.Block(trial::v1::BlockRequest());
  table_.Remove(replica);
  (void)ref.Block(trial::v1::BlockRequest());
  EXPECT_EQ(QueuedAt(one), 2u);
  // And back, in two steps, between which there is none.
  table_.Remove(one);
  table_.mailbox(one).Close(absl::UnavailableError("gone"));
  AddReplica("one", 0);
  (void)ref.Block(trial::v1::BlockRequest());
  EXPECT_EQ(QueuedAt(replica), 1u);
}

TEST_F(ComponentTableTest, WhenNothingHappened_ViewsItAsNotStarted) {
  Add("one");
  const ComponentView view = table_.View(0);
  EXPECT_EQ("one", view.name);
  EXPECT_EQ("hooked", view.type);
  EXPECT_EQ(std::vector<std::string>{"x.v1.X"}, view.services);
  EXPECT_TRUE(view.essential);
  EXPECT_EQ(LifecycleState::kStopped, view.status.state);
  EXPECT_EQ("not started", view.status.reason);
  EXPECT_EQ(0u, view.status.generation);
  EXPECT_EQ(17u, view.mailbox_capacity);
  EXPECT_EQ("", view.method);
  EXPECT_EQ(0, view.thread_id) << "nothing runs it";
  EXPECT_FALSE(view.stalled);
  EXPECT_EQ(1u, table_.Views().size());
}

TEST_F(ComponentTableTest, WhenOneHasLeft_ItsNumberIsKeptForItsName) {
  Add("one");
  Add("two");
  ComponentStatus status;
  status.generation = 4;
  status.last_error = "no";
  table_.Publish(0, status);
  table_.Remove(0);
  EXPECT_EQ(std::nullopt, table_.NumberOf("one"));
  EXPECT_EQ(0u, table_.LastNumberOf("one"));
  EXPECT_EQ(nullptr, table_.Find("one"));
  EXPECT_THAT(table_.Names(), ElementsAre("two"));
  EXPECT_THAT(table_.numbers(), ElementsAre(1u));
  EXPECT_EQ(1u, table_.Views().size());
  Add("three");
  EXPECT_EQ(2u, table_.NumberOf("three"));
  Add("one");
  EXPECT_EQ(0u, table_.NumberOf("one"));
  EXPECT_EQ(4u, table_.status(0).generation);
  EXPECT_EQ("", table_.status(0).last_error);
  EXPECT_THAT(table_.Names(), ElementsAre("one", "two", "three"));
}

TEST_F(ComponentTableTest, WhenPublished_ShowsIt) {
  Add("one");
  ComponentStatus status;
  status.state = LifecycleState::kRunning;
  status.has_been_running = true;
  table_.Publish(0, status);
  EXPECT_EQ(LifecycleState::kRunning, table_.state(0));
  EXPECT_EQ(LifecycleState::kRunning, table_.View(0).status.state);
  EXPECT_TRUE(table_.IsServing(0));
  EXPECT_TRUE(table_.HasBeenRunning(0));
  status.draining = true;
  table_.Publish(0, status);
  EXPECT_FALSE(table_.IsServing(0));
  status.draining = false;
  status.paused = true;
  table_.Publish(0, status);
  EXPECT_FALSE(table_.IsServing(0));
}

TEST_F(ComponentTableTest, WhenThereIsARunner_ShowsItsThread) {
  Add("one");
  FakeRunner runner;
  table_.SetRunner(0, &runner);
  EXPECT_EQ(4711, table_.View(0).thread_id);
  EXPECT_EQ(absl::Seconds(3), table_.View(0).cpu_time);
}

TEST_F(ComponentTableTest, WhenACallWaits_ShowsHowLong) {
  Add("one");
  mailbox().Open();
  auto first = RefOf("one").Echo(testing::EchoOf("x"));
  time_.Advance(absl::Seconds(2));
  auto second = RefOf("one").Echo(testing::EchoOf("x"));
  time_.Advance(absl::Seconds(1));
  const ComponentView view = table_.View(0);
  EXPECT_EQ(2u, view.mailbox.queued_calls);
  EXPECT_EQ(absl::Seconds(3), view.oldest_call);
  mailbox().RefuseAll(absl::UnavailableError("over"));
  EXPECT_EQ(absl::ZeroDuration(), table_.View(0).oldest_call);
}

TEST_F(ComponentTableTest, WhenItIsInAMethod_ShowsWhichAndSinceWhen) {
  Add("one");
  ComponentView fresh, slow, over;
  testing::Hooks hooks;
  hooks.handle = [&](trial::v1::TrialRequest request) {
    fresh = table_.View(0);
    time_.Advance(absl::Seconds(10) + absl::Milliseconds(1));
    slow = table_.View(0);
    time_.Advance(absl::Seconds(50));
    over = table_.View(0);
    testing::AnswerEcho(std::move(request));
  };
  testing::Neighbours nobody;
  Context context("one", 1, {time_, nobody});
  testing::HookedComponent component(context, hooks);
  mailbox().Attach(&component);
  mailbox().Open();
  auto answer = RefOf("one").Echo(testing::EchoOf("x"));
  ASSERT_TRUE(testing::Dispatch(mailbox(), time_));
  EXPECT_EQ("/mainspring.trial.v1.Trial/Echo", fresh.method);
  EXPECT_EQ(1u, fresh.mailbox.in_flight);
  EXPECT_FALSE(fresh.stalled);
  EXPECT_FALSE(fresh.past_limit);
  EXPECT_TRUE(slow.stalled);
  EXPECT_FALSE(slow.past_limit);
  EXPECT_EQ(absl::Seconds(60) + absl::Milliseconds(1), over.in_method);
  EXPECT_TRUE(over.past_limit);
  EXPECT_FALSE(table_.View(0).stalled);
  EXPECT_EQ("", table_.View(0).method);
}

}  // namespace
}  // namespace mainspring
