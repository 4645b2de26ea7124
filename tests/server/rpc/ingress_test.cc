#include "mainspring/server/rpc/ingress.h"

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "mainspring/return_address.h"
#include "tests/server/eventually.h"

namespace mainspring::rpc {
namespace {

using testing::Eventually;

class CountedCall final : public ServerCall {
 public:
  void EndStream(const absl::Status&) override {}
  bool Cut(const absl::Status&) override { return false; }
  void GiveUp() override { given_up = true; }

  std::atomic<bool> given_up{false};
};

class IngressTest : public ::testing::Test {
 protected:
  std::shared_ptr<Ingress> NewIngress(std::shared_ptr<Ingress> leader = nullptr,
                                      const PlaneLimits& limits = {}) {
    return std::make_shared<Ingress>(builder_.AddCompletionQueue(), limits, std::move(leader));
  }

  // Runs it there, and waits for that.
  template <class Step>
  void RunOn(Ingress& ingress, Step step) {
    std::atomic<bool> done{false};
    ingress.Post(0, [&] {
      step();
      done = true;
    });
    ASSERT_TRUE(Eventually([&] { return done.load(); }));
  }

  grpc::ServerBuilder builder_;
};

TEST_F(IngressTest, WhenPosted_RunsOnItsThreadInOrder) {
  auto ingress = NewIngress();
  ASSERT_TRUE(ingress->Start("ingress/test", [] { return false; }).ok());
  EXPECT_FALSE(ingress->is_current());
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) ingress->Post(0, [&order, i] { order.push_back(i); });
  RunOn(*ingress, [&] {
    EXPECT_TRUE(ingress->is_current());
    EXPECT_TRUE(ReturnAddress::HasCurrent());
  });
  ASSERT_EQ(100u, order.size());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(i, order[i]);
  ingress->Stop();
}

TEST_F(IngressTest, WhenManyThreadsPost_LosesNothing) {
  auto ingress = NewIngress();
  ASSERT_TRUE(ingress->Start("ingress/test", [] { return false; }).ok());
  int ran = 0;
  std::vector<std::thread> posters;
  for (int poster = 0; poster < 4; ++poster) {
    posters.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) ingress->Post(0, [&] { ++ran; });
    });
  }
  for (std::thread& poster : posters) poster.join();
  RunOn(*ingress, [&] { EXPECT_EQ(20000, ran); });
  ingress->Stop();
}

TEST_F(IngressTest, WhenPostedFromItsOwnThread_RunsLater) {
  auto ingress = NewIngress();
  ASSERT_TRUE(ingress->Start("ingress/test", [] { return false; }).ok());
  std::atomic<bool> ran{false};
  RunOn(*ingress, [&] {
    ingress->Post(0, [&] { ran = true; });
    EXPECT_FALSE(ran);
  });
  EXPECT_TRUE(Eventually([&] { return ran.load(); }, absl::Seconds(5)));
  ingress->Stop();
}

TEST_F(IngressTest, WhenStopped_RunsWhatWasPostedAndDestroysWhatComes) {
  auto ingress = NewIngress();
  ASSERT_TRUE(ingress->Start("ingress/test", [] { return false; }).ok());
  std::atomic<bool> before{false};
  ingress->Post(0, [&] { before = true; });
  ingress->Stop();
  EXPECT_TRUE(before);
  const auto held = std::make_shared<int>(0);
  ingress->Post(0, [held] { ++*held; });
  EXPECT_EQ(1, held.use_count());
  EXPECT_EQ(0, *held);
}

TEST_F(IngressTest, WhenStoppedWithoutStart_IsStopped) { NewIngress()->Stop(); }

TEST_F(IngressTest, WhenCallsComeAndGo_CountsThemAndRefusesOneTooMany) {
  PlaneLimits limits;
  limits.max_calls = 1;
  auto ingress = NewIngress(nullptr, limits);
  ASSERT_TRUE(ingress->Start("ingress/test", [] { return false; }).ok());
  CountedCall one, two;
  RunOn(*ingress, [&] {
    EXPECT_TRUE(ingress->Add(one).ok());
    EXPECT_EQ(absl::StatusCode::kResourceExhausted, ingress->Add(two).code());
    EXPECT_EQ(2u, ingress->calls_in_flight());
    EXPECT_EQ(2u, ingress->calls_come());
    ingress->Remove(one);
    EXPECT_TRUE(ingress->Add(one).ok());
    ingress->Remove(one);
  });
  std::atomic<bool> gone{false};
  std::thread waiting([&] {
    ingress->AwaitNoCalls();
    EXPECT_TRUE(gone);
  });
  RunOn(*ingress, [&] {
    gone = true;
    ingress->Remove(two);
  });
  waiting.join();
  ingress->Stop();
}

TEST_F(IngressTest, WhenItFollows_RunsCallbacksWithAndWithoutConnections) {
  auto leader = NewIngress();
  ASSERT_TRUE(leader->Start("ingress/leader", [] { return false; }).ok());
  auto follower = NewIngress(leader);
  ASSERT_TRUE(follower->Start("ingress/other", [] { return false; }).ok());
  RunOn(*follower, [&] { EXPECT_TRUE(follower->is_current()); });
  follower->ConnectionCame();
  for (int i = 0; i < 50; ++i) RunOn(*follower, [] {});
  leader->Stop();
  for (int i = 0; i < 50; ++i) RunOn(*follower, [] {});
  follower->Stop();
}

