// What a component throws: it fails the call that it was in and the instance with it, and nothing
// else.
#include "mainspring/component.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kSecret[] = "/etc/shadow: permission denied";
constexpr char kSay[] = "/test.Speaker/Say";

// The shortest component there is.
struct Echo final : Component, Handler<SpeakerRequest> {
  using Component::Component;
  void Handle(SpeakerRequest&& request) override {
    SayCall& call = std::get<SayCall>(request);
    call.reply.Send(std::move(call.request));
  }
};

TEST(Component, WithMethodsAlone_StartsAndStops) {
  Stepped<SpeakerRequest> host([](Context& context) { return std::make_unique<Echo>(context); });
  host.Start();
  Answer<Word> answer = SpeakerRef(host.mailbox).Say("hello");
  host.RunReady();
  EXPECT_EQ(AnswerNow(std::move(answer))->text, "hello");
  host.Send(control::Dependency{"mail", true});
  host.Stop();
  EXPECT_THAT(host.lifecycle.events(), ElementsAre("started", "stopped, refused 0"));
}

class ThrowingTest : public ::testing::Test {
 protected:
  // The one failure that was reported.
  Failure TheFailure() {
    EXPECT_EQ(host_.lifecycle.failures().size(), 1u);
    return host_.lifecycle.failures().empty() ? Failure() : host_.lifecycle.failures()[0];
  }
  void ExpectServesAfterAStart() {
    script_ = Script();
    host_.Start();
    Answer<Word> answer = ref_.Say("still here");
    host_.RunReady();
    EXPECT_TRUE(AnswerNow(std::move(answer)).ok());
  }

  Script script_;
  Stepped<SpeakerRequest> host_{
      [this](Context& context) { return std::make_unique<Speaker>(context, script_); }};
  const SpeakerRef ref_{host_.mailbox};
};

TEST_F(ThrowingTest, Constructor_WhenItThrows_IsReportedAndLeavesNoInstance) {
  script_.construct = [](Context&) { throw std::runtime_error(kSecret); };
  host_.Start();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("failed in construction"));
  EXPECT_EQ(TheFailure().error, absl::StrCat("INTERNAL: ", kSecret));
  ExpectServesAfterAStart();
}

TEST_F(ThrowingTest, Start_WhenItThrows_IsReportedAndKeepsTheQueue) {
  script_.start = [](Context&) -> absl::Status { throw std::runtime_error(kSecret); };
  host_.mailbox->Open();
  Answer<Word> queued = ref_.Say("queued");
  host_.Start();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("failed in Start"));
  EXPECT_EQ(script_.destroyed, 1);
  EXPECT_EQ(script_.stopped, 0);
  ExpectServesAfterAStart();
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok());
}

// Whatever is thrown.
struct Thrown {
  const char* name;
  std::function<void()> throw_it;
  const char* text;
};

class MethodThrowsTest : public ThrowingTest, public ::testing::WithParamInterface<Thrown> {};

TEST_P(MethodThrowsTest, Method_WhenItThrows_FailsItsCallAloneAndHidesTheText) {
  script_.say = [](Context&, SayCall call) {
    if (call.request.text == "bad") GetParam().throw_it();
    call.reply.Send(std::move(call.request));
  };
  host_.Start();
  Answer<Word> before = ref_.Say("before"), bad = ref_.Say("bad"), after = ref_.Say("after");
  host_.RunReady();

  EXPECT_TRUE(AnswerNow(std::move(before)).ok());
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", std::string("failed in ") + kSay));
  const Failure failure = TheFailure();
  EXPECT_THAT(failure.error, AllOf(StartsWith("INTERNAL: "), HasSubstr(GetParam().text)));
  EXPECT_EQ(failure.request_id.size(), 16u);

  const absl::Status status = AnswerNow(std::move(bad)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("request_id=" + failure.request_id), Not(HasSubstr(kSecret))));

  EXPECT_EQ(host_.mailbox->stats().queued_calls, 1u) << "it waits for the next instance";
  EXPECT_FALSE(host_.mailbox->closed());
  ExpectServesAfterAStart();
  EXPECT_EQ(AnswerNow(std::move(after))->text, "after");
}

INSTANTIATE_TEST_SUITE_P(
    All, MethodThrowsTest,
    ::testing::Values(Thrown{"Exception", [] { throw std::runtime_error(kSecret); }, kSecret},
                      Thrown{"BadAlloc", [] { throw std::bad_alloc(); }, "bad_alloc"},
                      Thrown{"Int", [] { throw 42; }, "not a std::exception"},
                      Thrown{"Text", [] { throw "text"; }, "not a std::exception"}),
    [](const auto& info) { return info.param.name; });

