#include "server/supervisor/supervisor.h"

#include <gmock/gmock.h>

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/server/supervisor/supervised.h"

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
using trial::v1::EchoCall;
using trial::v1::TrialRequest;

class SupervisorTest : public testing::SupervisedTest {
 protected:
  // Throws where it is asked to echo; the next instance does the same.
  Hooks Throwing() {
    Hooks hooks;
    hooks.handle = [](TrialRequest) { throw std::runtime_error("broken"); };
    return hooks;
  }
};

TEST_F(SupervisorTest, WhenStarted_EachComponentIsRunningAndAnswers) {
  Add("one");
  Add("two");
  EXPECT_EQ(LifecycleState::kStopped, View("one").state);
  ASSERT_TRUE(supervisor_.Start().ok());
  for (const char* name : {"one", "two"}) {
    EXPECT_EQ(LifecycleState::kRunning, View(name).state);
    EXPECT_TRUE(View(name).has_been_running);
    EXPECT_TRUE(Echo(name).ok());
  }
  EXPECT_THAT(supervisor_.Stop().hung, IsEmpty());
  EXPECT_EQ(LifecycleState::kStopped, View("one").state);
}

TEST_F(SupervisorTest, WhenAskedByName_FindsMailboxes) {
  Add("one");
  Add("two");
  EXPECT_THAT(supervisor_.Names(), ElementsAre("one", "two"));
  EXPECT_EQ("two", supervisor_.Find("two")->component());
  EXPECT_EQ(nullptr, supervisor_.Find("three"));
}

TEST_F(SupervisorTest, WhenStatesChange_TellsOf) {
  Add("one");
  ASSERT_TRUE(supervisor_.Start().ok());
  const int changes = changes_;
  EXPECT_GE(changes, 2);
  supervisor_.Stop();
  EXPECT_GT(changes_, changes);
}

TEST_F(SupervisorTest, WhenOneDoesNotStart_StopsTheOthersAndTellsWhy) {
  Hooks good;
  good.stop = [this] { Note("stopped"); };
  Hooks bad;
  bad.start = [] { return absl::InvalidArgumentError("no port"); };
  Add("good", good);
  Add("bad", bad);
  const absl::Status started = supervisor_.Start();
  EXPECT_EQ(absl::StatusCode::kUnavailable, started.code());
  EXPECT_EQ("component \"bad\": INVALID_ARGUMENT: no port", started.message());
  EXPECT_THAT(notes(), ElementsAre("stopped"));
  EXPECT_EQ(LifecycleState::kStopped, View("good").state);
  EXPECT_NE(LifecycleState::kRunning, View("bad").state);
}

TEST_F(SupervisorTest, WhenSeveralDoNotStart_TellsTheFirst) {
  for (const char* name : {"one", "two"}) {
    Hooks bad;
    bad.start = [name] { return absl::InternalError(name); };
    Add(name, bad);
  }
  EXPECT_EQ("component \"one\": INTERNAL: one", supervisor_.Start().message());
}

TEST_F(SupervisorTest, WhenOneDoesNotStartInTime_GivesUpAndStopsItOnceItComesBack) {
  Hooks slow;
  slow.start = [&] {
    gate_.Pass();
    return absl::OkStatus();
  };
  slow.stop = [this] { Note("stopped"); };
  Add("slow", slow, [](ComponentConfig& config) {
    config.start_timeout = absl::Milliseconds(20);
    config.stop_timeout = absl::Milliseconds(20);
  });
  const absl::Status started = supervisor_.Start();
  EXPECT_EQ(absl::StatusCode::kDeadlineExceeded, started.code());
  EXPECT_EQ("component \"slow\": did not start within 20ms", started.message());
  EXPECT_EQ(LifecycleState::kFailed, View("slow").state);
  EXPECT_EQ(absl::StatusCode::kUnavailable, Echo("slow").status().code());
  gate_.Open();
  EXPECT_TRUE(Eventually([&] { return !notes().empty(); }));
}

TEST_F(SupervisorTest, WhenConstructionOrStartThrowsEachTime_StartFails) {
  Hooks construct;
  construct.construct = [this](Context&) {
    Note("constructed");
    throw std::runtime_error("cannot");
  };
  Add("one", construct);
  const absl::Status started = supervisor_.Start();
  EXPECT_EQ(absl::StatusCode::kUnavailable, started.code());
  EXPECT_THAT(std::string(started.message()),
              StartsWith("component \"one\": threw in construction; failed 6 times within 1m"));
  EXPECT_THAT(notes(), SizeIs(6));
}

