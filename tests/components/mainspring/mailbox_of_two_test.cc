#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <variant>

#include "mainspring/component.h"
#include "mainspring/inbox.h"
#include "mainspring/mailbox.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

constexpr MailboxOptions kThree{.max_calls = 3};

// Another service.
struct AddCall {
  static constexpr char kMethod[] = "/test.Counter/Add";
  Word request;
  Reply<Word> reply;
};
using CounterRequest = std::variant<AddCall>;

// Answers both, out of one state.
class SpeakerAndCounter final : public Component,
                                public Handler<SpeakerRequest>,
                                public Handler<CounterRequest> {
 public:
  using Component::Component;
  void Handle(SpeakerRequest&& request) override {
    if (auto* const call = std::get_if<SayCall>(&request)) call->reply.Send(Word(words_));
  }
  void Handle(CounterRequest&& request) override {
    auto& call = std::get<AddCall>(request);
    words_ += call.request.text;
    call.reply.Send(Word());
  }

 private:
  std::string words_;
};

class MailboxOfTwoTest : public ::testing::Test {
 protected:
  MailboxOfTwoTest() {
    both_.Open();
    EXPECT_TRUE(both_.Attach(&component_));
  }

  void Add(std::string text) {
    both_.Push(AddCall{Word(std::move(text)), Reply<Word>(&replies_.emplace_back())});
  }

  ManualTime time_;
  Neighbours neighbours_;
  const std::string name_ = "both";
  Context context_{name_, 1, {time_, neighbours_}};
  SpeakerAndCounter component_{context_};
  std::deque<ReplyRecord<Word>> replies_;  // outlives the mailbox
  Mailbox<SpeakerRequest, CounterRequest> both_{name_, kThree, time_};
};

TEST_F(MailboxOfTwoTest, Push_OfBothServices_IsDispatchedInOrder) {
  // As Refs and planes see it, which know one of its services each.
  Inbox<SpeakerRequest>& speaker = both_;
  Inbox<CounterRequest>& counter = both_;
  std::deque<ReplyRecord<Word>> said(2);
  counter.Push(AddCall{Word("a"), Reply<Word>(&replies_.emplace_back())});
  speaker.Push(SayCall{Word("?"), Reply<Word>(&said[0])});
  counter.Push(AddCall{Word("b"), Reply<Word>(&replies_.emplace_back())});
  while (Dispatch(both_, time_)) {
  }
  speaker.Push(SayCall{Word("?"), Reply<Word>(&said[1])});
  EXPECT_TRUE(Dispatch(both_, time_));
  EXPECT_EQ(said[0].answer()->text, "a");
  EXPECT_EQ(said[1].answer()->text, "ab");
  EXPECT_EQ(speaker.component(), "both");
}

TEST_F(MailboxOfTwoTest, Push_OfBothServices_SharesTheBounds) {
  for (size_t i = 0; i < kThree.max_calls; ++i) Add("");
  ReplyRecord<Word> refused;
  EXPECT_FALSE(both_.Push(SayCall{Word(""), Reply<Word>(&refused)}));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(both_.RefuseAll(absl::UnavailableError("gone")), kThree.max_calls);
}

TEST_F(MailboxOfTwoTest, Attach_OfAComponentThatAnswersOneOfThem_IsFalse) {
  Script script;
  Speaker speaker(context_, script);
  EXPECT_FALSE(both_.Attach(&speaker));
}

}  // namespace
}  // namespace mainspring::testing
