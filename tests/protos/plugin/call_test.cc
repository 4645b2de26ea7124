// What the plugin writes, compiled and called: a component answers each alternative of its request
// enum, and a ref asks for each.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "kinds.component.pb.h"
#include "mainspring/mailbox.h"
#include "mirror.component.pb.h"
#include "shop/counter.component.pb.h"
#include "shop/parts.component.pb.h"
#include "taken.component.pb.h"
#include "tests/components/mainspring/fakes.h"

namespace mainspring::golden::v1 {
namespace {

// Cuts a key for each blank; counts; adds up; gives back what it is told.
class Locksmith final : public LocksmithComponent {
 public:
  using LocksmithComponent::LocksmithComponent;

  void CutKey(CutKeyRequest request, Reply<CutKeyResponse> reply) override {
    CutKeyResponse response;
    response.set_key("key of " + request.blank());
    reply.Send(std::move(response));
  }

  void ListKeys(ListKeysRequest request, ReplyStream<ListKeysResponse> replies) override {
    for (int i = 0; i < request.count(); ++i) {
      ListKeysResponse response;
      response.set_key(std::to_string(i));
      replies.Write(std::move(response));
    }
    replies.Finish();
  }

  void Collect(RequestStream<CollectRequest> requests, Reply<CollectResponse> reply) override {
    collected_ = std::move(requests);
    collect_reply_ = std::move(reply);
    collected_.Read([this](std::optional<CollectRequest> request) { Add(std::move(request)); });
  }

  void Chat(RequestStream<ChatRequest> requests, ReplyStream<ChatResponse> replies) override {
    heard_ = std::move(requests);
    chat_replies_ = std::move(replies);
    heard_.Read([this](std::optional<ChatRequest> request) { Answer(std::move(request)); });
  }

 private:
  void Add(std::optional<CollectRequest> request) {
    if (request.has_value()) {
      sum_ += request->value();
      collected_.Read([this](std::optional<CollectRequest> next) { Add(std::move(next)); });
    } else {
      CollectResponse response;
      response.set_sum(sum_);
      collect_reply_.Send(std::move(response));
    }
  }

  void Answer(std::optional<ChatRequest> request) {
    if (request.has_value()) {
      ChatResponse response;
      response.set_text(request->text() + "!");
      chat_replies_.Write(std::move(response));
      heard_.Read([this](std::optional<ChatRequest> next) { Answer(std::move(next)); });
    } else {
      chat_replies_.Finish();
    }
  }

