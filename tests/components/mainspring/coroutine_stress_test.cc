// Coroutines on threads of their own, while callers go, components throw, fail, are restarted,
// drained and paused: every call is answered once, and nothing is left. For the sanitizers, which
// see what is leaked and raced for; MAINSPRING_STRESS_CALLS says how many calls, a few where it
// says nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mainspring/component_thread.h"
#include "mainspring/coroutine.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

constexpr int kCallers = 3;
constexpr size_t kWindow = 32;

size_t CallsWanted() {
  const char* const wanted = std::getenv("MAINSPRING_STRESS_CALLS");
  return wanted == nullptr ? 20'000 : std::strtoull(wanted, nullptr, 10);
}

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  // One of so many.
  size_t Roll(size_t sides) { return engine_() % sides; }

 private:
  std::minstd_rand engine_;
};

// Answers at once, later, or not; throws and fails now and then.
class Moody final : public Component, public Handler<SpeakerRequest> {
 public:
  explicit Moody(Context& context)
      : Component(context), dice_(static_cast<unsigned>(context.generation())) {}

  void Handle(SpeakerRequest&& request) override {
    if (auto* say = std::get_if<SayCall>(&request))
      Say(std::move(say->request), std::move(say->reply));
    if (auto* recount = std::get_if<RecountCall>(&request)) {
      Recount(std::move(recount->request), std::move(recount->replies));
    }
  }

 private:
  void Say(Word word, Reply<Word> reply) {
    const size_t mood = dice_.Roll(4000);
    if (mood == 0) context().Fail(absl::InternalError("moody"));
    if (mood < 20) throw std::runtime_error("moody");
    if (mood < 40) co_return;
    if (mood < 400) co_await context().Sleep(absl::Microseconds(dice_.Roll(500)));
    if (mood < 420) throw std::runtime_error("moody, later");
    reply.Send(std::move(word));
  }
  void Recount(Word word, ReplyStream<Word> replies) {
    for (size_t i = dice_.Roll(40); i > 0; --i) {
      if (!co_await replies.Send(word)) co_return;
    }
    replies.Finish();
  }

  Dice dice_;
};

// Asks the other for all that it is asked.
class Asking final : public Component, public Handler<SpeakerRequest> {
 public:
  Asking(Context& context, SpeakerRef other)
      : Component(context),
        other_(std::move(other)),
        dice_(static_cast<unsigned>(context.generation())) {}

  void Handle(SpeakerRequest&& request) override {
    if (auto* say = std::get_if<SayCall>(&request))
      Say(std::move(say->request), std::move(say->reply));
    if (auto* recount = std::get_if<RecountCall>(&request)) {
      Recount(std::move(recount->request), std::move(recount->replies));
    }
  }

 private:
  Task<absl::StatusOr<Word>> Ask(std::string text, const CallContext& from) {
    co_return co_await other_.Say(std::move(text), {.from = from});
  }
  void Say(Word word, Reply<Word> reply) {
    absl::StatusOr<Word> first = co_await Ask(word.text, reply.context());
    if (first.ok() && dice_.Roll(4) == 0) first = co_await other_.Say(first->text);
    reply.Send(std::move(first));
  }
  void Recount(Word word, ReplyStream<Word> replies) {
    AnswerStream<Word> words = other_.Recount(word.text, {.from = replies.context()});
    while (std::optional<Word> next = co_await words.Read()) {
      if (!co_await replies.Send(*std::move(next))) co_return;
    }
    replies.Finish(words.status());
  }

  const SpeakerRef other_;
  Dice dice_;
};

// A component, and what a supervisor would do for it.
class Supervised final : public LifecycleObserver {
 public:
  explicit Supervised(ComponentFactory factory)
      : mailbox_(std::make_shared<Mailbox<SpeakerRequest>>("subject", MailboxOptions(),
                                                           TimeSource::Real())),
        thread_(ComponentThread::Start(mailbox_, std::move(factory),
                                       Surroundings{TimeSource::Real(), neighbours_}, *this)
                    .value()) {
    mailbox_->Open();
    Restart();
  }
  ~Supervised() override {
    mailbox_->Close(absl::UnavailableError("over"));
    thread_.reset();
  }

