// A component and its mailbox with many threads at once.
#include "mainspring/component_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;

class ComponentThreadTest : public ::testing::Test {
 protected:
  std::unique_ptr<Running<SpeakerRequest>> Start(MailboxOptions options = {}) {
    return std::make_unique<Running<SpeakerRequest>>(
        [this](Context& context) { return std::make_unique<Speaker>(context, script_); },
        "speaker-with-a-long-name", options);
  }
  Script script_;
};

TEST_F(ComponentThreadTest, Start_ServesOnAThreadOfItsOwnAndStops) {
  auto host = Start();
  absl::StatusOr<Word> word = SpeakerRef(host->mailbox).Say("hello").Await(Patience());
  ASSERT_TRUE(word.ok()) << word.status();
  EXPECT_EQ(word->text, "hello");
  PushStop(*host->mailbox, Patience());
  ASSERT_TRUE(host->lifecycle.Await(2));
  EXPECT_THAT(host->lifecycle.events(), ElementsAre("started", "stopped, refused 0"));
}

TEST_F(ComponentThreadTest, AllOfAnInstance_HappensOnOneThreadWithItsName) {
  std::vector<std::thread::id> threads;
  std::string name;
  const auto note = [&] { threads.push_back(std::this_thread::get_id()); };
  script_.construct = [&](Context&) { note(); };
  script_.start = [&](Context& context) {
    note();
    context.After(absl::ZeroDuration(), note);
    return absl::OkStatus();
  };
  script_.say = [&](Context&, SayCall call) {
    note();
    call.reply.Send(std::move(call.request));
    char shown[16];
    pthread_getname_np(pthread_self(), shown, sizeof(shown));
    name = shown;
  };
  script_.stop = [&](Context&) { note(); };
  auto host = Start();
  ASSERT_TRUE(host->lifecycle.Await(1));  // the thread has its name by now
  EXPECT_TRUE(SpeakerRef(host->mailbox).Say("x").Await(Patience()).ok());
  PushStop(*host->mailbox, Patience());
  ASSERT_TRUE(host->lifecycle.Await(2));
  ASSERT_EQ(threads.size(), 5u);
  for (std::thread::id thread : threads) EXPECT_EQ(thread, threads[0]);
  EXPECT_NE(threads[0], std::this_thread::get_id());
  EXPECT_EQ(name, "speaker-with-a-");
}

TEST_F(ComponentThreadTest, ThreadIdAndCpuTime_AreThoseOfTheThreadThatServes) {
  int served_on = 0;
  script_.say = [&](Context&, SayCall call) {
    served_on = gettid();
    call.reply.Send(std::move(call.request));
  };
  auto host = Start();
  ASSERT_TRUE(SpeakerRef(host->mailbox).Say("x").Await(Patience()).ok());
  const Runner& runner = *host->thread;
  EXPECT_EQ(runner.thread_id(), served_on);
  EXPECT_GT(runner.cpu_time(), absl::ZeroDuration());
}

TEST_F(ComponentThreadTest, Start_IsALaunch) {
  const Launch launch = &ComponentThread::Start;
  Neighbours neighbours;
  LifecycleRecord lifecycle;
  auto mailbox =
      std::make_shared<Mailbox<SpeakerRequest>>("subject", MailboxOptions(), TimeSource::Real());
  absl::StatusOr<std::unique_ptr<Runner>> runner = launch(
      mailbox, [this](Context& context) { return std::make_unique<Speaker>(context, script_); },
      {TimeSource::Real(), neighbours}, lifecycle);
  ASSERT_TRUE(runner.ok()) << runner.status();
  PushStart(*mailbox);
  EXPECT_TRUE(SpeakerRef(mailbox).Say("hello").Await(Patience()).ok());
}

// Each wait has to end with what comes: a call does not wake one who is paused.
TEST_F(ComponentThreadTest, PauseAndResume_OfAThreadThatWaits_AreCarriedOut) {
  auto host = Start();
  const SpeakerRef ref(host->mailbox);
  for (int i = 0; i < 100; ++i) {
    host->mailbox->PushControl(control::Pause{});
    Latch paused;
    host->mailbox->Post(1, [&] { paused.Open(); });
    ASSERT_TRUE(paused.Wait());
    Answer<Word> waiting = ref.Say("waiting");
    EXPECT_EQ(host->mailbox->stats().queued_calls, 1u);
    host->mailbox->PushControl(control::Resume{});
    ASSERT_TRUE(waiting.Await(Patience()).ok());
  }
}

TEST_F(ComponentThreadTest, Timer_RunsInRealTime) {
  Latch ran;
  script_.start = [&](Context& context) {
    context.After(absl::Milliseconds(5), [&] { ran.Open(); });
    return absl::OkStatus();
  };
  auto host = Start();
  EXPECT_TRUE(ran.Wait());
}

