#include "mainspring/server/lifecycle/supervision.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/lifecycle/supervised.h"

namespace mainspring {
namespace {

using testing::AnswerEcho;
using ::testing::ElementsAre;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::Hooks;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::Soon;
using ::testing::StartsWith;
using EchoCall = trial::v1::TrialCall::Echo;
using trial::v1::TrialRequest;

class SupervisionTest : public testing::SupervisedTest {
 protected:
  // Throws where it is asked to echo; the next instance does the same.
  Hooks Throwing() {
    Hooks hooks;
    hooks.handle = [](TrialRequest) { throw std::runtime_error("broken"); };
    return hooks;
  }
};

TEST_F(SupervisionTest, WhenStarted_EachComponentIsRunningAndAnswers) {
  Add("one");
  Add("two");
  Launch();
  EXPECT_EQ(LifecycleState::kStopped, State("one"));
  ASSERT_TRUE(Start().ok());
  for (const char* name : {"one", "two"}) {
    EXPECT_EQ(LifecycleState::kRunning, State(name));
    EXPECT_TRUE(View(name).status.has_been_running);
    EXPECT_TRUE(Echo(name).ok());
  }
  EXPECT_THAT(supervision_->Stop().stuck, IsEmpty());
  EXPECT_EQ(LifecycleState::kStopped, State("one"));
}

TEST_F(SupervisionTest, WhenThereIsNothingToSupervise_StartsAndStops) {
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(supervision_->Stop().stuck, IsEmpty());
}

TEST_F(SupervisionTest, WhenTheGraphIsWrong_IsNotLaunched) {
  SupervisedComponent lonely;
  lonely.config.name = "lonely";
  lonely.config.depends_on = {{"nobody"}};
  SupervisionOptions options;
  options.log = &log_;
  const auto launched = Supervision::Launch({lonely}, std::move(options));
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, launched.status().code());
}

TEST_F(SupervisionTest, WhenStatesChange_TellsOf) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  const int changes = changes_;
  EXPECT_GE(changes, 2);
  supervision_->Stop();
  EXPECT_GT(changes_, changes);
}

TEST_F(SupervisionTest, WhenAMethodThrows_FailsThatCallAndStartsAnotherInstance) {
  std::atomic<int> calls{0};
  std::atomic<uint64_t> instance{0};
  Hooks hooks;
  hooks.construct = [&](Context& context) { instance = context.generation(); };
  hooks.handle = [&](TrialRequest request) {
    if (calls++ == 0) throw std::runtime_error("a secret of the component's");
    AnswerEcho(std::move(request));
  };
  Add("one", hooks);
  ASSERT_TRUE(Start().ok());
  const absl::Status failed = Echo("one").status();
  EXPECT_EQ(absl::StatusCode::kInternal, failed.code());
  EXPECT_THAT(std::string(failed.message()), HasSubstr("request_id="));
  EXPECT_THAT(std::string(failed.message()), ::testing::Not(HasSubstr("secret")));
  EXPECT_TRUE(Echo("one").ok());
  EXPECT_EQ(2u, instance);
  EXPECT_EQ(1u, View("one").mailbox.failed);
  EXPECT_TRUE(Reaches("one", LifecycleState::kRunning));
}

TEST_F(SupervisionTest, WhenWhatIsThrownIsNoException_RestartsAllTheSame) {
  std::atomic<int> calls{0};
  Hooks hooks;
  hooks.handle = [&](TrialRequest request) {
    if (calls++ == 0) throw 42;
    AnswerEcho(std::move(request));
  };
  Add("one", hooks);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(absl::StatusCode::kInternal, Echo("one").status().code());
  EXPECT_TRUE(Echo("one").ok());
}

TEST_F(SupervisionTest, WhenItFailsTooOften_IsFailedAndRefusesWhatIsQueued) {
  Hooks hooks;
  hooks.handle = [&](TrialRequest) {
    gate_.Pass();
    throw std::runtime_error("broken");
  };
  Add("one", hooks);
  ASSERT_TRUE(Start().ok());
  std::vector<Answer<trial::v1::EchoResponse>> answers;
  const auto ref = RefOf("one");
  for (int i = 0; i < 10; ++i) answers.push_back(ref.Echo(testing::EchoOf("x")));
  gate_.Open();
  for (size_t i = 0; i < answers.size(); ++i) {
    const absl::Status status = answers[i].Await(Soon()).status();
    if (i < 5) {
      EXPECT_EQ(absl::StatusCode::kInternal, status.code()) << i;
      continue;
    }
    EXPECT_EQ(absl::StatusCode::kUnavailable, status.code()) << i;
    EXPECT_EQ(
        "component \"one\": FAILED: failed in /mainspring.trial.v1.Trial/Echo; "
        "the 5th failure within 1m",
        status.message());
  }
  EXPECT_EQ(LifecycleState::kFailed, State("one"));
  EXPECT_EQ(absl::StatusCode::kUnavailable, Echo("one").status().code());
  EXPECT_TRUE(Eventually([&] { return notes().size() == 1; }));
  EXPECT_THAT(notes(), ElementsAre("component \"one\" FAILED"));
}

