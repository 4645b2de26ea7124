#include "mainspring/server/rpc/plane.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/gate.h"
#include "tests/server/process_view.h"
#include "tests/server/rpc/trial_plane.h"
#include "tests/testing/trial.h"

namespace mainspring::rpc {
namespace {

using testing::CallBox;
using testing::Echoing;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::PendingEcho;
using testing::Trial;
using testing::TrialPlane;
using testing::Waiting;
using EchoCall = trial::v1::TrialCall::Echo;
using trial::v1::EchoResponse;
using FloodCall = trial::v1::TrialCall::Flood;
using trial::v1::FloodResponse;
using trial::v1::TrialRequest;

ComponentType TheTrial() { return trial::v1::TrialType<Trial>("trial"); }

TEST(Plane, WhenStarted_ServesWhereItSays) {
  TrialPlane plane(TheTrial());
  EXPECT_EQ("data", plane.plane().name());
  ASSERT_EQ(1u, plane.plane().addresses().size());
  EXPECT_TRUE(testing::Echo(*plane.NewStub()).ok());
  EXPECT_TRUE(Eventually([&] { return plane.plane().calls_in_flight() == 0; }));
  EXPECT_GT(plane.plane().events(), 0u);
}

TEST(Plane, WhenAServicerAnswers_NeedsNoComponent) {
  Echoing servicer;
  TrialPlane plane(servicer);
  auto stub = plane.NewStub();
  EchoResponse response;
  EXPECT_TRUE(testing::Echo(*stub, "hello", &response).ok());
  EXPECT_EQ("hello", response.text());
}

TEST(Plane, WhenTheMethodIsUnknown_IsUnimplemented) {
  TrialPlane plane(TheTrial());
  grpc::TemplatedGenericStub<trial::v1::EchoRequest, EchoResponse> stub(
      testing::ConnectTo(plane.address()));
  Waiting context;
  trial::v1::EchoRequest request;
  EchoResponse response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/mainspring.trial.v1.Trial/None", {}, &request, &response,
                 [&](grpc::Status status) { done.set_value(status); });
  EXPECT_EQ(grpc::StatusCode::UNIMPLEMENTED, done.get_future().get().error_code());
}

TEST(Plane, WhenMoreCallsAreInFlightThanAllowed_RefusesTheRest) {
  CallBox box;
  PlaneLimits limits;
  limits.max_calls = 2;
  TrialPlane plane(testing::HookedType("trial", box.hooks()), limits);
  auto stub = plane.NewStub();
  PendingEcho one(*stub);
  EchoCall first = box.Take<EchoCall>();
  PendingEcho two(*stub);
  EchoCall second = box.Take<EchoCall>();
  EXPECT_EQ(2u, plane.plane().calls_in_flight());
  const grpc::Status refused = testing::Echo(*stub);
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, refused.error_code());
  EXPECT_EQ("too many calls in flight; try later", refused.error_message());
  first.reply.Send(EchoResponse());
  EXPECT_TRUE(one.Await().ok());
  EXPECT_TRUE(Eventually([&] { return plane.plane().calls_in_flight() == 1; }));
  PendingEcho three(*stub);
  box.Take<EchoCall>().reply.Send(EchoResponse());
  EXPECT_TRUE(three.Await().ok());
  second.reply.Send(EchoResponse());
  EXPECT_TRUE(two.Await().ok());
}

TEST(Plane, WhenTimesAreLongerThanGrpcCanSay_ServesAsIfTheyWereForEver) {
  for (const absl::Duration longest :
       {absl::Hours(597), absl::Hours(720), absl::Hours(24 * 365 * 1000)}) {
    PlaneLimits limits;
    limits.max_connection_age = longest;
    limits.keepalive_time = longest;
    limits.keepalive_timeout = longest;
    limits.least_ping_interval = longest;
    limits.handshake_timeout = longest;
    TrialPlane plane(TheTrial(), limits);
    EXPECT_TRUE(testing::Echo(*plane.NewStub()).ok()) << longest;
  }
}

TEST(Plane, WhenARequestIsTooLarge_RefusesItAndServesOn) {
  PlaneLimits limits;
  limits.max_message_bytes = 1000;
  TrialPlane plane(TheTrial(), limits);
  auto stub = plane.NewStub();
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED,
            testing::Echo(*stub, std::string(2000, 'x')).error_code());
  EXPECT_TRUE(testing::Echo(*stub, std::string(500, 'x')).ok());
  EXPECT_TRUE(Eventually([&] { return plane.plane().calls_in_flight() == 0; }));
}

TEST(Plane, WhenAnAnswerIsTooLarge_TheCallFailsAndEnds) {
  PlaneLimits limits;
  limits.max_message_bytes = 1000;
  TrialPlane plane(TheTrial(), limits);
  auto stub = plane.NewStub();
  Waiting context;
  trial::v1::FloodRequest request;
  request.set_count(3);
  request.set_bytes(2000);
  auto flood = stub->Flood(&context, request);
  FloodResponse response;
  EXPECT_FALSE(flood->Read(&response));
  EXPECT_FALSE(flood->Finish().ok());
  EXPECT_TRUE(Eventually([&] { return plane.plane().calls_in_flight() == 0; }));
}