TEST_F(ThrowingTest, Method_WhenItThrowsAnyBytes_IsReportedAsBoundedUtf8) {
  script_.say = [](Context&, SayCall call) { throw std::runtime_error(call.request.text); };
  for (const std::string& thrown : {std::string("caf\xE9"), std::string(size_t{5} << 20, 'x')}) {
    host_.Start();
    Answer<Word> answer = ref_.Say(thrown);
    host_.RunReady();
    const Failure failure = host_.lifecycle.failures().back();
    EXPECT_EQ(failure.error, BoundedText("INTERNAL: " + thrown));
    EXPECT_LE(failure.error.size(), kMaxText);
    EXPECT_EQ(AnswerNow(std::move(answer)).status().code(), absl::StatusCode::kInternal);
  }
}

TEST_F(ThrowingTest, Start_WhenItsErrorIsAnyBytes_IsReportedAsBoundedUtf8) {
  script_.start = [](Context&) { return absl::NotFoundError("caf\xE9"); };
  host_.Start();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("not started: NOT_FOUND: caf\\xe9"));
  script_.start = [](Context&) { return absl::NotFoundError(std::string(size_t{5} << 20, 'x')); };
  host_.Start();
  EXPECT_LE(host_.lifecycle.events().back().size(), 2 * kMaxText);
}

TEST_F(ThrowingTest, Method_WhenItThrowsAfterTheAnswer_LeavesTheAnswer) {
  script_.say = [](Context&, SayCall call) {
    call.reply.Send(std::move(call.request));
    throw std::runtime_error(kSecret);
  };
  host_.Start();
  Answer<Word> answer = ref_.Say("x");
  host_.RunReady();
  EXPECT_TRUE(AnswerNow(std::move(answer)).ok());
  EXPECT_EQ(host_.lifecycle.failures().size(), 1u);
}

TEST_F(ThrowingTest, StreamMethod_WhenItThrows_EndsItsStreamWithTheRequestId) {
  script_.recount = [](Context&, RecountCall) { throw std::runtime_error(kSecret); };
  host_.Start();
  AnswerStream<Word> answers = ref_.Recount("x");
  host_.RunReady();
  EXPECT_FALSE(answers.AwaitNext(kNoWait).has_value());
  EXPECT_EQ(answers.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(answers.status().message()),
              HasSubstr("request_id=" + TheFailure().request_id));
  EXPECT_EQ(TheFailure().during, "/test.Speaker/Recount");
}

TEST_F(ThrowingTest, TwoFailures_HaveTwoRequestIds) {
  script_.say = [](Context&, SayCall) { throw 1; };
  host_.Start();
  Answer<Word> first = ref_.Say("x");
  host_.RunReady();
  host_.Start();
  Answer<Word> second = ref_.Say("y");
  host_.RunReady();
  ASSERT_EQ(host_.lifecycle.failures().size(), 2u);
  EXPECT_NE(host_.lifecycle.failures()[0].request_id, host_.lifecycle.failures()[1].request_id);
}

TEST_F(ThrowingTest, Timer_WhenItThrows_EndsTheInstance) {
  script_.start = [](Context& context) {
    context.After(absl::Seconds(1), [] { throw std::runtime_error(kSecret); });
    return absl::OkStatus();
  };
  host_.Start();
  host_.Advance(absl::Seconds(1));
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "failed in a timer"));
  EXPECT_EQ(TheFailure().error, absl::StrCat("INTERNAL: ", kSecret));
  EXPECT_EQ(script_.destroyed, 1);
  ExpectServesAfterAStart();
}

// The id is how an operator finds the failure in the log: an empty one finds nothing.
TEST_F(ThrowingTest, Timer_WhenItThrowsWithAReply_TellsTheRequestIdOfTheFailure) {
  script_.say = [](Context& context, SayCall call) {
    context.After(absl::Seconds(1),
                  [call = std::move(call)] { throw std::runtime_error(kSecret); });
  };
  host_.Start();
  Answer<Word> answer = ref_.Say("x");
  host_.RunReady();
  host_.Advance(absl::Seconds(1));
  const absl::Status status = AnswerNow(std::move(answer)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr(kSecret)));
  EXPECT_NE(TheFailure().request_id, "");
  EXPECT_THAT(std::string(status.message()), HasSubstr("request_id=" + TheFailure().request_id));
}

