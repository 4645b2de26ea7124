// The drain, through a host.
#include "mainspring/server/drain/drain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/server/gate.h"
#include "tests/server/process_view.h"
#include "tests/server/trial_host.h"

namespace mainspring {
namespace {

using nlohmann::json;
using testing::CallBox;
using ::testing::ElementsAre;
using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::Waiting;
using EchoCall = trial::v1::TrialCall::Echo;

class DrainTest : public ::testing::Test {
 protected:
  // Whatever a test found, no thread is held any longer.
  ~DrainTest() override { gate_.Open(); }

  // Its component's calls wait in the box.
  void StartBoxed(const std::function<void(HostConfig&)>& adjust = [](HostConfig&) {}) {
    host_.emplace(adjust, std::vector<ComponentType>{testing::HookedType("trial", box_.hooks())});
    ASSERT_TRUE(host_->Start().ok());
    stub_ = host_->NewStub();
  }
  void Start(const std::function<void(HostConfig&)>& adjust = [](HostConfig&) {}) {
    host_.emplace(adjust);
    ASSERT_TRUE(host_->Start().ok());
    stub_ = host_->NewStub();
  }

  json ExitLine() {
    const auto lines = host_->world().exit_lines();
    EXPECT_THAT(lines, SizeIs(1));
    return lines.empty() ? json::object() : json::parse(lines.front());
  }

