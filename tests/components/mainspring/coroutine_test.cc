// Methods of components that are coroutines.
#include "mainspring/coroutine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What a test looks at when the component has gone.
struct Diary {
  std::vector<std::string> lines;
  void Write(std::string line) { lines.push_back(std::move(line)); }
};

// Writes that it was destroyed.
class Tombstone {
 public:
  Tombstone(Diary& diary, std::string of) : diary_(&diary), of_(std::move(of)) {}
  Tombstone(Tombstone&& other) noexcept
      : diary_(std::exchange(other.diary_, nullptr)), of_(std::move(other.of_)) {}
  ~Tombstone() {
    if (diary_ != nullptr) diary_->Write("destroyed " + of_);
  }

 private:
  Diary* diary_;
  std::string of_;
};

// Asks another for all that it is asked, in coroutines.
class Scribe : public Component, public Handler<SpeakerRequest> {
 public:
  Scribe(Context& context, SpeakerRef other, Diary& diary)
      : Component(context), other_(std::move(other)), diary_(diary) {}
  ~Scribe() override { diary_.Write("destroyed the component"); }

  void Handle(SpeakerRequest&& request) override {
    std::visit([this](auto& call) { Do(std::move(call)); }, request);
  }

 protected:
  void Do(SayCall call) { Say(std::move(call.request), std::move(call.reply)); }
  void Do(RecountCall call) { Recount(std::move(call.request), std::move(call.replies)); }
  void Do(GatherCall call) { Gather(std::move(call.requests), std::move(call.reply)); }
  void Do(TalkCall) {}

  void Say(Word request, Reply<Word> reply) {
    const Tombstone tombstone(diary_, request.text);
    if (request.text == "throw at once") throw std::runtime_error("at once");
    if (request.text == "sleep") {
      co_await context().Sleep(absl::Seconds(1));
      reply.Send(Word{"slept"});
      co_return;
    }
    if (request.text == "task") {
      std::string twice = co_await Twice("ab");
      reply.Send(Word{std::move(twice)});
      co_return;
    }
    if (request.text == "throw in a task") {
      const std::string never = co_await Failing();
      reply.Send(Word{never});
      co_return;
    }
    absl::StatusOr<Word> answer = co_await other_.Say(request.text, {.from = reply.context()});
    if (request.text == "throw") throw std::runtime_error("later");
    if (request.text == "throw with a moved reply") {
      const Reply<Word> moved = std::move(reply);
      throw std::runtime_error("later");
    }
    reply.Send(std::move(answer));
  }

  // Each answer of the other, with a mark.
  void Recount(Word request, ReplyStream<Word> replies) {
    AnswerStream<Word> words = other_.Recount(request.text, {.from = replies.context()});
    while (std::optional<Word> word = co_await words.Read()) {
      if (!co_await replies.Send(Word{word->text + "!"})) {
        diary_.Write("closed");
        co_return;
      }
    }
    replies.Finish(words.status());
  }

  void Gather(RequestStream<Word> requests, Reply<Word> reply) {
    std::string all;
    while (std::optional<Word> word = co_await requests.Read()) all += word->text;
    reply.Send(Word{all});
  }

  Task<std::string> Twice(std::string text) {
    co_await Nap();
    absl::StatusOr<Word> answer = co_await other_.Say(text);
    co_return answer->text + answer->text;
  }
  Task<> Nap() { co_await context().Sleep(absl::Seconds(1)); }
  Task<std::string> Failing() {
    co_await Nap();
    throw std::runtime_error("in a task");
  }

  const SpeakerRef other_;
  Diary& diary_;
};

class CoroutineTest : public ::testing::Test {
 protected:
  CoroutineTest() {
    other_.on_exception = host_.on_exception = OnException::kFailCall;
    other_.Start();
    host_.Start();
  }

  template <class A>
  absl::StatusOr<Word> Settled(A answer) {
    Settle();
    return AnswerNow(std::move(answer));
  }
  // Both, in turns.
  void Settle() {
    for (int i = 0; i < 50; ++i) {
      host_.RunReady();
      other_.RunReady();
    }
  }

  Script script_;
  Stepped<SpeakerRequest> other_{
      [this](Context& context) { return std::make_unique<Speaker>(context, script_); }};
  Diary diary_;
  Stepped<SpeakerRequest> host_{[this](Context& context) {
    return std::make_unique<Scribe>(context, SpeakerRef(other_.mailbox), diary_);
  }};
  const SpeakerRef ref_{host_.mailbox};
};

TEST_F(CoroutineTest, Await_GetsTheAnswerAndGoesOn) {
  Answer<Word> answer = ref_.Say("hello");
  EXPECT_EQ(Settled(std::move(answer))->text, "hello");
  EXPECT_THAT(diary_.lines, ElementsAre("destroyed hello"));
}

TEST_F(CoroutineTest, Await_GetsAnErrorAsStatus) {
  script_.say = [](Context&, SayCall call) { call.reply.Fail(absl::NotFoundError("nobody")); };
  EXPECT_EQ(Settled(ref_.Say("hello")).status(), absl::NotFoundError("nobody"));
}

