// What a plane allows its clients, with clients that take more.
#include "mainspring/server/rpc/plane_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clients/probe/health_probe.h"
#include "tests/server/rpc/raw_client.h"
#include "tests/server/rpc/trial_plane.h"
#include "tests/server/trial_host.h"

namespace mainspring::rpc {
namespace {

using testing::CallBox;
using testing::Echoing;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::kEcho;
using testing::PendingEcho;
using testing::RawClient;
using testing::TrialPlane;
using EchoCall = trial::v1::TrialCall::Echo;
using trial::v1::EchoResponse;
using trial::v1::TrialRequest;

// Far more than what is waited for takes, and less than gRPC waits for before it does it by itself.
constexpr absl::Duration kSoon = absl::Seconds(8);

std::string Hello() { return testing::EchoOf("hello").SerializeAsString(); }

PlaneLimits Aged(absl::Duration age) {
  PlaneLimits limits;
  limits.max_connection_age = age;
  limits.connection_grace = absl::Milliseconds(20);
  return limits;
}

struct Counting final : Handler<TrialRequest> {
  void Handle(TrialRequest&& request) override {
    ++handled;
    testing::AnswerEcho(std::move(request));
  }
  std::atomic<int> handled{0};
};

TEST(PlaneLimits, WhenAnAnswerIsNotTaken_TheCallEndsAfterATime) {
  Counting servicer;
  PlaneLimits limits;
  limits.answer_timeout = absl::Milliseconds(100);
  TrialPlane plane(servicer, nullptr, limits);
  RawClient client(plane.address());
  client.Greet(/*window=*/0);
  for (uint32_t call = 0; call < 5; ++call) client.Call(2 * call + 1, kEcho, Hello());
  EXPECT_TRUE(Eventually([&] { return servicer.handled == 5; }));
  EXPECT_TRUE(Eventually([&] { return plane.plane().calls_in_flight() == 0; }, kSoon));
  EXPECT_TRUE(testing::Echo(*plane.NewStub()).ok());
}

TEST(PlaneLimits, WhenTheEndOfAStreamIsNotTaken_TheCallEndsAfterATime) {
  PlaneLimits limits;
  limits.answer_timeout = absl::Seconds(1);
  TrialPlane plane(trial::v1::TrialType<testing::Trial>("trial"), limits);
  trial::v1::FloodRequest request;
  request.set_count(3);
  RawClient client(plane.address());
  client.Greet(/*window=*/0);
  client.Call(1, "/mainspring.trial.v1.Trial/Flood", request.SerializeAsString());
  EXPECT_TRUE(Eventually([&] { return plane.plane().calls_in_flight() == 1; }));
  EXPECT_TRUE(Eventually([&] { return plane.plane().calls_in_flight() == 0; }, kSoon));
}

TEST(PlaneLimits, WhenAPeerHasItsShare_IsRefusedMore) {
  CallBox box;
  PlaneLimits limits;
  limits.max_calls_per_peer = 2;
  TrialPlane plane(testing::HookedType("trial", box.hooks()), limits);
  auto one = plane.NewStub();
  auto two = plane.NewStub();
  PendingEcho first(*one);
  PendingEcho second(*two);
  EchoCall first_call = box.Take<EchoCall>();
  EchoCall second_call = box.Take<EchoCall>();
  const grpc::Status refused = testing::Echo(*two);
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, refused.error_code());
  EXPECT_EQ("more than 2 calls in flight from this peer; try later", refused.error_message());
  for (EchoCall* call : {&first_call, &second_call}) call->reply.Send(EchoResponse());
  EXPECT_TRUE(first.Await().ok());
  EXPECT_TRUE(second.Await().ok());
}

TEST(PlaneLimits, WhenAConnectionHasItsShare_AnotherIsServed) {
  CallBox box;
  PlaneLimits limits;
  limits.max_calls_per_connection = 1;
  TrialPlane plane(testing::HookedType("trial", box.hooks()), limits);
  auto one = plane.NewStub();
  auto two = plane.NewStub();
  PendingEcho first(*one);
  EchoCall first_call = box.Take<EchoCall>();
  EXPECT_EQ("more than 1 calls in flight on this connection; try later",
            testing::Echo(*one).error_message());
  PendingEcho second(*two);
  box.Take<EchoCall>().reply.Send(EchoResponse());
  EXPECT_TRUE(second.Await().ok());
  first_call.reply.Send(EchoResponse());
  EXPECT_TRUE(first.Await().ok());
}

TEST(PlaneLimits, WhenCallsHaveAllThePlaces_HealthIsAnswered) {
  CallBox box;
  testing::TrialHost host([](HostConfig& config) { config.data.limits.max_calls = 2; },
                          {testing::HookedType("trial", box.hooks())});
  ASSERT_TRUE(host.Start().ok());
  auto stub = host.NewStub();
  PendingEcho one(*stub), two(*stub);
  EchoCall first = box.Take<EchoCall>();
  EchoCall second = box.Take<EchoCall>();
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, testing::Echo(*stub).error_code());
  const ProbeReport report =
      ProbeHealth(host.host().data_addresses().front(), "", testing::kPatience);
  EXPECT_EQ(ProbeResult::kServing, report.result) << report.text;
  for (EchoCall* call : {&first, &second}) call->reply.Send(EchoResponse());
  EXPECT_TRUE(one.Await().ok());
  EXPECT_TRUE(two.Await().ok());
}

