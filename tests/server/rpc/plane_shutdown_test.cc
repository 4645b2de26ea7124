// How a plane ends, in interleavings that the test brings about.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "mainspring/return_address.h"
#include "mainspring/server/rpc/plane.h"
#include "tests/server/process_view.h"
#include "tests/server/rpc/raw_client.h"
#include "tests/server/rpc/trial_plane.h"

namespace mainspring::rpc {
namespace {

using testing::Eventually;
using testing::kEcho;
using testing::RawClient;
using testing::TrialPlane;
using trial::v1::TrialRequest;

// Answers, and tells whose thread it did so on.
struct Telling final : Handler<TrialRequest> {
  void Handle(TrialRequest&& request) override {
    {
      MutexLock lock(mutex);
      ingress = ReturnAddress::Current();
    }
    testing::AnswerEcho(std::move(request));
  }
  Mutex mutex;
  ReturnAddress ingress ABSL_GUARDED_BY(mutex);
};

// Holds an ingress thread between two events, for as long as it stands: callbacks that others post
// run, events wait.
class Hold {
 public:
  explicit Hold(ReturnAddress ingress) : ingress_(std::move(ingress)) {
    Again();
    MutexLock lock(mutex_);
    while (!holds_) changed_.Wait(mutex_);
  }
  ~Hold() { Release(); }

  void Release() {
    MutexLock lock(mutex_);
    released_ = true;
    changed_.NotifyAll();
    while (holds_) changed_.Wait(mutex_);
  }

 private:
  void Again() {
    ingress_.Post([this] {
      MutexLock lock(mutex_);
      holds_ = !released_;
      changed_.NotifyAll();
      if (released_) return;
      changed_.WaitUntil(mutex_, testing::Soon(absl::Milliseconds(1)));
      Again();
    });
  }

  const ReturnAddress ingress_;
  Mutex mutex_;
  CondVar changed_;
  bool holds_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
};

// Whether the thread waits, and goes on waiting.
bool HasComeToRest(const std::string& thread) {
  int at_rest = 0;
  return Eventually([&] {
    at_rest = testing::IsAsleep(thread) ? at_rest + 1 : 0;
    return at_rest == 100;
  });
}

// The leader reads for it while the ingress is held.
class PlaneShutdownTest : public ::testing::Test {
 protected:
  ReturnAddress IngressOf(TrialPlane& plane) {
    EXPECT_TRUE(testing::Echo(*plane.NewStub()).ok());
    EXPECT_TRUE(Eventually([&] {
      return plane.plane().calls_in_flight() == 0 && plane.plane().door().CountConnections() == 0;
    }));
    MutexLock lock(servicer_.mutex);
    return servicer_.ingress;
  }

