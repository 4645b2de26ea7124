#include "mainspring/thread_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/control_loop.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;

TEST(ThreadStatus, WhenScopesNest_TellsTheInnermost) {
  ThreadStatus status;
  EXPECT_EQ(status.doing(), nullptr);
  const SteadyTime outer_since{std::chrono::seconds(1)};
  const SteadyTime inner_since{std::chrono::seconds(2)};
  {
    const ThreadStatus::Scope outer(status, "outer", outer_since);
    {
      const ThreadStatus::Scope inner(status, "inner", inner_since);
      EXPECT_STREQ(status.doing(), "inner");
      EXPECT_EQ(status.since(), inner_since);
    }
    EXPECT_STREQ(status.doing(), "outer");
    EXPECT_EQ(status.since(), outer_since);
  }
  EXPECT_EQ(status.doing(), nullptr);
}

TEST(ThreadStatus, WhenReadWhileItEnds_HasNoOlderTime) {
  ThreadStatus status;
  const SteadyTime since{std::chrono::seconds(1)};
  { const ThreadStatus::Scope scope(status, "step", since); }
  EXPECT_EQ(status.since(), since) << "for who has just read that it is in the step";
}

class ThreadStatusTest : public ::testing::Test {
 protected:
  Script script_;
  Stepped<SpeakerRequest> host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, script_); }};
  const SpeakerRef ref_{host_.mailbox};
};

TEST_F(ThreadStatusTest, InEachStep_NamesIt) {
  std::vector<std::string> steps;
  const auto look = [&] {
    const char* const doing = host_.mailbox->thread_status().doing();
    steps.push_back(doing == nullptr ? "nothing" : doing);
  };
  script_.construct = [&](Context& context) {
    look();
    context.After(absl::ZeroDuration(), look);
  };
  script_.start = [&](Context&) {
    look();
    return absl::OkStatus();
  };
  script_.dependency_changed = [&](Context&, const std::string&, bool) { look(); };
  script_.say = [&](Context&, SayCall) { look(); };
  script_.stop = [&](Context&) { look(); };
  script_.destroy = look;
  host_.Start();
  host_.Send(control::Dependency{"other", true});
  host_.mailbox->Post(1, look);
  Answer<Word> answer = ref_.Say("hello");
  host_.RunReady();
  look();
  host_.Stop();
  look();
  EXPECT_THAT(steps,
              ElementsAre("construction", "Start", "a timer", "DependencyChanged", "a callback",
                          "/test.Speaker/Say", "nothing", "Stop", "destruction", "nothing"));
}

TEST_F(ThreadStatusTest, AfterAFailure_IsNothing) {
  script_.say = [](Context&, SayCall) { throw std::runtime_error("x"); };
  host_.Start();
  Answer<Word> answer = ref_.Say("hello");
  host_.RunReady();
  EXPECT_EQ(host_.mailbox->thread_status().doing(), nullptr);
}

}  // namespace
}  // namespace mainspring::testing