TEST_F(SupervisionTest, WhenCallsAreQueuedAtStop_AnswersThemFirst) {
  Hooks hooks;
  hooks.handle = [&](TrialRequest request) {
    gate_.Pass();
    AnswerEcho(std::move(request));
  };
  Add("one", hooks);
  ASSERT_TRUE(Start().ok());
  std::vector<Answer<trial::v1::EchoResponse>> answers;
  for (int i = 0; i < 5; ++i) answers.push_back(RefOf("one").Echo(testing::EchoOf("x")));
  gate_.AwaitSomebody();
  gate_.Open();
  const StopReport report = supervision_->Stop();
  EXPECT_EQ(0u, report.cut_calls);
  for (auto& answer : answers) EXPECT_TRUE(answer.Await(Soon()).ok());
}

TEST_F(SupervisionTest, WhenItIsBusyButComesBack_RefusesTheRestAndHangsNobody) {
  Hooks hooks;
  hooks.handle = [](TrialRequest request) {
    (void)Eventually([] { return false; }, absl::Milliseconds(20));
    AnswerEcho(std::move(request));
  };
  Add("one", hooks, [](ComponentConfig& config) { config.stop_timeout = absl::Milliseconds(90); });
  ASSERT_TRUE(Start().ok());
  std::vector<Answer<trial::v1::EchoResponse>> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(RefOf("one").Echo(testing::EchoOf("x")));
  const StopReport report = supervision_->Stop();
  EXPECT_THAT(report.stuck, IsEmpty()) << "each call takes 20 ms";
  EXPECT_GT(report.cut_calls, 0u);
}

TEST_F(SupervisionTest, WhenAMethodDoesNotReturn_ReportsItWithItsAge) {
  Hooks hooks;
  hooks.handle = [&](TrialRequest request) {
    gate_.Pass();
    AnswerEcho(std::move(request));
  };
  Add("stuck", hooks, [](ComponentConfig& config) {
    config.stop_timeout = absl::Milliseconds(20);
    config.stall_warning = absl::Milliseconds(1);
  });
  Hooks good;
  good.stop = [this] { Note("stopped"); };
  Add("good", good);
  ASSERT_TRUE(Start().ok());
  auto answer = RefOf("stuck").Echo(testing::EchoOf("x"));
  gate_.AwaitSomebody();
  EXPECT_EQ("/mainspring.trial.v1.Trial/Echo", View("stuck").method);
  EXPECT_TRUE(Eventually([&] { return View("stuck").stalled; }));
  const StopReport report = supervision_->Stop();
  ASSERT_THAT(report.stuck, SizeIs(1));
  EXPECT_EQ("stuck", report.stuck[0].component);
  EXPECT_EQ("/mainspring.trial.v1.Trial/Echo", report.stuck[0].method);
  EXPECT_GE(report.stuck[0].age, absl::Milliseconds(20));
  EXPECT_EQ(LifecycleState::kFailed, State("stuck"));
  EXPECT_THAT(View("stuck").status.reason,
              StartsWith("stuck in /mainspring.trial.v1.Trial/Echo for "));
  EXPECT_THAT(notes(), ElementsAre("stopped")) << "the others are stopped all the same";
  gate_.Open();
  EXPECT_TRUE(answer.Await(Soon()).ok());
}

TEST_F(SupervisionTest, WhenStopItselfDoesNotReturn_ReportsIt) {
  Hooks hooks;
  hooks.stop = [&] { gate_.Pass(); };
  Add("stuck", hooks,
      [](ComponentConfig& config) { config.stop_timeout = absl::Milliseconds(20); });
  ASSERT_TRUE(Start().ok());
  const StopReport report = supervision_->Stop();
  ASSERT_THAT(report.stuck, SizeIs(1));
  EXPECT_EQ("Stop", report.stuck[0].method);
  gate_.Open();
}