  Telling servicer_;
  TrialPlane leader_{servicer_};
  TrialPlane plane_{servicer_, &leader_.plane()};
};

TEST_F(PlaneShutdownTest, WhenACallOfAClientThatHasGoneIsStillInTheQueue_TakesItAndEnds) {
  Hold hold(IngressOf(plane_));
  {
    RawClient client(plane_.address());
    client.Greet();
    client.Call(1, kEcho, testing::EchoOf("hello").SerializeAsString());
    ASSERT_TRUE(client.Ping());
  }
  {
    // Read by the same thread, and so after the other's end.
    RawClient later(leader_.address());
    later.Greet();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(later.Ping());
  }
  std::thread ending([&] {
    pthread_setname_np(pthread_self(), "ending");
    plane_.Shutdown();
  });
  // It has nobody left to wait for but the ingress.
  EXPECT_TRUE(HasComeToRest("ending"));
  hold.Release();
  ending.join();
  EXPECT_EQ(0u, plane_.plane().calls_in_flight());
  EXPECT_EQ(1u, plane_.plane().refused_calls());
}

// More than are armed: gRPC keeps some for itself, and answers those CANCELLED.
TEST_F(PlaneShutdownTest, WhenCallsAreInTheQueueAndInGrpcAsItEnds_EachIsCounted) {
  constexpr int kCalls = 100;
  const ReturnAddress ingress = IngressOf(plane_);
  plane_.plane().EndStreams(absl::UnavailableError("draining"));
  Hold hold(ingress);
  auto stub = plane_.NewStub();
  std::deque<testing::PendingEcho> calls;
  for (int i = 0; i < kCalls; ++i) calls.emplace_back(*stub);
  RawClient later(plane_.address());
  later.Greet();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(later.Ping());
  std::thread ending([&] {
    pthread_setname_np(pthread_self(), "ending");
    plane_.Shutdown();
  });
  EXPECT_TRUE(HasComeToRest("ending"));
  hold.Release();
  ending.join();
  for (testing::PendingEcho& call : calls) EXPECT_FALSE(call.Await().ok());
  EXPECT_EQ(static_cast<size_t>(kCalls), plane_.plane().refused_calls());
}

// The shutdown waits for an answer that nobody takes; who calls meanwhile is cancelled.
TEST_F(PlaneShutdownTest, WhenACallComesDuringGrpcsOwnShutdown_ItIsCounted) {
  (void)IngressOf(plane_);
  std::optional<RawClient> slow(plane_.address()), late(plane_.address());
  slow->Greet(/*window=*/0);
  slow->Call(1, kEcho, testing::EchoOf("hello").SerializeAsString());
  ASSERT_TRUE(slow->Ping());
  late->Greet();
  ASSERT_TRUE(late->Ping());
  ASSERT_TRUE(Eventually([&] { return plane_.plane().calls_in_flight() == 1; }));
  plane_.plane().EndStreams(absl::UnavailableError("draining"));
  std::thread ending([&] {
    pthread_setname_np(pthread_self(), "ending");
    plane_.Shutdown(testing::kPatience);
  });
  EXPECT_TRUE(HasComeToRest("ending"));
  late->Call(1, kEcho, testing::EchoOf("hello").SerializeAsString());
  EXPECT_TRUE(late->Ping());
  slow.reset();
  late.reset();
  ending.join();
  EXPECT_EQ(1u, plane_.plane().refused_calls());
  EXPECT_EQ(1u, plane_.plane().cut_calls()) << "the answer that nobody took";
}

TEST(PlaneEnd, WhenAClientHasGoneByItself_ItsCallIsNotCounted) {
  testing::CallBox box;
  TrialPlane plane(testing::HookedType("trial", box.hooks()));
  auto stub = plane.NewStub();
  testing::PendingEcho pending(*stub);
  auto call = box.Take<trial::v1::TrialCall::Echo>();
  plane.plane().EndStreams(absl::UnavailableError("draining"));
  pending.Cancel();
  pending.Await();
  ASSERT_TRUE(Eventually([&] { return call.reply.cancelled(); }));
  call.reply.Send(trial::v1::EchoResponse());
  plane.Shutdown();
  EXPECT_EQ(0u, plane.plane().cut_calls() + plane.plane().refused_calls());
}

TEST(PlaneEnd, WhenCallsAreCut_EachIsCountedOnce) {
  testing::CallBox box;
  TrialPlane plane(testing::HookedType("trial", box.hooks()));
  auto stub = plane.NewStub();
  testing::PendingEcho pending(*stub);
  auto call = box.Take<trial::v1::TrialCall::Echo>();
  plane.plane().EndStreams(absl::UnavailableError("draining"));
  EXPECT_EQ(1u, plane.Cut());
  pending.Await();
  plane.Shutdown();
  EXPECT_EQ(1u, plane.plane().cut_calls());
  EXPECT_EQ(0u, plane.plane().refused_calls());
  call.reply.Send(trial::v1::EchoResponse());
}

TEST_F(PlaneShutdownTest, WhenTheIngressIsHeld_ItTellsSinceWhen) {
  EXPECT_TRUE(Eventually([&] { return plane_.plane().busy_since() == kNever; }));
  EXPECT_TRUE(Eventually([&] { return leader_.plane().busy_since() == kNever; }));
  const SteadyTime before = After(std::chrono::steady_clock::now(), -absl::Milliseconds(20));
  {
    Hold hold(IngressOf(plane_));
    const SteadyTime since = plane_.plane().busy_since();
    EXPECT_GE(since, before);
    EXPECT_LE(since, std::chrono::steady_clock::now());
  }
  EXPECT_TRUE(Eventually([&] { return plane_.plane().busy_since() == kNever; }));
}

}  // namespace
}  // namespace mainspring::rpc