TEST(Plane, WhenMetadataIsTooLarge_RefusesTheCallAndServesOn) {
  PlaneLimits limits;
  limits.max_metadata_bytes = 1000;
  TrialPlane plane(TheTrial(), limits);
  auto stub = plane.NewStub();
  Waiting context;
  context.AddMetadata("large", std::string(5000, 'x'));
  EchoResponse response;
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED,
            stub->Echo(&context, testing::EchoOf("x"), &response).error_code());
  // gRPC may close the connection for it; the client gets another.
  EXPECT_TRUE(Eventually([&] { return testing::Echo(*stub).ok(); }));
}

TEST(Plane, WhenAConnectionComesOfAge_TheClientConnectsAnewAndNoCallFails) {
  CallBox box;
  PlaneLimits limits;
  limits.max_connection_age = absl::Milliseconds(30);
  TrialPlane plane(testing::HookedType("trial", box.hooks()), limits);
  auto stub = plane.NewStub();
  std::set<std::string> peers;
  EXPECT_TRUE(Eventually([&] {
    PendingEcho pending(*stub);
    {
      EchoCall call = box.Take<EchoCall>();
      peers.insert(call.reply.context().Peer());
      call.reply.Send(EchoResponse());
    }
    const grpc::Status status = pending.Await();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return peers.size() == 3 || !status.ok();
  }));
}