TEST_F(IngressTest, WhenItIsFull_ServicesWithReservedPlacesHaveThose) {
  PlaneLimits limits;
  limits.max_calls = 0;
  limits.max_reserved_calls = 1;
  auto ingress = NewIngress(nullptr, limits);
  CountedCall other, health, too_many;
  EXPECT_FALSE(ingress->Add(other).ok());
  EXPECT_TRUE(ingress->Add(health, "", /*reserved=*/true).ok());
  EXPECT_FALSE(ingress->Add(too_many, "", /*reserved=*/true).ok());
  ingress->Remove(health);
  EXPECT_TRUE(ingress->Add(health, "", /*reserved=*/true).ok());
  for (CountedCall* call : {&other, &health, &too_many}) ingress->Remove(*call);
  ingress->Stop();
}

TEST_F(IngressTest, WhenAnAnswerIsNotTakenInTime_GivesThatCallUpAndNoOther) {
  PlaneLimits limits;
  limits.answer_timeout = absl::Milliseconds(40);
  auto ingress = NewIngress(nullptr, limits);
  ASSERT_TRUE(ingress->Start("ingress/test", [] { return false; }).ok());
  CountedCall answered, taken, waiting;
  RunOn(*ingress, [&] {
    for (CountedCall* call : {&answered, &taken, &waiting}) (void)ingress->Add(*call);
    ingress->Answered(answered);
    ingress->Answered(taken);
    ingress->Remove(taken);
  });
  EXPECT_TRUE(Eventually([&] { return answered.given_up.load(); }, absl::Seconds(8)));
  EXPECT_FALSE(taken.given_up);
  EXPECT_FALSE(waiting.given_up) << "it has no answer yet";
  RunOn(*ingress, [&] {
    size_t calls = 0;
    ingress->ForEachCall([&](ServerCall&) { ++calls; });
    EXPECT_EQ(2u, calls);
    ingress->Remove(answered);
    ingress->Remove(waiting);
  });
  EXPECT_EQ(0u, ingress->calls_in_flight());
  ingress->Stop();
}

// A call whose connection has gone still has events to come.
TEST_F(IngressTest, WhenItFollowsAndTheLastConnectionHasGone_StillTakesEventsOfItsCalls) {
  auto leader = NewIngress();
  ASSERT_TRUE(leader->Start("ingress/leader", [] { return false; }).ok());
  auto follower = NewIngress(leader);
  std::atomic<int> asked{0};
  ASSERT_TRUE(follower->Start("ingress/other", [&] { return ++asked < 0; }).ok());
  CountedCall call;
  RunOn(*follower, [&] { EXPECT_TRUE(follower->Add(call).ok()); });
  follower->ConnectionCame();
  struct Event final : Tag {
    void Proceed(bool) override { taken = true; }
    std::atomic<bool> taken{false};
  } late;
  (void)Eventually([&] { return asked > 2; }, absl::Seconds(4));
  grpc::Alarm alarm;
  alarm.Set(&follower->queue(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &late);
  EXPECT_TRUE(Eventually([&] { return late.taken.load(); }, absl::Seconds(5)));
  RunOn(*follower, [&] { follower->Remove(call); });
  leader->Stop();
  follower->Stop();
}

TEST_F(IngressTest, WhenRequestsAreEnded_WhatWasInTheQueueIsTakenFirst) {
  auto ingress = NewIngress();
  ASSERT_TRUE(ingress->Start("ingress/test", [] { return false; }).ok());
  struct Event final : Tag {
    explicit Event(Ingress& ingress) : ingress(ingress) {}
    void Proceed(bool) override { ended_before = ingress.requests_ended(); }
    Ingress& ingress;
    std::atomic<bool> ended_before{true};
  } event(*ingress);
  grpc::Alarm alarm;
  alarm.Set(&ingress->queue(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &event);
  ingress->EndRequests();
  EXPECT_FALSE(event.ended_before);
  EXPECT_TRUE(ingress->requests_ended());
  ingress->Stop();
}

// Its thread could not be started.
TEST_F(IngressTest, WhenStoppedWithoutStart_LetsGoOfWhatIsInItsQueue) {
  auto ingress = NewIngress();
  struct Event final : Tag {
    void Proceed(bool ok) override { let_go = !ok; }
    bool let_go = false;
  } event;
  grpc::Alarm alarm;
  alarm.Set(&ingress->queue(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &event);
  ingress->Stop();
  EXPECT_TRUE(event.let_go);
}

TEST_F(IngressTest, WhenStreamsAreRefused_SaysWith) {
  auto ingress = NewIngress();
  EXPECT_TRUE(ingress->refuse_streams().ok());
  ingress->RefuseStreams(absl::UnavailableError("draining"));
  EXPECT_EQ("draining", ingress->refuse_streams().message());
  ingress->Stop();
}

}  // namespace
}  // namespace mainspring::rpc
