#include "mainspring/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "mainspring/trial/v1/trial.component.pb.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ContextTest : public ::testing::Test {
 protected:
  ManualTime time_;
  Neighbours neighbours_;
  const std::string name_ = "subject";
  Context context_{name_, 7, time_, neighbours_};
};

TEST_F(ContextTest, Find_ByName_IsTheAddressOfThatComponent) {
  auto mailbox = std::make_shared<Mailbox<SpeakerRequest>>("mail", MailboxOptions(), time_);
  neighbours_.mailboxes = {{"mail", mailbox}};
  absl::StatusOr<SpeakerRef> found = context_.Find<SpeakerRef>("mail");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->component(), "mail");
  mailbox->Open();
  found->Say("hello").Detach();
  EXPECT_EQ(mailbox->stats().queued_calls, 1u);
}

TEST_F(ContextTest, Find_OfAnUnknownName_ListsTheNames) {
  auto mailbox = std::make_shared<Mailbox<SpeakerRequest>>("mail", MailboxOptions(), time_);
  neighbours_.mailboxes = {{"clock", mailbox}, {"mail", mailbox}};
  const absl::Status status = context_.Find<SpeakerRef>("nail").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("\"nail\""), HasSubstr("clock, mail")));
}

TEST_F(ContextTest, Find_OfAnotherService_IsInvalid) {
  neighbours_.mailboxes = {
      {"mail", std::make_shared<Mailbox<SpeakerRequest>>("mail", MailboxOptions(), time_)}};
  const absl::Status status = context_.Find<trial::v1::TrialRef>("mail").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"mail\""));
}

TEST_F(ContextTest, NameInstanceAndTime_AreThoseOfTheHost) {
  EXPECT_EQ(context_.name(), "subject");
  EXPECT_EQ(context_.instance(), 7u);
  time_.SetWall(absl::FromUnixSeconds(1000));
  time_.Advance(absl::Seconds(1));
  EXPECT_EQ(context_.Now(), time_.Now());
  EXPECT_EQ(context_.WallNow(), absl::FromUnixSeconds(1001));
}

TEST(ContextTimers, AfterAndEvery_RunOnTheComponentsThreadWhenDue) {
  Script script;
  std::vector<std::string> ran;
  script.start = [&](Context& context) {
    context.After(absl::Milliseconds(25), [&] { ran.push_back("after"); });
    context.Every(absl::Milliseconds(10), [&] {
      EXPECT_TRUE(ReturnAddress::HasCurrent());
      ran.push_back("every");
    });
    return absl::OkStatus();
  };
  Stepped<SpeakerRequest> host(
      [&](Context& context) { return std::make_unique<Speaker>(context, script); });
  host.Start();
  EXPECT_EQ(host.loop->next_wake(), After(host.time.Now(), absl::Milliseconds(10)));
  for (int i = 0; i < 6; ++i) host.Advance(absl::Milliseconds(5));
  EXPECT_THAT(ran, ElementsAre("every", "every", "after", "every"));
}

TEST_F(ContextTest, Cancel_OfATimer_KeepsItFromRunning) {
  const TimerId id = context_.After(absl::Seconds(1), [] { FAIL(); });
  EXPECT_TRUE(context_.Cancel(id));
  EXPECT_FALSE(context_.Cancel(id));
  time_.Advance(absl::Seconds(1));
  EXPECT_FALSE(context_.timers().RunNext(time_.Now()));
}

TEST_F(ContextTest, After_ForEver_IsNever) {
  context_.After(absl::InfiniteDuration(), [] { FAIL(); });
  EXPECT_EQ(context_.timers().next(), kNever);
}

TEST_F(ContextTest, After_ANegativeDelay_IsDueAtOnce) {
  bool ran = false;
  context_.After(-absl::InfiniteDuration(), [&] { ran = true; });
  EXPECT_TRUE(context_.timers().RunNext(time_.Now()));
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace mainspring::testing