TEST_F(SupervisorTest, WhenAMethodThrows_FailsThatCallAndStartsAnotherInstance) {
  std::atomic<int> calls{0};
  std::atomic<uint64_t> instance{0};
  Hooks hooks;
  hooks.construct = [&](Context& context) { instance = context.instance(); };
  hooks.handle = [&](TrialRequest request) {
    if (calls++ == 0) throw std::runtime_error("a secret of the component's");
    AnswerEcho(std::move(request));
  };
  Add("one", hooks);
  ASSERT_TRUE(supervisor_.Start().ok());
  const absl::Status failed = Echo("one").status();
  EXPECT_EQ(absl::StatusCode::kInternal, failed.code());
  EXPECT_THAT(std::string(failed.message()), HasSubstr("request_id="));
  EXPECT_THAT(std::string(failed.message()), ::testing::Not(HasSubstr("secret")));
  EXPECT_TRUE(Echo("one").ok());
  EXPECT_EQ(2u, instance);
  EXPECT_EQ(1u, View("one").mailbox.failed);
  EXPECT_EQ(LifecycleState::kRunning, View("one").state);
}

TEST_F(SupervisorTest, WhenWhatIsThrownIsNoException_RestartsAllTheSame) {
  std::atomic<int> calls{0};
  Hooks hooks;
  hooks.handle = [&](TrialRequest request) {
    if (calls++ == 0) throw 42;
    AnswerEcho(std::move(request));
  };
  Add("one", hooks);
  ASSERT_TRUE(supervisor_.Start().ok());
  EXPECT_EQ(absl::StatusCode::kInternal, Echo("one").status().code());
  EXPECT_TRUE(Echo("one").ok());
}

TEST_F(SupervisorTest, WhenItFailsTooOften_IsFailedAndRefusesWhatIsQueued) {
  Hooks hooks;
  hooks.handle = [&](TrialRequest) {
    gate_.Pass();
    throw std::runtime_error("broken");
  };
  Add("one", hooks);
  ASSERT_TRUE(supervisor_.Start().ok());
  std::vector<Answer<trial::v1::EchoResponse>> answers;
  const auto ref = RefOf("one");
  for (int i = 0; i < 10; ++i) answers.push_back(ref.Echo(testing::EchoOf("x")));
  gate_.Open();
  for (size_t i = 0; i < answers.size(); ++i) {
    const absl::Status status = answers[i].Await(Soon()).status();
    if (i <= Supervisor::kMaxRestarts) {
      EXPECT_EQ(absl::StatusCode::kInternal, status.code()) << i;
      continue;
    }
    EXPECT_EQ(absl::StatusCode::kUnavailable, status.code()) << i;
    EXPECT_THAT(std::string(status.message()),
                StartsWith("component \"one\": FAILED: threw in /mainspring.trial.v1.Trial/Echo; "
                           "failed 6 times within 1m"));
  }
  EXPECT_EQ(LifecycleState::kFailed, View("one").state);
  EXPECT_EQ(absl::StatusCode::kUnavailable, Echo("one").status().code());
}

TEST_F(SupervisorTest, WhenFailuresAreFarApart_RestartsForEver) {
  Add("one", Throwing());
  ASSERT_TRUE(supervisor_.Start().ok());
  for (int i = 0; i < 3 * Supervisor::kMaxRestarts; ++i) {
    EXPECT_EQ(absl::StatusCode::kInternal, Echo("one").status().code());
    ASSERT_TRUE(Reaches("one", LifecycleState::kRunning)) << i;
    time_.MoveOn(std::chrono::seconds(13));
  }
}

TEST_F(SupervisorTest, WhenTheNextInstanceDoesNotStart_IsFailed) {
  std::atomic<int> starts{0};
  Hooks hooks = Throwing();
  hooks.start = [&] {
    return starts++ == 0 ? absl::OkStatus() : absl::NotFoundError("the disk has gone");
  };
  Add("one", hooks);
  ASSERT_TRUE(supervisor_.Start().ok());
  EXPECT_EQ(absl::StatusCode::kInternal, Echo("one").status().code());
  EXPECT_TRUE(Reaches("one", LifecycleState::kFailed));
  EXPECT_THAT(View("one").reason, HasSubstr("the disk has gone"));
}

TEST_F(SupervisorTest, WhenStopped_StopsTheLastOneAddedFirst) {
  for (const char* name : {"one", "two", "three"}) {
    Hooks hooks;
    hooks.stop = [this, name] { Note(name); };
    Add(name, hooks);
  }
  ASSERT_TRUE(supervisor_.Start().ok());
  supervisor_.Stop();
  EXPECT_THAT(notes(), ElementsAre("three", "two", "one"));
  EXPECT_EQ(absl::StatusCode::kUnavailable, Echo("two").status().code());
}