TEST(Plane, WhenARequestIsCompressed_IsRefusedUnread) {
  TrialPlane plane(TheTrial());
  auto stub = plane.NewStub();
  Waiting context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  EchoResponse response;
  EXPECT_EQ(
      grpc::StatusCode::UNIMPLEMENTED,
      stub->Echo(&context, testing::EchoOf(std::string(100'000, 'x')), &response).error_code());
}

TEST(Plane, WhenStreamsAreEnded_RefusesNewOnesAndServesTheRest) {
  TrialPlane plane(TheTrial());
  auto stub = plane.NewStub();
  plane.plane().EndStreams(absl::UnavailableError("draining"));
  ASSERT_TRUE(testing::Echo(*stub).ok());
  Waiting context;
  const grpc::Status refused = stub->Parrot(&context)->Finish();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, refused.error_code());
  EXPECT_EQ("draining", refused.error_message());
  Waiting sum_context;
  trial::v1::SumResponse sum;
  const grpc::Status upload = stub->Sum(&sum_context, &sum)->Finish();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, upload.error_code());
  EXPECT_EQ(0u, plane.plane().refused_calls()) << "streams are ended by design";
}

TEST(Plane, WhenStreamsAreEnded_AClientsStreamThatIsIdleIsToo) {
  CallBox box;
  TrialPlane plane(testing::HookedType("trial", box.hooks()));
  auto stub = plane.NewStub();
  Waiting context;
  trial::v1::SumResponse sum;
  auto upload = stub->Sum(&context, &sum);
  auto call = box.Take<trial::v1::TrialCall::Sum>();
  plane.plane().EndStreams(absl::UnavailableError("draining"));
  const grpc::Status status = upload->Finish();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, status.error_code());
  EXPECT_EQ("draining", status.error_message());
  EXPECT_TRUE(call.reply.cancelled());
}

TEST(Plane, WhenStreamsAreEnded_AClientsStreamThatHasEndedIsAnswered) {
  CallBox box;
  std::promise<bool> ended;
  testing::Hooks hooks;
  hooks.handle = [&](TrialRequest request) {
    std::get<trial::v1::TrialCall::Sum>(request).requests.Read(
        [&](std::optional<trial::v1::SumRequest> read) { ended.set_value(!read.has_value()); });
    box.Put(std::move(request));
  };
  TrialPlane plane(testing::HookedType("trial", hooks));
  auto stub = plane.NewStub();
  Waiting context;
  trial::v1::SumResponse sum;
  auto upload = stub->Sum(&context, &sum);
  upload->WritesDone();
  auto call = box.Take<trial::v1::TrialCall::Sum>();
  ASSERT_TRUE(ended.get_future().get());
  plane.plane().EndStreams(absl::UnavailableError("draining"));
  call.reply.Send(trial::v1::SumResponse());
  EXPECT_TRUE(upload->Finish().ok()) << "it answers once, like any other";
}

TEST(Plane, WhenCut_TellsHowManyWereNotAnswered) {
  CallBox box;
  TrialPlane plane(testing::HookedType("trial", box.hooks()));
  auto stub = plane.NewStub();
  std::deque<PendingEcho> pending;
  for (int i = 0; i < 20; ++i) pending.emplace_back(*stub);
  std::vector<EchoCall> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(box.Take<EchoCall>());
  for (int i = 0; i < 5; ++i) calls[i].reply.Send(EchoResponse());
  EXPECT_EQ(15u, plane.Cut());
  size_t answered = 0;
  for (PendingEcho& each : pending) answered += each.Await().ok() ? 1 : 0;
  EXPECT_EQ(5u, answered);
}

TEST(Plane, WhenShutDownWithUncutCallsAnsweredLater_WaitsForThem) {
  CallBox box;
  TrialPlane plane(testing::HookedType("trial", box.hooks()));
  auto stub = plane.NewStub();
  PendingEcho pending(*stub);
  EchoCall call = box.Take<EchoCall>();
  auto shutdown = std::async(std::launch::async, [&] { plane.Shutdown(); });
  call.reply.Send(EchoResponse());
  shutdown.get();
  pending.Await();
}

TEST(Plane, WhenCallsPourInDuringCutAndShutdown_EndsWithoutTheComponent) {
  for (int round = 0; round < 5; ++round) {
    CallBox box;
    TrialPlane plane(testing::HookedType("trial", box.hooks()));
    std::atomic<bool> stop{false};
    std::vector<std::thread> clients;
    for (int client = 0; client < 2; ++client) {
      clients.emplace_back([&] {
        auto stub = plane.NewStub();
        std::deque<PendingEcho> calls;
        while (!stop && calls.size() < 6000) calls.emplace_back(*stub);
        (void)Eventually([&] { return stop.load(); });
        for (PendingEcho& call : calls) call.Cancel();
        for (PendingEcho& call : calls) call.Await();
      });
    }
    ASSERT_TRUE(Eventually([&] { return box.size() > 200; }));
    auto shutdown = std::async(std::launch::async, [&] {
      plane.Cut();
      plane.Shutdown();
    });
    // Far more than it takes on a busy machine.
    const bool ended = shutdown.wait_for(std::chrono::minutes(1)) == std::future_status::ready;
    EXPECT_TRUE(ended) << "calls that came after the cut are waited for: "
                       << plane.plane().calls_in_flight();
    stop = true;
    // Drops what is held, or this would never end.
    while (shutdown.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
      box.Clear();
    }
    for (std::thread& client : clients) client.join();
    box.Clear();
    if (!ended) return;
  }
}

TEST(Plane, WhenItFollows_ServesWhileTheOtherLeadsAndAfterwards) {
  Echoing servicer;
  TrialPlane leader(servicer);
  TrialPlane follower(servicer, &leader.plane());
  auto stub = follower.NewStub();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(testing::Echo(*stub).ok());
  EXPECT_TRUE(testing::Echo(*leader.NewStub()).ok());
  leader.Cut();
  leader.Shutdown();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(testing::Echo(*stub).ok());
}

TEST(Plane, WhenClientsComeAndGoDuringShutdown_EndsEachTime) {
  Echoing servicer;
  TrialPlane leader(servicer);
  for (int round = 0; round < 40; ++round) {
    TrialPlane plane(servicer, round % 2 == 0 ? nullptr : &leader.plane());
    std::atomic<bool> stop{false};
    std::vector<std::thread> clients;
    for (int client = 0; client < 2; ++client) {
      clients.emplace_back([&] {
        while (!stop) {
          auto stub = plane.NewStub();
          Waiting context(absl::Milliseconds(200));
          context.set_wait_for_ready(false);
          EchoResponse response;
          if (!stub->Echo(&context, testing::EchoOf("x"), &response).ok()) continue;
          PendingEcho cancelled(*stub);
          cancelled.Cancel();
          cancelled.Await();
        }
      });
    }
    ASSERT_TRUE(Eventually([&] { return plane.plane().events() > 50; }));
    std::thread ending([&] {
      plane.Cut();
      plane.Shutdown();
    });
    ending.join();
    stop = true;
    for (std::thread& client : clients) client.join();
  }
}

// The ingress thread is held, so that what others leave for it meets there.
TEST(Plane, WhenAStreamIsWrittenAndFinishedJustBeforeTheCut_IsNeverShortAndOk) {
  CallBox box;
  testing::Gate gate;
  struct Holding final : Handler<TrialRequest> {
    Holding(CallBox& box, testing::Gate& gate) : box(box), gate(gate) {}
    void Handle(TrialRequest&& request) override {
      if (std::holds_alternative<FloodCall>(request)) return box.Put(std::move(request));
      gate.Pass();
      testing::AnswerEcho(std::move(request));
    }
    CallBox& box;
    testing::Gate& gate;
  } servicer(box, gate);
  TrialPlane plane(servicer);
  auto stub = plane.NewStub();
  Waiting context;
  auto flood = stub->Flood(&context, {});
  FloodCall call = box.Take<FloodCall>();
  PendingEcho holding(*stub);
  gate.AwaitSomebody();
  std::thread cutting([&] {
    pthread_setname_np(pthread_self(), "cutting");
    plane.Cut();
  });
  ASSERT_TRUE(Eventually([] { return testing::IsAsleep("cutting"); }));
  for (int i = 0; i < 3; ++i) EXPECT_NE(WriteResult::kFull, call.replies.Write(FloodResponse()));
  call.replies.Finish();
  gate.Open();
  cutting.join();
  int count = 0;
  for (FloodResponse response; flood->Read(&response); ++count) {
  }
  const grpc::Status status = flood->Finish();
  EXPECT_TRUE(!status.ok() || count == 3) << "OK after " << count << " of 3 messages";
  holding.Await();
}

}  // namespace
}  // namespace mainspring::rpc