TEST_F(CoroutineTest, WhileOneWaits_OthersAreServed) {
  std::vector<Reply<Word>> kept;
  script_.say = [&](Context&, SayCall call) {
    if (call.request.text == "slow") return kept.push_back(std::move(call.reply));
    call.reply.Send(std::move(call.request));
  };
  Answer<Word> slow = ref_.Say("slow");
  EXPECT_EQ(Settled(ref_.Say("quick"))->text, "quick");
  kept.front().Send(Word{"at last"});
  EXPECT_EQ(Settled(std::move(slow))->text, "at last");
}

TEST_F(CoroutineTest, Sleep_EndsWhenTheTimeHasPassed) {
  Answer<Word> answer = ref_.Say("sleep");
  Settle();
  host_.Advance(absl::Milliseconds(999));
  EXPECT_TRUE(diary_.lines.empty());
  host_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(AnswerNow(std::move(answer))->text, "slept");
}

TEST_F(CoroutineTest, Task_GivesItsResultToWhoAwaitsIt) {
  Answer<Word> answer = ref_.Say("task");
  Settle();
  host_.Advance(absl::Seconds(1));
  EXPECT_EQ(Settled(std::move(answer))->text, "abab");
}

TEST_F(CoroutineTest, Exception_IsTheCallsWhereverItIsThrown) {
  for (const std::string how :
       {"throw at once", "throw", "throw with a moved reply", "throw in a task"}) {
    Answer<Word> answer = ref_.Say(how);
    Settle();
    host_.Advance(absl::Seconds(1));
    const absl::Status failed = Settled(std::move(answer)).status();
    EXPECT_EQ(failed.code(), absl::StatusCode::kInternal) << how;
    EXPECT_THAT(std::string(failed.message()),
                HasSubstr("request_id=" + host_.lifecycle.failures().back().request_id))
        << how;
    EXPECT_EQ(host_.lifecycle.failures().back().during, "/test.Speaker/Say") << how;
  }
  EXPECT_EQ(host_.mailbox->stats().failed, 4u);
  EXPECT_EQ(Settled(ref_.Say("hello"))->text, "hello") << "the instance goes on";
}