TEST_F(SupervisorTest, WhenCallsAreQueuedAtStop_AnswersThemFirst) {
  Hooks hooks;
  hooks.handle = [&](TrialRequest request) {
    gate_.Pass();
    AnswerEcho(std::move(request));
  };
  hooks.stop = [this] { Note("stopped"); };
  Add("one", hooks);
  ASSERT_TRUE(supervisor_.Start().ok());
  std::vector<Answer<trial::v1::EchoResponse>> answers;
  for (int i = 0; i < 5; ++i) answers.push_back(RefOf("one").Echo(testing::EchoOf("x")));
  gate_.AwaitSomebody();
  gate_.Open();
  const StopReport report = supervisor_.Stop();
  EXPECT_EQ(0u, report.refused_calls);
  for (auto& answer : answers) EXPECT_TRUE(answer.Await(Soon()).ok());
}

TEST_F(SupervisorTest, WhenItIsBusyButComesBack_RefusesTheRestAndHangsNobody) {
  Hooks hooks;
  hooks.handle = [](TrialRequest request) {
    (void)Eventually([] { return false; }, absl::Milliseconds(20));
    AnswerEcho(std::move(request));
  };
  Add("one", hooks, [](ComponentConfig& config) { config.stop_timeout = absl::Milliseconds(90); });
  ASSERT_TRUE(supervisor_.Start().ok());
  std::vector<Answer<trial::v1::EchoResponse>> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(RefOf("one").Echo(testing::EchoOf("x")));
  const StopReport report = supervisor_.Stop();
  EXPECT_THAT(report.hung, IsEmpty()) << "each call takes 20 ms";
  EXPECT_GT(report.refused_calls, 0u);
}

TEST_F(SupervisorTest, WhenAMethodDoesNotReturn_ReportsItWithItsAge) {
  Hooks hooks;
  hooks.handle = [&](TrialRequest request) {
    gate_.Pass();
    AnswerEcho(std::move(request));
  };
  Add("stuck", hooks, [](ComponentConfig& config) {
    config.stop_timeout = absl::Milliseconds(20);
    config.stall_limit = absl::Milliseconds(1);
  });
  Hooks good;
  good.stop = [this] { Note("stopped"); };
  Add("good", good);
  ASSERT_TRUE(supervisor_.Start().ok());
  auto answer = RefOf("stuck").Echo(testing::EchoOf("x"));
  gate_.AwaitSomebody();
  EXPECT_EQ("/mainspring.trial.v1.Trial/Echo", View("stuck").method);
  EXPECT_TRUE(Eventually([&] { return View("stuck").stalled; }));
  const StopReport report = supervisor_.Stop();
  ASSERT_THAT(report.hung, SizeIs(1));
  EXPECT_EQ("stuck", report.hung[0].component);
  EXPECT_EQ("/mainspring.trial.v1.Trial/Echo", report.hung[0].method);
  EXPECT_GE(report.hung[0].age, absl::Milliseconds(20));
  EXPECT_EQ(LifecycleState::kFailed, View("stuck").state);
  EXPECT_THAT(View("stuck").reason, StartsWith("stuck in /mainspring.trial.v1.Trial/Echo for "));
  EXPECT_THAT(notes(), ElementsAre("stopped")) << "the others are stopped all the same";
  gate_.Open();
  EXPECT_TRUE(answer.Await(Soon()).ok());
}

TEST_F(SupervisorTest, WhenStopItselfDoesNotReturn_ReportsIt) {
  Hooks hooks;
  hooks.stop = [&] { gate_.Pass(); };
  Add("stuck", hooks,
      [](ComponentConfig& config) { config.stop_timeout = absl::Milliseconds(20); });
  ASSERT_TRUE(supervisor_.Start().ok());
  const StopReport report = supervisor_.Stop();
  ASSERT_THAT(report.hung, SizeIs(1));
  EXPECT_EQ("Stop", report.hung[0].method);
  gate_.Open();
}

TEST_F(SupervisorTest, WhenItThrowsWhileItStops_IsStoppedAndNotRestarted) {
  Hooks hooks;
  hooks.start = [this] {
    Note("started");
    return absl::OkStatus();
  };
  hooks.stop = [] { throw std::runtime_error("cannot let go"); };
  Add("one", hooks);
  ASSERT_TRUE(supervisor_.Start().ok());
  EXPECT_THAT(supervisor_.Stop().hung, IsEmpty());
  EXPECT_EQ(LifecycleState::kStopped, View("one").state);
  EXPECT_THAT(notes(), ElementsAre("started"));
}

TEST_F(SupervisorTest, WhenAFailedOneIsStopped_StopsAtOnce) {
  Add("one", Throwing());
  ASSERT_TRUE(supervisor_.Start().ok());
  while (View("one").state != LifecycleState::kFailed) (void)Echo("one");
  EXPECT_THAT(supervisor_.Stop().hung, IsEmpty());
  EXPECT_EQ(LifecycleState::kStopped, View("one").state);
}

}  // namespace
}  // namespace mainspring