TEST(PlaneLimits, WhenACallNeverComesWhole_ItsConnectionIsClosedAllTheSame) {
  Echoing servicer;
  TrialPlane plane(servicer, nullptr, Aged(absl::Milliseconds(100)));
  RawClient client(plane.address());
  client.Greet();
  client.SendHeaders(1, kEcho);
  EXPECT_TRUE(client.AwaitEnd(kSoon));
  EXPECT_TRUE(Eventually([&] { return plane.plane().door().CountConnections() == 0; }));
}

TEST(PlaneLimits, WhenAClientDoesNotHearThatItIsToGo_ItsConnectionIsClosed) {
  Echoing servicer;
  TrialPlane plane(servicer, nullptr, Aged(absl::Milliseconds(100)));
  RawClient silent(plane.address());
  RawClient polite(plane.address());
  polite.Greet();
  EXPECT_TRUE(silent.AwaitEnd(kSoon));
  EXPECT_TRUE(polite.AwaitEnd(kSoon));
}

TEST(PlaneLimits, WhenNobodyUsesAConnection_ItIsClosedWhereNoneAges) {
  Echoing servicer;
  PlaneLimits limits = Aged(absl::ZeroDuration());
  limits.max_connection_idle = absl::Milliseconds(100);
  TrialPlane plane(servicer, nullptr, limits);
  RawClient idle(plane.address());
  idle.Greet();
  RawClient half(plane.address());
  half.Greet();
  half.SendHeaders(1, kEcho);
  EXPECT_TRUE(idle.AwaitEnd(kSoon));
  EXPECT_TRUE(half.AwaitEnd(kSoon));
}

// Addresses of all kinds: gRPC and the door must give a peer the same name.
class PlaneLimitsByAddress : public ::testing::TestWithParam<const char*> {
 protected:
  std::string Address() {
    return std::string(GetParam()) == "unix:" ? "unix:" + directory_.File("socket") : GetParam();
  }
  testing::TemporaryDirectory directory_;
};

TEST_P(PlaneLimitsByAddress, WhenACallIsInFlight_ItsConnectionStays) {
  CallBox box;
  std::optional<EchoCall> call;
  TrialPlane plane(testing::HookedType("trial", box.hooks()), Aged(absl::Milliseconds(100)),
                   {testing::Named("trial")}, Address());
  auto stub = plane.NewStub();
  PendingEcho pending(*stub);
  call.emplace(box.Take<EchoCall>());
  // All of a unix socket are in use while one is.
  if (std::string(GetParam()) == "unix:") {
    EXPECT_EQ("unix:", call->reply.context().Peer());
  }
  // Those that came later have gone, so its own time is long up.
  for (int round = 0; round < 2 && std::string(GetParam()) != "unix:"; ++round) {
    RawClient later(plane.address());
    EXPECT_TRUE(later.AwaitEnd(kSoon));
  }
  call->reply.Send(EchoResponse());
  const grpc::Status status = pending.Await();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_P(PlaneLimitsByAddress, WhenItsTimeIsUp_TheConnectionIsClosed) {
  Echoing servicer;
  TrialPlane plane(servicer, nullptr, Aged(absl::Milliseconds(100)), Address());
  RawClient client(plane.address());
  client.Greet();
  EXPECT_TRUE(client.AwaitEnd(kSoon));
}

INSTANTIATE_TEST_SUITE_P(Addresses, PlaneLimitsByAddress,
                         ::testing::Values("127.0.0.1:0", "[::1]:0", "[::]:0", "unix:"));

TEST(PlaneLimits, WhenThereIsAUnixSocketToo_ConnectionsAgeOnBoth) {
  testing::TemporaryDirectory directory;
  testing::TrialHost host([&](HostConfig& config) {
    config.data.addresses = {"127.0.0.1:0", "unix:" + directory.File("data")};
    config.data.limits = Aged(absl::Milliseconds(100));
  });
  ASSERT_TRUE(host.Start().ok());
  for (const std::string& address : host.host().data_addresses()) {
    RawClient client(address);
    client.Greet();
    EXPECT_TRUE(client.AwaitEnd(kSoon)) << address;
  }
}

}  // namespace
}  // namespace mainspring::rpc