TEST_F(CoroutineTest, Exception_WhereThePolicyIsRestart_CostsTheInstance) {
  host_.on_exception = OnException::kRestart;
  host_.Start();
  EXPECT_EQ(Settled(ref_.Say("throw")).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(host_.lifecycle.events().back(), "failed in /test.Speaker/Say");
}

TEST_F(CoroutineTest, WhenTheInstanceGoes_ItIsDestroyedBeforeTheComponent) {
  bool cancelled = false;
  std::vector<SayCall> kept;
  script_.say = [&](Context&, SayCall call) {
    call.reply.OnCancel([&] { cancelled = true; });
    kept.push_back(std::move(call));
  };
  Answer<Word> first = ref_.Say("first");
  Answer<Word> sleeper = ref_.Say("sleep");
  Settle();
  host_.Stop(absl::ZeroDuration());
  Settle();
  EXPECT_THAT(diary_.lines,
              ElementsAre("destroyed sleep", "destroyed first", "destroyed the component"));
  EXPECT_TRUE(cancelled) << "nobody waits for what it asked";
  EXPECT_EQ(AnswerNow(std::move(first)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(AnswerNow(std::move(sleeper)).status().code(), absl::StatusCode::kUnavailable);
  kept.clear();
  EXPECT_TRUE(host_.RunReady()) << "an answer that comes too late goes nowhere";
}

TEST_F(CoroutineTest, WhenTheCallerGoes_WhatItAskedForIsCancelled) {
  std::vector<SayCall> kept;
  script_.say = [&](Context&, SayCall call) { kept.push_back(std::move(call)); };
  {
    Answer<Word> abandoned = ref_.Say("hello");
    Settle();
  }
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_TRUE(kept.front().reply.cancelled());
  kept.clear();
  Settle();
  EXPECT_THAT(diary_.lines, ElementsAre("destroyed hello"));
}

TEST_F(CoroutineTest, ReadAndSend_PassAStreamOn) {
  script_.recount = [](Context&, RecountCall call) {
    for (int i = 0; i < 10; ++i) call.replies.Write(Word{std::to_string(i)});
    call.replies.Finish();
  };
  AnswerStream<Word> words = ref_.Recount("all");
  Settle();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(words.AwaitNext(kNoWait)->text, std::to_string(i) + "!");
  Settle();
  EXPECT_FALSE(words.AwaitNext(kNoWait).has_value());
  EXPECT_TRUE(words.status().ok()) << words.status();
}

TEST_F(CoroutineTest, Send_WaitsForTheReader) {
  size_t written = 0;
  std::optional<RecountCall> kept;
  std::function<void()> write = [&] {
    WriteResult result;
    while ((result = kept->replies.Write(Word{std::to_string(written)})) ==
           WriteResult::kAccepted) {
      ++written;
    }
    if (result == WriteResult::kFull) kept->replies.OnReady([&] { write(); });
  };
  script_.recount = [&](Context&, RecountCall call) {
    kept = std::move(call);
    write();
  };
  AnswerStream<Word> words = ref_.Recount("all");
  Settle();
  const size_t bound = written;
  EXPECT_LE(bound, 2 * kStreamBuffer + 2) << "a reader that does not read holds them back";
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(words.AwaitNext(kNoWait)->text, std::to_string(i) + "!");
    Settle();
  }
  { const AnswerStream<Word> gone = std::move(words); }
  Settle();
  EXPECT_EQ(diary_.lines.front(), "closed");
  kept.reset();
}

TEST_F(CoroutineTest, Read_GetsWhatACallerSends) {
  Upload<Word, Word> call = ref_.Gather();
  Settle();
  call.requests.Write(Word{"a"});
  call.requests.Write(Word{"b"});
  Settle();
  call.requests.Finish();
  EXPECT_EQ(Settled(std::move(call.answer))->text, "ab");
}

// One that throws as its instance stops, and waits for its neighbours.
class Leaving final : public Component, public Handler<SpeakerRequest> {
 public:
  explicit Leaving(Context& context) : Component(context) {}
  void Stop() override {
    if (context().generation() == 1) Throw();
  }
  void Throw() {
    if (context().generation() != 0) throw std::runtime_error("on the way out");
    co_await context().Sleep(absl::Seconds(1));
  }
  void DependencyChanged(std::string component, bool /*running*/) override {
    co_await context().Sleep(absl::Seconds(1));
    changed = component;
  }
  void Handle(SpeakerRequest&&) override {}
  static inline std::string changed;
};

TEST(Coroutine, ThatThrowsInStop_DoesNotCostTheNextInstance) {
  Stepped<SpeakerRequest> host([](Context& context) { return std::make_unique<Leaving>(context); });
  host.Start();
  host.Start();
  EXPECT_THAT(host.lifecycle.events(),
              ElementsAre("started", "failed a call in destruction", "started"));
  EXPECT_EQ(host.lifecycle.failures().front().error, "INTERNAL: on the way out");
}

TEST(Coroutine, DependencyChanged_MayBeOne) {
  Stepped<SpeakerRequest> host([](Context& context) { return std::make_unique<Leaving>(context); });
  host.Start();
  host.Send(control::Dependency{"a neighbour with quite a long name", true});
  host.Advance(absl::Seconds(1));
  EXPECT_EQ(Leaving::changed, "a neighbour with quite a long name");
}

// One that begins in no call.
class Sleeper final : public Component, public Handler<SpeakerRequest> {
 public:
  explicit Sleeper(Context& context) : Component(context) {}
  absl::Status Start() override {
    Tick();
    return absl::OkStatus();
  }
  void Tick() {
    co_await context().Sleep(absl::Seconds(1));
    throw std::runtime_error("tick");
  }
  void Handle(SpeakerRequest&&) override {}
};

TEST(Coroutine, ThatBeganInNoCall_CostsTheInstanceWhenItThrows) {
  Stepped<SpeakerRequest> host([](Context& context) { return std::make_unique<Sleeper>(context); });
  host.on_exception = OnException::kFailCall;
  host.Start();
  host.Advance(absl::Seconds(1));
  EXPECT_THAT(host.lifecycle.events(), ElementsAre("started", "failed in a timer"));
  EXPECT_EQ(host.lifecycle.failures().front().error, "INTERNAL: tick");
}

class Listener final : public Component, public Handler<SpeakerRequest> {
 public:
  Listener(Context& context, int fd) : Component(context), fd_(fd) {}
  void Handle(SpeakerRequest&& request) override {
    Say(std::move(std::get<SayCall>(request).reply));
  }
  void Say(Reply<Word> reply) {
    co_await context().WhenReadable(fd_);
    // What it is given lies in the frame, and g++ 12 must destroy each once.
    const auto held = std::make_shared<std::string>("ed, over more than a string keeps in itself");
    const absl::StatusOr<std::string> text = co_await context().RunBlocking(
        [](const std::shared_ptr<std::string>& end, std::string begin) { return begin + *end; },
        held, std::string("work"));
    reply.Send(Word(held.use_count() == 1 ? *text : "still held"));
  }

 private:
  const int fd_;
};

TEST(Coroutine, WhenReadableAndRunBlocking_GoOnAfterThem) {
  const int fd = eventfd(0, EFD_NONBLOCK);
  Running<SpeakerRequest> host(
      [fd](Context& context) { return std::make_unique<Listener>(context, fd); });
  Answer<Word> answer = SpeakerRef(host.mailbox).Say("when?");
  eventfd_write(fd, 1);
  EXPECT_EQ(answer.Await(Patience())->text, "worked, over more than a string keeps in itself");
  host.thread.reset();
  close(fd);
}

}  // namespace
}  // namespace mainspring::testing