  void OnFailed(const std::string&, uint64_t, const Failure&) override { Restart(); }
  void Restart() {
    mailbox_->PushControl(
        control::Start{generation_.fetch_add(1) + 1,
                       generation_ % 2 == 0 ? OnException::kFailCall : OnException::kRestart});
  }
  MailboxBase& mailbox() { return *mailbox_; }
  SpeakerRef ref() const { return SpeakerRef(mailbox_); }

 private:
  Neighbours neighbours_;
  std::atomic<uint64_t> generation_{0};
  const std::shared_ptr<Mailbox<SpeakerRequest>> mailbox_;
  std::unique_ptr<ComponentThread> thread_;
};

// Calls, waits for some of the answers, and lets go of others.
void CallOften(const SpeakerRef& ref, unsigned seed, size_t calls, std::atomic<size_t>& answered) {
  Dice dice(seed);
  std::vector<Answer<Word>> window;
  for (size_t i = 0; i < calls; ++i) {
    const SteadyTime deadline =
        dice.Roll(10) == 0 ? After(std::chrono::steady_clock::now(), absl::Microseconds(300))
                           : Patience();
    if (dice.Roll(50) == 0) {
      AnswerStream<Word> words = ref.Recount("word", {.deadline = deadline});
      for (size_t left = dice.Roll(20); left > 0 && words.AwaitNext(deadline).has_value(); --left) {
      }
      ++answered;
      continue;
    }
    window.push_back(ref.Say(std::to_string(i), {.deadline = deadline}));
    if (window.size() < kWindow) continue;
    std::swap(window[dice.Roll(window.size())], window.back());
    if (dice.Roll(8) != 0) {
      const absl::StatusOr<Word> answer = window.back().Await(Patience());
      EXPECT_NE(answer.status().message(), "no answer came in time");
    }
    ++answered;
    window.pop_back();
  }
  for (Answer<Word>& each : window) {
    EXPECT_NE(each.Await(Patience()).status().message(), "no answer came in time");
    ++answered;
  }
}

TEST(CoroutineStress, CallsThroughTwoComponents_AreAllAnswered) {
  const size_t calls = CallsWanted() / kCallers;
  Supervised moody([](Context& context) { return std::make_unique<Moody>(context); });
  Supervised asking(
      [ref = moody.ref()](Context& context) { return std::make_unique<Asking>(context, ref); });
  std::atomic<size_t> answered{0};
  std::atomic<bool> over{false};
  std::thread chaos([&] {
    Dice dice(7);
    while (!over) {
      Supervised& victim = dice.Roll(2) == 0 ? moody : asking;
      switch (dice.Roll(5)) {
        case 0:
          victim.Restart();
          break;
        case 1:
          victim.mailbox().PushControl(control::Pause{});
          victim.mailbox().PushControl(control::Resume{});
          break;
        case 2:
          victim.mailbox().PushControl(control::Drain{dice.Roll(2) == 0});
          break;
        case 3:
          victim.mailbox().Close(absl::UnavailableError("draining"));
          victim.mailbox().Open();
          break;
        default:
          victim.mailbox().RefuseAll(absl::UnavailableError("stopped"));
      }
      // A few calls later.
      const size_t next = answered + 20;
      while (!over && answered < next) std::this_thread::yield();
    }
  });
  std::vector<std::thread> callers;
  for (unsigned i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] { CallOften(asking.ref(), i + 1, calls, answered); });
  }
  for (std::thread& each : callers) each.join();
  over = true;
  chaos.join();
  EXPECT_EQ(answered, calls * kCallers);
}

}  // namespace
}  // namespace mainspring::testing