  RequestStream<CollectRequest> collected_;
  Reply<CollectResponse> collect_reply_;
  int sum_ = 0;
  RequestStream<ChatRequest> heard_;
  ReplyStream<ChatResponse> chat_replies_;
};

// Where an answer goes.
template <class T>
struct Answered final : ReplySink<T> {
  void Succeed(T&& response) override { answer = std::move(response); }
  void Fail(absl::Status status) override { answer = std::move(status); }
  absl::StatusOr<T> answer = absl::UnknownError("not answered");
};

template <class T>
struct AnsweredStream final : StreamSink<T> {
  WriteResult Write(T&& message) override {
    messages.push_back(std::move(message));
    return WriteResult::kAccepted;
  }
  void OnReady(Callback) override {}
  void Finish(absl::Status with) override { status = std::move(with); }
  std::vector<T> messages;
  absl::Status status = absl::UnknownError("not finished");
};

// Messages that are all there already: each read is called back at once.
template <class T>
struct Sent final : StreamSource<T> {
  void Read(ReadCallback<T> callback) override {
    callback(next < messages.size() ? std::optional<T>(messages[next++]) : std::nullopt);
  }
  void Release() override {}
  std::vector<T> messages;
  size_t next = 0;
};

struct NoOthers final : Directory {
  std::shared_ptr<Addressee> Find(absl::string_view) const override { return nullptr; }
  std::vector<std::string> Names() const override { return {}; }
};

class CallTest : public ::testing::Test {
 protected:
  const std::string name_ = "smith";
  NoOthers directory_;
  Context context_{name_, 1, {TimeSource::Real(), directory_}};
  // The component may hold its streams for as long as it lives.
  Sent<CollectRequest> collected_;
  Answered<CollectResponse> collect_answer_;
  Sent<ChatRequest> heard_;
  AnsweredStream<ChatResponse> chat_answers_;
  Locksmith locksmith_{context_};
};

TEST_F(CallTest, UnaryCall_ReachesItsMethod) {
  Answered<CutKeyResponse> answered;
  CutKeyRequest request;
  request.set_blank("brass");
  locksmith_.Handle(LocksmithCall::CutKey{std::move(request), Reply<CutKeyResponse>(&answered)});
  ASSERT_TRUE(answered.answer.ok()) << answered.answer.status();
  EXPECT_EQ(answered.answer->key(), "key of brass");
}

TEST_F(CallTest, ServerStreamCall_ReachesItsMethod) {
  AnsweredStream<ListKeysResponse> answered;
  ListKeysRequest request;
  request.set_count(2);
  locksmith_.Handle(
      LocksmithCall::ListKeys{std::move(request), ReplyStream<ListKeysResponse>(&answered)});
  EXPECT_TRUE(answered.status.ok()) << answered.status;
  ASSERT_EQ(answered.messages.size(), 2u);
  EXPECT_EQ(answered.messages[1].key(), "1");
}

TEST_F(CallTest, ClientStreamCall_ReachesItsMethod) {
  for (int value : {20, 22}) collected_.messages.emplace_back().set_value(value);
  locksmith_.Handle(LocksmithCall::Collect{RequestStream<CollectRequest>(&collected_),
                                           Reply<CollectResponse>(&collect_answer_)});
  ASSERT_TRUE(collect_answer_.answer.ok()) << collect_answer_.answer.status();
  EXPECT_EQ(collect_answer_.answer->sum(), 42);
}

TEST_F(CallTest, Dialog_ReachesItsMethod) {
  heard_.messages.emplace_back().set_text("hello");
  locksmith_.Handle(LocksmithCall::Chat{RequestStream<ChatRequest>(&heard_),
                                        ReplyStream<ChatResponse>(&chat_answers_)});
  EXPECT_TRUE(chat_answers_.status.ok()) << chat_answers_.status;
  ASSERT_EQ(chat_answers_.messages.size(), 1u);
  EXPECT_EQ(chat_answers_.messages[0].text(), "hello!");
}

TEST_F(CallTest, Ref_PushesEachAlternativeInItsOrder) {
  const auto mailbox =
      std::make_shared<Mailbox<LocksmithRequest>>(name_, MailboxOptions{}, TimeSource::Real());
  mailbox->Open();
  ASSERT_TRUE(mailbox->Attach(&locksmith_));
  const LocksmithRef ref(mailbox);

  CutKeyRequest brass;
  brass.set_blank("brass");
  Answer<CutKeyResponse> key = ref.CutKey(std::move(brass));
  ListKeysRequest one;
  one.set_count(1);
  AnswerStream<ListKeysResponse> keys = ref.ListKeys(std::move(one));
  ASSERT_TRUE(testing::Dispatch(*mailbox, TimeSource::Real()));
  ASSERT_TRUE(testing::Dispatch(*mailbox, TimeSource::Real()));
  EXPECT_FALSE(testing::Dispatch(*mailbox, TimeSource::Real()));

  absl::StatusOr<CutKeyResponse> cut = key.Await();
  ASSERT_TRUE(cut.ok()) << cut.status();
  EXPECT_EQ(cut->key(), "key of brass");
  std::optional<ListKeysResponse> listed = keys.AwaitNext();
  ASSERT_TRUE(listed.has_value());
  EXPECT_EQ(listed->key(), "0");
  EXPECT_FALSE(keys.AwaitNext().has_value());
  EXPECT_TRUE(keys.status().ok()) << keys.status();
}

TEST(RequestEnum, HasTheCallsInTheOrderOfTheProto) {
  EXPECT_TRUE(
      (std::is_same_v<std::variant_alternative_t<3, LocksmithRequest>, LocksmithCall::Chat>));
  EXPECT_EQ(std::variant_size_v<LocksmithRequest>, 4);
  EXPECT_STREQ(LocksmithMethods::kService, "mainspring.golden.v1.Locksmith");
  EXPECT_STREQ(LocksmithCall::Chat::kMethod, "/mainspring.golden.v1.Locksmith/Chat");
}

TEST(RequestEnum, WhenAMessageHasItsName_HasAnUnderscore) {
  using mirror::v1::MirrorCall;
  using mirror::v1::MirrorComponent;
  using mirror::v1::MirrorRequest;
  using mirror::v1::MirrorRequest_;
  EXPECT_TRUE((std::is_same_v<MirrorComponent::Request, MirrorRequest_>));
  EXPECT_TRUE(
      (std::is_same_v<std::variant_alternative_t<0, MirrorRequest_>, MirrorCall::MirrorInfo>));
  EXPECT_TRUE(
      (std::is_same_v<decltype(MirrorCall::MirrorInfo::requests), RequestStream<MirrorRequest>>));
}

TEST(SharedRequest, OfTwoRpcs_MakesTwoAlternatives) {
  using shop::v1::CounterCall;
  EXPECT_TRUE(
      (std::is_same_v<decltype(CounterCall::Show::request), decltype(CounterCall::Sell::request)>));
  EXPECT_EQ(shop::v1::CounterRequest(CounterCall::Sell{}).index(), 1);
}

TEST(TwoServicesOfOnePackage, WithRpcsOfOneName_HaveCallsOfTheirOwn) {
  using taken::v1::JobCall_;
  using taken::v1::JobRefCall;
  EXPECT_STREQ(JobCall_::Start__::kMethod, "/mainspring.golden.taken.v1.Job/Start");
  EXPECT_STREQ(JobRefCall::Start_::kMethod, "/mainspring.golden.taken.v1.JobRef/Start");
}

}  // namespace
}  // namespace mainspring::golden::v1