  testing::Gate gate_;
  CallBox box_;
  std::optional<testing::TrialHost> host_;
  std::unique_ptr<trial::v1::Trial::Stub> stub_;
};

TEST_F(DrainTest, WhenNothingIsCut_ExitsClean) {
  Start();
  ASSERT_TRUE(testing::Echo(*stub_).ok());
  EXPECT_EQ(kExitClean, host_->Drain("SIGTERM"));
  const json line = ExitLine();
  EXPECT_EQ("exit", line["event"]);
  EXPECT_EQ(0, line["code"]);
  EXPECT_EQ("SIGTERM", line["trigger"]);
  EXPECT_EQ(0, line["cut_calls"]);
  EXPECT_THAT(line["hung"], IsEmpty());
  EXPECT_THAT(host_->world().terminated(), IsEmpty());
}

TEST_F(DrainTest, WhenACallIsInFlight_WaitsForItsAnswer) {
  StartBoxed();
  testing::PendingEcho status(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  host_->trigger().Pull("test");
  call.reply.Send(trial::v1::EchoResponse());
  EXPECT_TRUE(status.Await().ok());
  EXPECT_EQ(kExitClean, host_->Join());
}

TEST_F(DrainTest, WhenACallIsNotAnsweredInTime_CutsItAndExits75) {
  StartBoxed([](HostConfig& config) { config.drain_timeout = absl::Milliseconds(50); });
  testing::PendingEcho status(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  EXPECT_EQ(kExitCut, host_->Drain());
  const grpc::Status end = status.Await();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, end.error_code());
  EXPECT_EQ("draining: time is up", end.error_message());
  EXPECT_EQ(1, ExitLine()["cut_calls"]);
  EXPECT_EQ(75, ExitLine()["code"]);
  call.reply.Send(trial::v1::EchoResponse());
}

TEST_F(DrainTest, WhenItIsALameDuck_ServesNewConnectionsUntilTimeIsUp) {
  Start([](HostConfig& config) { config.lame_duck = absl::Seconds(30); });
  host_->trigger().Pull("test");
  auto health = grpc::health::v1::Health::NewStub(host_->Data());
  EXPECT_TRUE(Eventually([&] {
    Waiting context;
    grpc::health::v1::HealthCheckResponse response;
    return health->Check(&context, {}, &response).ok() &&
           response.status() == grpc::health::v1::HealthCheckResponse::NOT_SERVING;
  }));
  EXPECT_TRUE(testing::Echo(*host_->NewStub()).ok());
  host_->trigger().Pull("skip");
  EXPECT_EQ(kExitClean, host_->Join());
}

TEST_F(DrainTest, WhenPulledTwice_SkipsToTheStop) {
  StartBoxed([](HostConfig& config) {
    config.lame_duck = absl::Seconds(100);
    config.drain_timeout = absl::Seconds(100);
  });
  testing::PendingEcho status(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  host_->trigger().Pull("first");
  host_->trigger().Pull("second");
  EXPECT_EQ(kExitCut, host_->Join());
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, status.Await().error_code());
  const json line = ExitLine();
  EXPECT_EQ("first", line["trigger"]);
  EXPECT_LT(line["total_ms"], 50000);
  call.reply.Send(trial::v1::EchoResponse());
}

TEST_F(DrainTest, WhenAStreamIsOpen_EndsItDraining) {
  Start();
  Waiting context;
  auto parrot = stub_->Parrot(&context);
  trial::v1::ParrotRequest request;
  request.set_text("hello");
  trial::v1::ParrotResponse response;
  ASSERT_TRUE(parrot->Write(request));
  ASSERT_TRUE(parrot->Read(&response));
  EXPECT_EQ(kExitClean, host_->Drain());
  EXPECT_FALSE(parrot->Read(&response));
  const grpc::Status end = parrot->Finish();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, end.error_code());
  EXPECT_EQ("draining", end.error_message());
}

TEST_F(DrainTest, WhenAClientsStreamIsIdle_EndsItDraining) {
  StartBoxed([](HostConfig& config) { config.drain_timeout = absl::Hours(1); });
  Waiting context;
  trial::v1::SumResponse response;
  auto sum = stub_->Sum(&context, &response);
  auto call = box_.Take<trial::v1::TrialCall::Sum>();
  EXPECT_EQ(kExitClean, host_->Drain());
  const grpc::Status end = sum->Finish();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, end.error_code());
  EXPECT_EQ("draining", end.error_message());
}

// It stays on its connection, which lives longer than the drain lasts.
TEST_F(DrainTest, WhenAClientCallsToTheEnd_WhatItIsRefusedIsCounted) {
  // As a rule the first drain turns a call away; now and then it comes between two of them.
  bool turned_away = false;
  for (int drains = 0; drains < 20 && !turned_away; ++drains) {
    Start([](HostConfig& config) {
      config.lame_duck = absl::Milliseconds(1);
      config.drain_timeout = absl::Milliseconds(100);
      config.data.limits.max_connection_age = absl::Seconds(60);
    });
    ASSERT_TRUE(testing::Echo(*stub_).ok());
    grpc::Status last;
    std::thread client([&] {
      while (last.ok()) {
        Waiting context;
        context.set_wait_for_ready(false);
        trial::v1::EchoResponse response;
        last = stub_->Echo(&context, testing::EchoOf("hello"), &response);
      }
    });
    const int code = host_->Drain();
    client.join();
    turned_away = last.error_code() == grpc::StatusCode::CANCELLED ||
                  absl::StartsWith(last.error_message(), "draining");
    EXPECT_EQ(code == kExitCut, ExitLine()["cut_calls"] > 0);
    EXPECT_TRUE(code == kExitCut || !turned_away) << last.error_message();
  }
  EXPECT_TRUE(turned_away);
}

TEST_F(DrainTest, WhenItHasClosed_NobodyConnectsButWhoIsInIsServed) {
  StartBoxed();
  testing::PendingEcho held(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  const std::string address = host_->host().data_addresses().front();
  host_->trigger().Pull("test");
  // The listening socket has gone: the address is free.
  EXPECT_TRUE(Eventually([&] { return rpc::Listener::Listen(address).ok(); }));
  testing::PendingEcho in(*stub_);
  box_.Take<EchoCall>().reply.Send(trial::v1::EchoResponse());
  EXPECT_TRUE(in.Await().ok());
  call.reply.Send(trial::v1::EchoResponse());
  EXPECT_TRUE(held.Await().ok());
  EXPECT_EQ(kExitClean, host_->Join());
}

TEST_F(DrainTest, WhenTheDataPlaneDrains_TheAdminPlaneIsStillServed) {
  StartBoxed();
  testing::PendingEcho held(*stub_);
  EchoCall call = box_.Take<EchoCall>();
  const std::string address = host_->host().data_addresses().front();
  host_->trigger().Pull("test");
  EXPECT_TRUE(Eventually([&] { return rpc::Listener::Listen(address).ok(); }));
  auto health = grpc::health::v1::Health::NewStub(host_->Admin());
  Waiting context;
  grpc::health::v1::HealthCheckResponse response;
  EXPECT_TRUE(health->Check(&context, {}, &response).ok());
  EXPECT_EQ(grpc::health::v1::HealthCheckResponse::NOT_SERVING, response.status());
  call.reply.Send(trial::v1::EchoResponse());
  EXPECT_TRUE(held.Await().ok());
  EXPECT_EQ(kExitClean, host_->Join());
}

TEST_F(DrainTest, WhenCallsAreLeftInTheMailbox_CutsThemAndDispatchesNone) {
  std::atomic<int> dispatched{0};
  testing::Hooks hooks;
  hooks.handle = [&](trial::v1::TrialRequest request) {
    ++dispatched;
    gate_.Pass();
    testing::AnswerEcho(std::move(request));
  };
  host_.emplace(
      [](HostConfig& config) {
        config.drain_timeout = absl::Milliseconds(20);
        config.components[0].stop_timeout = absl::Seconds(20);
      },
      std::vector<ComponentType>{testing::HookedType("trial", hooks)});
  ASSERT_TRUE(host_->Start().ok());
  auto channel = host_->Data();
  stub_ = trial::v1::Trial::NewStub(channel);
  testing::PendingEcho running(*stub_);
  gate_.AwaitSomebody();
  testing::PendingEcho queued(*stub_);
  // It went the same way, and later.
  Waiting context;
  grpc::health::v1::HealthCheckResponse response;
  ASSERT_TRUE(grpc::health::v1::Health::NewStub(channel)->Check(&context, {}, &response).ok());
  host_->trigger().Pull("test");
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, running.Await().error_code());
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, queued.Await().error_code());
  gate_.Open();
  EXPECT_EQ(kExitCut, host_->Join());
  EXPECT_EQ(2, ExitLine()["cut_calls"]);
  EXPECT_EQ(1, dispatched) << "whoever was told UNAVAILABLE may have asked somebody else by now";
}