TEST_F(ComponentThreadTest, Destroyed_EndsTheInstanceAndRefusesTheQueue) {
  Latch inside, go_on;
  script_.say = [&](Context&, SayCall call) {
    inside.Open();
    go_on.Wait();
    call.reply.Send(std::move(call.request));
  };
  auto host = Start();
  const SpeakerRef ref(host->mailbox);
  Answer<Word> running = ref.Say("running");
  ASSERT_TRUE(inside.Wait());
  Answer<Word> queued = ref.Say("queued");
  std::thread destroyer([&] { host->thread.reset(); });
  while (!host->mailbox->has_control()) std::this_thread::yield();
  go_on.Open();
  destroyer.join();
  EXPECT_TRUE(running.Await(Patience()).ok());
  EXPECT_EQ(queued.Await(Patience()).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ref.Say("late").Await(Patience()).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(script_.destroyed, 1);
  EXPECT_EQ(script_.stopped, 0);
}

TEST_F(ComponentThreadTest, Failed_ServesItsQueueWithTheNextInstance) {
  script_.say = [](Context& context, SayCall call) {
    if (context.generation() == 1) throw 1;
    call.reply.Send(std::move(call.request));
  };
  auto host = Start();
  const SpeakerRef ref(host->mailbox);
  Answer<Word> bad = ref.Say("bad");
  EXPECT_EQ(bad.Await(Patience()).status().code(), absl::StatusCode::kInternal);
  Answer<Word> queued = ref.Say("queued");
  ASSERT_TRUE(host->lifecycle.Await(2));
  PushStart(*host->mailbox, 2);
  EXPECT_EQ(queued.Await(Patience())->text, "queued");
}

TEST_F(ComponentThreadTest, CurrentMethod_OfABlockedComponent_IsSeenFromAnotherThread) {
  Latch inside, go_on;
  script_.say = [&](Context&, SayCall) {
    inside.Open();
    go_on.Wait();
  };
  auto host = Start();
  const SteadyTime before = TimeSource::Real().CoarseNow();
  Answer<Word> answer = SpeakerRef(host->mailbox).Say("x");
  ASSERT_TRUE(inside.Wait());
  EXPECT_STREQ(host->mailbox->thread_status().doing(), "/test.Speaker/Say");
  EXPECT_GE(host->mailbox->thread_status().since(), before);
  EXPECT_LE(host->mailbox->thread_status().since(), TimeSource::Real().Now());
  go_on.Open();
  host->thread.reset();
  EXPECT_EQ(host->mailbox->thread_status().doing(), nullptr);
}

TEST_F(ComponentThreadTest, ManySenders_AreServedInTheOrderOfEach) {
  constexpr int kSenders = 4, kEach = 1000;
  std::vector<int> next(kSenders);
  bool in_order = true;
  script_.say = [&](Context&, SayCall call) {
    const int number = std::stoi(call.request.text);
    in_order = in_order && next[number / kEach]++ == number % kEach;
    call.reply.Send(std::move(call.request));
  };
  auto host = Start({.max_calls = kSenders * kEach, .max_queue_age = absl::Hours(1)});
  const SpeakerRef ref(host->mailbox);
  ASSERT_TRUE(host->lifecycle.Await(1));
  std::vector<std::thread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&ref, sender] {
      for (int i = 0; i < kEach; ++i) ref.Say(std::to_string(sender * kEach + i)).Detach();
    });
  }
  for (std::thread& sender : senders) sender.join();
  PushStop(*host->mailbox, Patience());
  ASSERT_TRUE(host->lifecycle.Await(2));
  EXPECT_TRUE(in_order);
  for (int served : next) EXPECT_EQ(served, kEach);
}

// Each call is answered exactly once, and counted exactly once, whatever becomes of it.
TEST_F(ComponentThreadTest, ManyProducers_GetOneAnswerToEachCall) {
  struct OneReply final : ReplySink<Word> {
    void Succeed(Word&&) override { answers.fetch_add(1); }
    void Fail(absl::Status) override { answers.fetch_add(1); }
    std::atomic<int> answers{0};
  };
  constexpr int kProducers = 4, kEach = 5000;
  std::vector<OneReply> replies(kProducers * kEach);
  auto host = Start({.max_calls = 64, .max_bytes = 4096, .max_queue_age = absl::Hours(1)});
  ASSERT_TRUE(host->lifecycle.Await(1));
  std::atomic<int> queued{0};
  std::vector<std::thread> producers;
  for (int producer = 0; producer < kProducers; ++producer) {
    producers.emplace_back([&, producer] {
      for (int i = 0; i < kEach; ++i) {
        OneReply& reply = replies[producer * kEach + i];
        if (i % 7 == 0) reply.BeginCall(std::chrono::steady_clock::now());
        if (i % 11 == 0) reply.MarkCancelled();
        if (host->mailbox->Push(SayCall{Word{"hello"}, Reply<Word>(&reply)})) ++queued;
        const MailboxStats stats = host->mailbox->stats();
        // None is ever below zero, which would show as a huge number.
        EXPECT_LE(stats.queued_calls, 64u);
        EXPECT_LE(stats.queued_bytes, 4096u);
        EXPECT_LE(stats.in_flight, stats.handled);
        const SteadyTime oldest = host->mailbox->oldest_call();
        EXPECT_TRUE(oldest == kNever || oldest <= TimeSource::Real().Now());
      }
    });
  }
  for (std::thread& producer : producers) producer.join();
  while (host->mailbox->stats().queued_calls != 0) std::this_thread::yield();
  host->thread.reset();

  for (const OneReply& reply : replies) ASSERT_EQ(reply.answers, 1);
  const MailboxStats stats = host->mailbox->stats();
  EXPECT_EQ(stats.queued_calls, 0u);
  EXPECT_EQ(stats.queued_bytes, 0u);
  EXPECT_EQ(stats.in_flight, 0u);
  EXPECT_EQ(host->mailbox->oldest_call(), kNever);
  EXPECT_EQ(stats.handled + stats.expired + stats.cancelled, static_cast<uint64_t>(queued));
  EXPECT_EQ(queued + stats.rejected, static_cast<uint64_t>(kProducers * kEach));
  EXPECT_EQ(stats.handled, script_.said.size());
  EXPECT_GT(stats.handled, 0u);
}

}  // namespace
}  // namespace mainspring::testing
