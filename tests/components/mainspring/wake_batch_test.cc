#include "mainspring/wake_batch.h"

#include <gtest/gtest.h>

#include <deque>
#include <thread>
#include <vector>

#include "mainspring/component.h"
#include "mainspring/mailbox.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

// A mailbox with a thread that takes calls until it has had `expected`.
class WakeBatchTest : public ::testing::Test {
 protected:
  WakeBatchTest() {
    mailbox_.Open();
    mailbox_.Attach(&speaker_);
  }

  void Take(size_t expected) {
    while (script_.said.size() < expected) {
      mailbox_.Wait(/*calls=*/true, kNever);
      while (Dispatch(mailbox_, TimeSource::Real())) {
      }
    }
  }
  void Say() { mailbox_.Push(SayCall{Word{"x"}, Reply<Word>(&replies_.emplace_back())}); }

  Neighbours neighbours_;
  const std::string name_ = "speaker";
  Context context_{name_, 1, {TimeSource::Real(), neighbours_}};
  Script script_;
  Speaker speaker_{context_, script_};
  std::deque<ReplyRecord<Word>> replies_;
  Mailbox<SpeakerRequest> mailbox_{name_, MailboxOptions{}, TimeSource::Real()};
};

TEST_F(WakeBatchTest, Flush_WakesWhomThePushesLeftAsleep) {
  std::thread taker([this] { Take(100); });
  {
    WakeBatch batch;
    for (int i = 0; i < 100; ++i) {
      Say();
      if (i % 10 == 9) batch.Flush();
    }
  }
  taker.join();
  for (const ReplyRecord<Word>& reply : replies_) EXPECT_EQ(reply.answers(), 1);
}

TEST_F(WakeBatchTest, Destroyed_Flushes) {
  std::thread taker([this] { Take(1); });
  {
    WakeBatch batch;
    Say();
  }
  taker.join();
}

TEST_F(WakeBatchTest, PushControl_InABatch_WakesWithTheFlush) {
  std::thread waiter([this] {
    while (!mailbox_.has_control()) mailbox_.Wait(/*calls=*/false, kNever);
  });
  {
    WakeBatch batch;
    mailbox_.PushControl(control::Start{1});
    batch.Flush();
    waiter.join();
  }
}

TEST_F(WakeBatchTest, Defer_OnlyWhileABatchStandsOnThisThread) {
  EXPECT_FALSE(WakeBatch::Defer(mailbox_));
  {
    WakeBatch batch;
    EXPECT_TRUE(WakeBatch::Defer(mailbox_));
    std::thread([this] { EXPECT_FALSE(WakeBatch::Defer(mailbox_)); }).join();
  }
  EXPECT_FALSE(WakeBatch::Defer(mailbox_));
}

TEST_F(WakeBatchTest, PushesOfOtherThreads_BesideABatch_WakeThemselves) {
  std::thread taker([this] { Take(1); });
  WakeBatch batch;
  std::thread([this] { Say(); }).join();
  taker.join();
}

}  // namespace
}  // namespace mainspring::testing