TEST_F(ThrowingTest, Callback_WhenItThrows_EndsTheInstanceAndAnswersItsReply) {
  script_.say = [this](Context& context, SayCall call) {
    host_.mailbox->Post(context.generation(),
                        [call = std::move(call)] { throw std::runtime_error(kSecret); });
  };
  host_.Start();
  Answer<Word> answer = ref_.Say("x");
  host_.RunReady();
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "failed in a callback"));
  const absl::Status status = AnswerNow(std::move(answer)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr(kSecret)));
  ExpectServesAfterAStart();
}

TEST_F(ThrowingTest, Stop_WhenItThrows_IsReportedAndStillStops) {
  script_.stop = [](Context&) { throw std::runtime_error(kSecret); };
  host_.Start();
  host_.Stop();
  EXPECT_THAT(host_.lifecycle.events(),
              ElementsAre("started", "failed in Stop", "stopped, refused 0"));
  EXPECT_EQ(script_.destroyed, 1);
  ExpectServesAfterAStart();
}

// Of an instance that is replaced or discarded, nothing else is reported.
TEST_F(ThrowingTest, Stop_WhenItThrowsUnasked_IsReportedAndStillMakesWay) {
  script_.stop = [](Context&) { throw std::runtime_error(kSecret); };
  host_.Start();
  host_.Start();
  host_.Send(control::Discard{});
  EXPECT_THAT(host_.lifecycle.events(),
              ElementsAre("started", "failed in Stop", "started", "failed in Stop"));
  EXPECT_THAT(host_.lifecycle.generations(), ElementsAre(1, 1, 2, 2));
  EXPECT_EQ(script_.destroyed, 2);
  ExpectServesAfterAStart();
}

TEST_F(ThrowingTest, DependencyChanged_WhenItThrows_EndsTheInstanceAndKeepsTheQueue) {
  script_.dependency_changed = [](Context&, const std::string&, bool) {
    throw std::runtime_error(kSecret);
  };
  host_.Start();
  Answer<Word> queued = ref_.Say("queued");
  host_.Send(control::Dependency{"mail", false});
  EXPECT_THAT(host_.lifecycle.events(), ElementsAre("started", "failed in DependencyChanged"));
  EXPECT_EQ(TheFailure().error, absl::StrCat("INTERNAL: ", kSecret));
  EXPECT_EQ(script_.destroyed, 1);
  EXPECT_EQ(script_.stopped, 0);
  ExpectServesAfterAStart();
  EXPECT_TRUE(AnswerNow(std::move(queued)).ok());
}

TEST_F(ThrowingTest, Method_WhenItThrowsWhileStopping_RefusesTheRestAndStops) {
  script_.say = [](Context&, SayCall) { throw std::runtime_error(kSecret); };
  host_.Start();
  Answer<Word> bad = ref_.Say("bad"), rest = ref_.Say("rest");
  host_.Stop();
  EXPECT_EQ(AnswerNow(std::move(bad)).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(AnswerNow(std::move(rest)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(script_.stopped, 0) << "not called after a failure";
  EXPECT_THAT(host_.lifecycle.events(),
              ElementsAre("started", std::string("failed in ") + kSay, "stopped, refused 1"));
}

TEST_F(ThrowingTest, RepliesKeptByTheInstance_WhenItFails_AreAnsweredWithItsRequestId) {
  std::optional<SayCall> kept;
  // Kept by the instance: gone with it.
  script_.destroy = [&] { kept.reset(); };
  script_.say = [&](Context&, SayCall call) {
    if (kept.has_value()) throw std::runtime_error("x");
    kept = std::move(call);
  };
  host_.Start();
  Answer<Word> first = ref_.Say("first");
  Answer<Word> second = ref_.Say("second");
  host_.RunReady();
  const absl::Status kept_one = AnswerNow(std::move(first)).status();
  const absl::Status thrown = AnswerNow(std::move(second)).status();
  EXPECT_EQ(thrown.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(kept_one.code(), absl::StatusCode::kUnavailable) << "it may be tried again";
  const std::string told(thrown.message());
  const std::string id = told.substr(told.find("request_id="));
  EXPECT_THAT(std::string(kept_one.message()), HasSubstr(id));
}

}  // namespace
}  // namespace mainspring::testing