TEST_F(DrainTest, WhenAnEssentialComponentIsGivenUpOn_DrainsAndExits71) {
  testing::Hooks hooks;
  hooks.handle = [](trial::v1::TrialRequest) { throw std::runtime_error("broken"); };
  host_.emplace(
      [](HostConfig& config) { config.components[0].restart.kind = RestartKind::kTemporary; },
      std::vector<ComponentType>{testing::HookedType("trial", hooks)});
  ASSERT_TRUE(host_->Start().ok());
  EXPECT_EQ(grpc::StatusCode::INTERNAL, testing::Echo(*host_->NewStub()).error_code());
  EXPECT_EQ(kExitFailed, host_->Join());
  EXPECT_EQ(71, ExitLine()["code"]);
  EXPECT_EQ("component \"trial\" FAILED", ExitLine()["trigger"]);
}

TEST_F(DrainTest, WhenAComponentThatIsNotEssentialIsGivenUpOn_ServesOn) {
  testing::Hooks hooks;
  hooks.handle = [](trial::v1::TrialRequest) { throw std::runtime_error("broken"); };
  host_.emplace(
      [](HostConfig& config) {
        config.components[0].restart.kind = RestartKind::kTemporary;
        config.components[0].essential = false;
      },
      std::vector<ComponentType>{testing::HookedType("trial", hooks)});
  ASSERT_TRUE(host_->Start().ok());
  EXPECT_EQ(grpc::StatusCode::INTERNAL, testing::Echo(*host_->NewStub()).error_code());
  EXPECT_TRUE(Eventually([&] {
    return testing::Echo(*host_->NewStub()).error_code() == grpc::StatusCode::UNAVAILABLE;
  }));
  EXPECT_EQ(0, host_->trigger().pulls());
  EXPECT_EQ(kExitClean, host_->Drain());
}

