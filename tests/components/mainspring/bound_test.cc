#include "mainspring/bound.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using Told = std::function<void(std::string)>;

class BoundTest : public ::testing::Test {
 protected:
  BoundTest() {
    script_.construct = [this](Context& context) {
      tell_ = context.Bind([this, kept = captured_](std::string word) { told_ += word; });
    };
    host_.Start();
  }

  const std::shared_ptr<int> captured_ = std::make_shared<int>(1);
  Script script_;
  std::string told_;
  Told tell_;
  Stepped<SpeakerRequest> host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, script_); }};
};

TEST_F(BoundTest, CalledOnAnotherThread_RunsOnTheComponents) {
  std::thread([this] {
    tell_("a");
    tell_("b");
  }).join();
  EXPECT_EQ(told_, "");
  host_.RunReady();
  EXPECT_EQ(told_, "ab");
}

TEST_F(BoundTest, CalledAndDroppedOnItsOwnThread_RunsAllTheSame) {
  Script script;
  std::string told;
  script.start = [&](Context& context) {
    const Told tell = context.Bind([&](const std::string& word) { told += word; });
    tell("a");
    return absl::OkStatus();
  };
  Stepped<SpeakerRequest> host(
      [&](Context& context) { return std::make_unique<Speaker>(context, script); });
  host.Start();
  EXPECT_EQ(told, "a");
}

TEST_F(BoundTest, WhenTheInstanceHasGone_DoesNothingAndKeepsNothing) {
  host_.mailbox->PushControl(control::Discard{});
  tell_("lost");
  host_.RunReady();
  const Told old = std::move(tell_);
  old("lost too");
  host_.RunReady();
  EXPECT_EQ(told_, "");
  EXPECT_EQ(captured_.use_count(), 1);
}

TEST_F(BoundTest, WhenItsLastCopyHasGone_KeepsNothing) {
  Told copy = tell_;
  tell_ = nullptr;
  EXPECT_EQ(captured_.use_count(), 2);
  std::thread([&] { copy = nullptr; }).join();
  host_.RunReady();
  EXPECT_EQ(captured_.use_count(), 1);
}

}  // namespace
}  // namespace mainspring::testing
