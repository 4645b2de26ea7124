#include "mainspring/replica_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr MailboxOptions kTwo{.max_calls = 2};

class ReplicaSetTest : public ::testing::Test {
 protected:
  using SpeakerMailbox = Mailbox<SpeakerRequest>;

  // Serves.
  SpeakerMailbox& Add() {
    auto mailbox =
        std::make_shared<SpeakerMailbox>(absl::StrCat("s-", mailboxes_.size()), kTwo, time_);
    mailbox->Open();
    mailbox->SetServes(true);
    set_.Add(mailbox);
    mailboxes_.push_back(std::move(mailbox));
    return *mailboxes_.back();
  }
  bool Push() {
    Inbox<SpeakerRequest>& inbox = set_;
    return inbox.Push(SayCall{Word("x"), Reply<Word>(&replies_.emplace_back())});
  }
  // How many calls wait in each.
  std::vector<size_t> Queues() const {
    std::vector<size_t> queues;
    for (const auto& each : mailboxes_) queues.push_back(each->stats().queued_calls);
    return queues;
  }

  ManualTime time_;
  std::deque<ReplyRecord<Word>> replies_;
  std::vector<std::shared_ptr<SpeakerMailbox>> mailboxes_;
  ReplicaSet<SpeakerRequest> set_{"s"};
};

TEST_F(ReplicaSetTest, WhereAllHaveAsLittle_TheyTakeTurns) {
  for (int i = 0; i < 3; ++i) Add();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Push());
  EXPECT_THAT(Queues(), ElementsAre(1, 1, 1));
}

TEST_F(ReplicaSetTest, ACall_GoesToTheOneWithTheLeast) {
  SpeakerMailbox& busy = Add();
  Add();
  busy.Push(SayCall{Word("x"), Reply<Word>(&replies_.emplace_back())});
  EXPECT_TRUE(Push());
  EXPECT_THAT(Queues(), ElementsAre(1, 1));
}

TEST_F(ReplicaSetTest, WhatIsBeingAnswered_CountsToo) {
  SpeakerMailbox& busy = Add();
  Add();
  // It keeps the reply.
  std::vector<SayCall> kept;
  struct Keeper final : Component, Handler<SpeakerRequest> {
    Keeper(Context& context, std::vector<SayCall>& kept) : Component(context), kept_(kept) {}
    void Handle(SpeakerRequest&& request) override {
      kept_.push_back(std::get<SayCall>(std::move(request)));
    }
    std::vector<SayCall>& kept_;
  };
  Neighbours neighbours;
  Context context("s-0", 1, {time_, neighbours});
  Keeper keeper(context, kept);
  ASSERT_TRUE(busy.Attach(&keeper));
  busy.Push(SayCall{Word("x"), Reply<Word>(&replies_.emplace_back())});
  ASSERT_TRUE(Dispatch(busy, time_));
  EXPECT_EQ(busy.load(), 1u);
  for (int i = 0; i < 2; ++i) Push();
  EXPECT_THAT(Queues(), ElementsAre(1, 1)) << "the first of the two went to the idle one";
  kept.clear();
  EXPECT_EQ(busy.load(), 1u) << "of what waits";
}

TEST_F(ReplicaSetTest, OneThatDoesNotServe_IsLeftOut) {
  Add().SetServes(false);
  Add();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Push());
  EXPECT_THAT(Queues(), ElementsAre(0, 2));
}

TEST_F(ReplicaSetTest, WhereNoneServes_ACallWaitsWhereItCan) {
  SpeakerMailbox& down = Add();
  down.SetServes(false);
  down.Close(absl::UnavailableError("down"));
  Add().SetServes(false);
  EXPECT_TRUE(Push());
  EXPECT_THAT(Queues(), ElementsAre(0, 1));
}

TEST_F(ReplicaSetTest, WhereTheBestIsClosedAtThatMoment_TheNextIsAsked) {
  Add().Close(absl::UnavailableError("stopping"));
  Add();
  EXPECT_TRUE(Push());
  EXPECT_THAT(Queues(), ElementsAre(0, 1));
}

TEST_F(ReplicaSetTest, WhereAllAreFull_SaysSo) {
  for (int i = 0; i < 2; ++i) Add();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Push());
  EXPECT_FALSE(Push());
  EXPECT_EQ(replies_.back().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(mailboxes_[0]->stats().rejected + mailboxes_[1]->stats().rejected, 1u);
}

TEST_F(ReplicaSetTest, WhereAllAreClosed_SaysWhy) {
  Add().Close(absl::UnavailableError("down"));
  EXPECT_FALSE(Push());
  EXPECT_EQ(replies_.back().status(), absl::UnavailableError("down"));
}

// One that was alone becomes one of several, and the other way round: who knows what was before
// reaches what is there now.
TEST_F(ReplicaSetTest, WhereAnotherStandsIn_ItTakesWhatItWouldRefuse) {
  const auto set = std::make_shared<ReplicaSet<SpeakerRequest>>("s");
  const auto single = std::make_shared<SpeakerMailbox>("s", kTwo, time_);
  const auto replica = std::make_shared<SpeakerMailbox>("s-0", kTwo, time_);
  const auto push = [&](Inbox<SpeakerRequest>& inbox) {
    return inbox.Push(SayCall{Word("x"), Reply<Word>(&replies_.emplace_back())});
  };
  single->SetStandIn(set);
  single->Open();
  replica->Open();
  set->Add(replica);
  EXPECT_TRUE(push(*single));
  EXPECT_EQ(single->stats().queued_calls, 1u) << "it takes calls still";
  single->Close(absl::UnavailableError("gone"));
  EXPECT_TRUE(push(*single));
  EXPECT_EQ(replica->stats().queued_calls, 1u);
  EXPECT_EQ(single->stats().rejected, 0u);

  single->SetStandIn(nullptr);
  EXPECT_FALSE(push(*single));
  EXPECT_EQ(replies_.back().status(), absl::UnavailableError("gone"));

  replica->Close(absl::UnavailableError("replica gone"));
  single->Open();
  set->SetStandIn(single);
  EXPECT_TRUE(push(*set));
  set->Remove(*replica);
  EXPECT_FALSE(push(*set)) << "it is full";
  EXPECT_EQ(replies_.back().status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(ReplicaSetTest, WhereThereIsNone_SaysSo) {
  SpeakerMailbox& gone = Add();
  set_.Remove(gone);
  EXPECT_TRUE(set_.empty());
  EXPECT_FALSE(Push());
  EXPECT_EQ(replies_.back().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(replies_.back().status().message()), HasSubstr("\"s\""));
  EXPECT_EQ(set_.component(), "s");
}

}  // namespace
}  // namespace mainspring::testing