TEST(LongestDrain, OfAChain_IsTheSumOfAllThatMayTakeTime) {
  HostConfig config;
  config.lame_duck = absl::Seconds(1);
  config.drain_timeout = absl::Seconds(10);
  config.exit_margin = absl::Seconds(100);
  for (const char* name : {"a", "b", "beside"}) {
    ComponentConfig& component = config.components.emplace_back();
    component.name = name;
    component.stop_timeout = absl::Seconds(1000);
  }
  config.components[1].depends_on = {{"a"}};
  const auto longest = [&] { return LongestDrain(config); };
  // Each of the two has a grace of 0.2 s, and each plane its goodbye.
  EXPECT_EQ(absl::Seconds(2111) + absl::Milliseconds(400) + absl::Seconds(4), longest());
  config.components[0].stop_timeout = absl::Seconds(std::numeric_limits<int64_t>::max());
  config.components[1].stop_timeout = absl::Seconds(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(absl::InfiniteDuration(), longest()) << "no sum wraps round";
}

// Three that stop one after another: the guard must give them the time of all three.
TEST_F(DrainTest, WhenAChainStopsSlowly_TheExitGuardWaitsForAllOfIt) {
  testing::Hooks hooks;
  hooks.stop = [] { (void)Eventually([] { return false; }, absl::Milliseconds(400)); };
  host_.emplace(
      [](HostConfig& config) {
        ComponentConfig one = config.components[0];
        one.stop_timeout = absl::Seconds(1);
        config.components.clear();
        for (const char* name : {"c", "b", "a"}) {
          one.name = name;
          one.depends_on.clear();
          if (one.name != "a") one.depends_on = {{one.name == "c" ? "b" : "a"}};
          config.components.push_back(one);
        }
        config.drain_timeout = absl::Milliseconds(10);
        config.exit_margin = absl::ZeroDuration();
      },
      std::vector<ComponentType>{testing::HookedType("trial", hooks)});
  ASSERT_TRUE(host_->Start().ok());
  EXPECT_EQ(kExitClean, host_->Drain());
  EXPECT_THAT(host_->world().terminated(), IsEmpty());
  EXPECT_GE(ExitLine()["stop_ms"], 1200);
}

TEST_F(DrainTest, WhenIndependentOnesStopSlowly_TheyStopSideBySide) {
  testing::Hooks hooks;
  std::atomic<int> stopping{0};
  std::atomic<int> met{0};
  // Each waits for the others.
  hooks.stop = [&] {
    ++stopping;
    if (Eventually([&] { return stopping == 5; })) ++met;
  };
  host_.emplace(
      [](HostConfig& config) {
        ComponentConfig one = config.components[0];
        config.components.clear();
        for (const char* name : {"a", "b", "c", "d", "e"}) {
          one.name = name;
          config.components.push_back(one);
        }
      },
      std::vector<ComponentType>{testing::HookedType("trial", hooks)});
  ASSERT_TRUE(host_->Start().ok());
  EXPECT_EQ(kExitClean, host_->Drain());
  EXPECT_EQ(5, met);
}

// What a host does that must end by force: in a process of its own.
void RunStuckHost(int pulls) {
  testing::Hooks hooks;
  hooks.stop = [] { (void)Eventually([] { return false; }, absl::Hours(1)); };
  testing::TemporaryDirectory directory;
  HostConfig config = testing::QuickConfig(directory.File("admin"));
  config.components[0].stop_timeout = absl::Milliseconds(50);
  if (pulls == DrainTrigger::kExitNow) config.components[0].stop_timeout = absl::Hours(1);
  EventLog log;
  World world;
  world.log = &log;
  world.print_exit_line = [](const std::string& line) { std::fputs(line.c_str(), stderr); };
  Host host({testing::HookedType("trial", hooks)}, config, world);
  if (!host.Start().ok()) _exit(1);
  DrainTrigger trigger;
  for (int i = 0; i < pulls; ++i) trigger.Pull("test");
  _exit(host.Run(trigger));
}

TEST(DrainDeathTest, WhenAComponentDoesNotComeBack_Exits70AndNamesIt) {
  EXPECT_EXIT(RunStuckHost(1), ::testing::ExitedWithCode(kExitForced),
              "\"code\":70.*\"hung\":\\[\\{\"component\":\"trial\",\"method\":\"Stop\"");
}

TEST(DrainDeathTest, WhenPulledAThirdTime_Exits70AtOnce) {
  EXPECT_EXIT(RunStuckHost(3), ::testing::ExitedWithCode(kExitForced), "\"code\":70");
}

TEST(DrainForceTest, WhenTerminateReturns_SoDoesTheDrainAndTheHostLeavesNoThread) {
  std::atomic<bool> let_go{false};
  {
    testing::Hooks hooks;
    hooks.stop = [&] { (void)Eventually([&] { return let_go.load(); }); };
    testing::TrialHost host(
        [](HostConfig& config) { config.components[0].stop_timeout = absl::Milliseconds(20); },
        {testing::HookedType("trial", hooks)});
    ASSERT_TRUE(host.Start().ok());
    EXPECT_EQ(kExitForced, host.Drain());
    EXPECT_THAT(host.world().terminated(), ElementsAre(kExitForced));
    EXPECT_THAT(host.world().exit_lines(), ElementsAre(HasSubstr("\"component\":\"trial\"")));
    let_go = true;
  }
  EXPECT_TRUE(Eventually([] { return testing::ThreadNames().count("ingress/admin") == 0; },
                         absl::Seconds(2)));
}

}  // namespace
}  // namespace mainspring