TEST_F(SupervisionTest, WhenItThrowsWhileItStops_IsStoppedAndNotRestarted) {
  Hooks hooks;
  hooks.start = [this] {
    Note("started");
    return absl::OkStatus();
  };
  hooks.stop = [] { throw std::runtime_error("cannot let go"); };
  Add("one", hooks);
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(supervision_->Stop().stuck, IsEmpty());
  EXPECT_EQ(LifecycleState::kStopped, State("one"));
  EXPECT_THAT(notes(), ElementsAre("started"));
}

TEST_F(SupervisionTest, WhenAskedThroughTheRef_AnOperatorIsAnswered) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  lifecycle::v1::RestartComponentRequest request;
  request.set_name("one");
  const auto restarted = lifecycle().RestartComponent(request).Await(Soon());
  ASSERT_TRUE(restarted.ok()) << restarted.status();
  EXPECT_EQ(2u, restarted->component().generation());
  EXPECT_GT(restarted->component().thread().id(), 0);
  request.set_name("two");
  EXPECT_EQ(absl::StatusCode::kNotFound,
            lifecycle().RestartComponent(request).Await(Soon()).status().code());
}

TEST_F(SupervisionTest, WhenStoppedDuringTheStart_BothReturn) {
  Hooks slow;
  slow.start = [this] {
    gate_.Pass();
    return absl::OkStatus();
  };
  Add("slow", slow);
  Launch();
  auto started = std::async([this] { return supervision_->Start(); });
  gate_.AwaitSomebody();
  auto stopped = std::async([this] { return supervision_->Stop(); });
  EXPECT_TRUE(started.get().ok());
  gate_.Open();
  EXPECT_THAT(stopped.get().stuck, IsEmpty());
  EXPECT_EQ(LifecycleState::kStopped, State("slow"));
}

TEST_F(SupervisionTest, WhenTheStartIsAbandoned_ReturnsAtOnce) {
  Hooks slow;
  slow.start = [this] {
    gate_.Pass();
    return absl::OkStatus();
  };
  Add("slow", slow);
  Launch();
  auto started = std::async([this] { return supervision_->Start(); });
  gate_.AwaitSomebody();
  supervision_->AbandonStart();
  EXPECT_TRUE(started.get().ok());
}

// For ThreadSanitizer: callers, an operator, and one who looks on, all at once.
TEST_F(SupervisionTest, WhenCallsGoOnThroughRestartsAndCrashes_EachIsAnswered) {
  std::atomic<int> calls{0};
  Hooks hooks;
  hooks.handle = [&](TrialRequest request) {
    if (calls++ % 50 == 49) throw std::runtime_error("now and then");
    AnswerEcho(std::move(request));
  };
  Add("store", hooks, [](ComponentConfig& config) { config.restart.max_failures = 1000; });
  Add("mail", hooks, [](ComponentConfig& config) {
    config.restart.max_failures = 1000;
    config.depends_on = {{"store"}};
  });
  ASSERT_TRUE(Start().ok());
  std::atomic<bool> over{false};
  std::atomic<int> answered{0};
  std::vector<std::future<void>> threads;
  for (const char* name : {"store", "mail"}) {
    threads.push_back(std::async(std::launch::async, [&, name] {
      while (!over) {
        const absl::Status status = Echo(name).status();
        EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kInternal ||
                    status.code() == absl::StatusCode::kUnavailable)
            << status;
        ++answered;
      }
    }));
  }
  threads.push_back(std::async(std::launch::async, [&] {
    while (!over) {
      for (const ComponentView& view : supervision_->table().Views()) {
        EXPECT_LE(view.mailbox.queued_calls, 2u);
      }
      EXPECT_FALSE(supervision_->IsStuck());
    }
  }));
  lifecycle::v1::RestartComponentRequest request;
  request.set_name("store");
  request.set_cascade(true);
  for (int i = 0; i < 20; ++i) {
    const auto restarted = lifecycle().RestartComponent(request).Await(Soon());
    EXPECT_TRUE(restarted.ok() || restarted.status().code() == absl::StatusCode::kUnavailable)
        << restarted.status();
  }
  EXPECT_TRUE(Eventually([&] { return answered > 200; }));
  over = true;
  for (auto& thread : threads) thread.get();
  supervision_->Stop();
}

}  // namespace
}  // namespace mainspring
