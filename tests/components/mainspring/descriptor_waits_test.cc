#include "mainspring/descriptor_waits.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

constexpr auto kReadable = DescriptorWaits::For::kReadable;
constexpr auto kWritable = DescriptorWaits::For::kWritable;

// A pipe of the kernel's.
struct Conduit {
  Conduit() {
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
  }
  ~Conduit() {
    CloseWriter();
    close(ends[0]);
  }
  int reader() const { return ends[0]; }
  int writer() const { return ends[1]; }
  void Write() { EXPECT_EQ(write(ends[1], "x", 1), 1); }
  void CloseWriter() {
    if (ends[1] >= 0) close(std::exchange(ends[1], -1));
  }
  int ends[2];
};

TEST(DescriptorWaits, WhenItCanBeRead_RunsOnce) {
  Conduit conduit;
  DescriptorWaits waits;
  int ran = 0;
  waits.Add(conduit.reader(), kReadable, [&] { ++ran; });
  EXPECT_FALSE(waits.RunNext());
  conduit.Write();
  EXPECT_TRUE(waits.RunNext());
  EXPECT_FALSE(waits.RunNext());
  EXPECT_EQ(ran, 1);
  EXPECT_TRUE(waits.empty());
}

TEST(DescriptorWaits, ForWriting_RunsWhereThereIsRoom) {
  Conduit conduit;
  DescriptorWaits waits;
  bool ran = false;
  waits.Add(conduit.writer(), kWritable, [&] { ran = true; });
  EXPECT_TRUE(waits.RunNext());
  EXPECT_TRUE(ran);
}

TEST(DescriptorWaits, OfWhatEndedOrIsClosed_Run) {
  Conduit conduit;
  DescriptorWaits waits;
  int ran = 0;
  waits.Add(conduit.reader(), kReadable, [&] { ++ran; });
  conduit.CloseWriter();
  EXPECT_TRUE(waits.RunNext());
  waits.Add(1 << 20, kReadable, [&] { ++ran; });
  EXPECT_TRUE(waits.RunNext());
  EXPECT_EQ(ran, 2);
}

TEST(DescriptorWaits, ThatAreCancelled_DoNotRun) {
  Conduit conduit;
  DescriptorWaits waits;
  DescriptorWaitId second{};
  std::string ran;
  waits.Add(conduit.reader(), kReadable, [&] {
    ran += "1";
    EXPECT_TRUE(waits.Cancel(second));
  });
  second = waits.Add(conduit.reader(), kReadable, [&] { ran += "2"; });
  conduit.Write();
  EXPECT_TRUE(waits.RunNext());
  EXPECT_FALSE(waits.RunNext());
  EXPECT_EQ(ran, "1");
  EXPECT_FALSE(waits.Cancel(second));
}

TEST(WhenReadable, OfAComponentThatHasNothingElseToDo_WakesIt) {
  Conduit conduit;
  Latch read;
  Script script;
  script.start = [&](Context& context) {
    context.WhenReadable(conduit.reader(), [&] { read.Open(); });
    return absl::OkStatus();
  };
  Running<SpeakerRequest> host(
      [&](Context& context) { return std::make_unique<Speaker>(context, script); });
  ASSERT_TRUE(host.lifecycle.Await(1));
  EXPECT_TRUE(SpeakerRef(host.mailbox).Say("a").Await(Patience()).ok())
      << "a component that waits for a descriptor takes calls";
  conduit.Write();
  EXPECT_TRUE(read.Wait());
  EXPECT_TRUE(SpeakerRef(host.mailbox).Say("b").Await(Patience()).ok());
  host.thread.reset();
}

TEST(WhenReadable, OfADescriptorThatIsAlwaysReady_LeavesTimersAndCallsTheirTurns) {
  Conduit conduit;
  Script script;
  std::function<void()> again;
  int timers = 0;
  Context* context = nullptr;
  script.start = [&](Context& given) {
    context = &given;
    again = [&] { context->WhenWritable(conduit.writer(), [&] { again(); }); };
    again();
    given.Every(absl::Milliseconds(1), [&] { ++timers; });
    return absl::OkStatus();
  };
  Stepped<SpeakerRequest> host(
      [&](Context& given) { return std::make_unique<Speaker>(given, script); });
  PushStart(*host.mailbox);
  const SpeakerRef ref(host.mailbox);
  Answer<Word> answer = ref.Say("hello");
  for (int i = 0; i < 100; ++i) {
    host.time.Advance(absl::Milliseconds(1));
    host.loop->RunNext();
  }
  EXPECT_TRUE(AnswerNow(std::move(answer)).ok());
  EXPECT_GE(timers, 20);
  host.mailbox->PushControl(control::Quit{});
  host.loop->RunNext();
}

TEST(WhenReadable, OfAComponentThatHasCallsWithoutEnd_IsCalledInBetween) {
  Conduit conduit;
  conduit.Write();
  Script script;
  std::atomic<bool> read{false};
  const SpeakerRef* self = nullptr;
  script.start = [&](Context& context) {
    context.WhenReadable(conduit.reader(), [&] { read = true; });
    return absl::OkStatus();
  };
  Running<SpeakerRequest> host(
      [&](Context& context) { return std::make_unique<Speaker>(context, script); });
  const SpeakerRef ref(host.mailbox);
  self = &ref;
  const SteadyTime patience = Patience();
  script.say = [&](Context&, SayCall call) {
    if (!read && std::chrono::steady_clock::now() < patience) self->Say("again").Detach();
    call.reply.Send(Word{});
  };
  ASSERT_TRUE(host.lifecycle.Await(1));
  while (!read && std::chrono::steady_clock::now() < patience) {
    EXPECT_TRUE(ref.Say("go").Await(patience).ok());
  }
  EXPECT_TRUE(read);
  host.thread.reset();
}

}  // namespace
}  // namespace mainspring::testing
