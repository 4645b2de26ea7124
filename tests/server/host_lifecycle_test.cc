// Lifecycle over gRPC: what an operator has of a host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "mainspring/lifecycle/v1/lifecycle.grpc.pb.h"
#include "mainspring/server/drain/drain_report.h"
#include "tests/server/gate.h"
#include "tests/server/trial_host.h"

namespace mainspring {
namespace {

namespace proto = lifecycle::v1;
using grpc::health::v1::HealthCheckResponse;
using testing::CallBox;
using ::testing::ElementsAre;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::TrialHost;
using testing::Waiting;

ComponentConfig Named(const std::string& name, std::vector<Dependency> dependencies = {}) {
  ComponentConfig config;
  config.name = name;
  config.type = "trial";
  config.depends_on = std::move(dependencies);
  return config;
}

// "mail" needs "store".
class HostLifecycleTest : public ::testing::Test {
 protected:
  ~HostLifecycleTest() override {
    gate_.Open();
    box_.Clear();
  }

  void Start(
      const std::function<void(HostConfig&)>& adjust = [](HostConfig&) {},
      std::optional<testing::Hooks> hooks = std::nullopt) {
    host_.emplace(
        [&](HostConfig& config) {
          config.components = {Named("mail", {{"store"}}), Named("store")};
          adjust(config);
        },
        std::vector<ComponentType>{hooks.has_value() ? testing::HookedType("trial", *hooks)
                                                     : testing::TrialType()});
    ASSERT_TRUE(host_->Start().ok());
    admin_ = proto::Lifecycle::NewStub(host_->Admin());
  }

  // Asks with a request that has a name, and more where `adjust` says so.
  template <class Request, class Response>
  grpc::Status Ask(grpc::Status (proto::Lifecycle::Stub::*rpc)(grpc::ClientContext*, const Request&,
                                                               Response*),
                   Request request, Response* response = nullptr) {
    Waiting context;
    Response ignored;
    return ((*admin_).*rpc)(&context, request, response == nullptr ? &ignored : response);
  }
  template <class Request>
  static Request Of(const std::string& name, bool cascade = false) {
    Request request;
    request.set_name(name);
    if (cascade) request.set_cascade(true);
    return request;
  }
  grpc::Status Stop(const std::string& name, bool cascade = false) {
    return Ask(&proto::Lifecycle::Stub::StopComponent,
               Of<proto::StopComponentRequest>(name, cascade));
  }
  grpc::Status StartOne(const std::string& name) {
    return Ask(&proto::Lifecycle::Stub::StartComponent, Of<proto::StartComponentRequest>(name));
  }
  grpc::Status EchoTo(const std::string& name) {
    Waiting context(absl::Seconds(10));
    context.set_wait_for_ready(false);
    context.AddMetadata("mainspring-component", name);
    trial::v1::EchoResponse response;
    return host_->NewStub()->Echo(&context, testing::EchoOf("hello"), &response);
  }
  HealthCheckResponse::ServingStatus Health(const std::string& name) {
    Waiting context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    HealthCheckResponse response;
    EXPECT_TRUE(
        grpc::health::v1::Health::NewStub(host_->Data())->Check(&context, request, &response).ok());
    return response.status();
  }

  testing::Gate gate_;
  CallBox box_;
  std::optional<TrialHost> host_;
  std::unique_ptr<proto::Lifecycle::Stub> admin_;
};

TEST_F(HostLifecycleTest, WhenListed_TellsOfTheComponentsAndTheProcess) {
  Start();
  proto::ListComponentsResponse response;
  ASSERT_TRUE(Ask(&proto::Lifecycle::Stub::ListComponents, {}, &response).ok());
  ASSERT_EQ(2, response.components_size());
  EXPECT_EQ("mail", response.components(0).name());
  EXPECT_EQ(proto::Component::RUNNING, response.components(0).state());
  EXPECT_GT(response.components(0).thread().id(), 0);
  EXPECT_EQ(getpid(), response.host().pid());
  EXPECT_EQ(8u, response.host().incarnation().size());
  EXPECT_NE("", response.host().version());
  EXPECT_FALSE(response.host().draining());
}

TEST_F(HostLifecycleTest, WhenAskedOnTheDataPlane_SaysWhereItIs) {
  Start();
  admin_ = proto::Lifecycle::NewStub(host_->Data());
  EXPECT_EQ(grpc::StatusCode::UNIMPLEMENTED, Stop("mail").error_code());
  proto::ListComponentsResponse response;
  const grpc::Status status = Ask(&proto::Lifecycle::Stub::ListComponents, {}, &response);
  EXPECT_EQ(grpc::StatusCode::UNIMPLEMENTED, status.error_code());
  EXPECT_EQ("no mainspring.lifecycle.v1.Lifecycle here; it is on the admin plane " +
                host_->host().admin_addresses().front(),
            status.error_message());
  EXPECT_TRUE(EchoTo("mail").ok());
}

TEST_F(HostLifecycleTest, WhenStoppedAndStarted_CallersAndHealthSeeIt) {
  Start();
  EXPECT_TRUE(Stop("mail").ok());
  const grpc::Status refused = EchoTo("mail");
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, refused.error_code());
  EXPECT_EQ("component \"mail\": STOPPED: asked to stop", refused.error_message());
  EXPECT_TRUE(EchoTo("store").ok());
  EXPECT_EQ(HealthCheckResponse::NOT_SERVING, Health("mail"));
  EXPECT_EQ(HealthCheckResponse::NOT_SERVING, Health("readiness"));
  EXPECT_EQ(HealthCheckResponse::SERVING, Health("mainspring.trial.v1.Trial"));
  EXPECT_EQ(HealthCheckResponse::SERVING, Health("liveness"));
  EXPECT_TRUE(StartOne("mail").ok());
  EXPECT_TRUE(EchoTo("mail").ok());
  EXPECT_EQ(HealthCheckResponse::SERVING, Health("readiness"));
}

TEST_F(HostLifecycleTest, ForEachError_HasItsStatus) {
  Start();
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, Stop("stor").error_code());
  EXPECT_EQ(grpc::StatusCode::FAILED_PRECONDITION, Stop("store").error_code());
  proto::StopComponentRequest stop = Of<proto::StopComponentRequest>("mail");
  stop.set_expected_generation(7);
  EXPECT_EQ(grpc::StatusCode::ABORTED,
            Ask(&proto::Lifecycle::Stub::StopComponent, stop).error_code());
  stop.clear_expected_generation();
  stop.set_request_id("r");
  EXPECT_TRUE(Ask(&proto::Lifecycle::Stub::StopComponent, stop).ok());
  proto::StartComponentRequest start = Of<proto::StartComponentRequest>("mail");
  start.set_request_id("r");
  EXPECT_EQ(grpc::StatusCode::ALREADY_EXISTS,
            Ask(&proto::Lifecycle::Stub::StartComponent, start).error_code());
  start.set_request_id(std::string(1000, 'x'));
  EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT,
            Ask(&proto::Lifecycle::Stub::StartComponent, start).error_code());
}

TEST_F(HostLifecycleTest, WhenRestartedWithCascade_AllRunAgain) {
  Start();
  proto::RestartComponentRequest request;
  request.set_name("store");
  request.set_cascade(true);
  proto::RestartComponentResponse response;
  ASSERT_TRUE(Ask(&proto::Lifecycle::Stub::RestartComponent, request, &response).ok());
  EXPECT_EQ(4, response.steps_size());
  EXPECT_EQ(2u, response.component().generation());
  EXPECT_TRUE(EchoTo("mail").ok());
  EXPECT_TRUE(EchoTo("store").ok());
}

TEST_F(HostLifecycleTest, WhenWatched_TellsOfEachChange) {
  Start();
  Waiting context;
  auto watch = admin_->WatchComponents(&context, {});
  proto::WatchComponentsResponse response;
  ASSERT_TRUE(watch->Read(&response));
  ASSERT_EQ(2, response.snapshot().components_size());
  uint64_t sequence = response.snapshot().sequence();
  ASSERT_TRUE(Stop("mail").ok());
  for (const auto state : {proto::Component::STOPPING, proto::Component::STOPPED}) {
    ASSERT_TRUE(watch->Read(&response));
    EXPECT_EQ("mail", response.event().component());
    EXPECT_EQ(state, response.event().to());
    EXPECT_EQ(++sequence, response.event().sequence());
  }
  host_->Drain();
  while (watch->Read(&response)) EXPECT_TRUE(response.has_event());
  const grpc::Status end = watch->Finish();
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, end.error_code());
  EXPECT_EQ("draining", end.error_message());
  EXPECT_EQ(proto::Component::STOPPED, response.event().to()) << "it saw the end";
}

TEST_F(HostLifecycleTest, WhenOneIsDrained_HealthSaysSoUntilItIsUndrained) {
  Start();
  proto::DrainComponentRequest drain;
  drain.set_name("mail");
  ASSERT_TRUE(Ask(&proto::Lifecycle::Stub::DrainComponent, drain).ok());
  EXPECT_EQ("component \"mail\": RUNNING: draining", EchoTo("mail").error_message());
  EXPECT_EQ(HealthCheckResponse::NOT_SERVING, Health("mail"));
  proto::UndrainComponentRequest undrain;
  undrain.set_name("mail");
  ASSERT_TRUE(Ask(&proto::Lifecycle::Stub::UndrainComponent, undrain).ok());
  EXPECT_TRUE(EchoTo("mail").ok());
  EXPECT_EQ(HealthCheckResponse::SERVING, Health("mail"));
}

TEST_F(HostLifecycleTest, WhenACallIsInFlight_ADrainOfItsComponentWaitsForItsAnswer) {
  Start([](HostConfig&) {}, box_.hooks());
  auto stub = host_->NewStub();
  testing::PendingEcho held(*stub, "mail");
  trial::v1::TrialCall::Echo call = box_.Take<trial::v1::TrialCall::Echo>();
  proto::DrainComponentRequest request;
  request.set_name("mail");
  Waiting context;
  proto::DrainComponentResponse response;
  std::promise<grpc::Status> drained;
  admin_->async()->DrainComponent(&context, &request, &response,
                                  [&](const grpc::Status& status) { drained.set_value(status); });
  EXPECT_TRUE(Eventually([&] { return Health("mail") == HealthCheckResponse::NOT_SERVING; }));
  auto future = drained.get_future();
  EXPECT_EQ(std::future_status::timeout, future.wait_for(std::chrono::milliseconds(30)));
  call.reply.Send(trial::v1::EchoResponse());
  EXPECT_TRUE(future.get().ok());
  EXPECT_TRUE(held.Await().ok());
}

TEST_F(HostLifecycleTest, WhenTheHostIsDrained_StreamsEachPhaseAndEndsOk) {
  Start([](HostConfig& config) { config.lame_duck = absl::Milliseconds(250); });
  proto::GetDrainStatusResponse status;
  ASSERT_TRUE(Ask(&proto::Lifecycle::Stub::GetDrainStatus, {}, &status).ok());
  EXPECT_EQ(proto::DrainProgress::SERVING, status.progress().phase());
  EXPECT_THAT(status.progress().components_up(), ElementsAre("mail", "store"));
  Waiting context;
  auto drain = admin_->Drain(&context, {});
  proto::DrainResponse response;
  std::vector<proto::DrainProgress::Phase> phases;
  while (drain->Read(&response)) phases.push_back(response.progress().phase());
  EXPECT_TRUE(drain->Finish().ok());
  EXPECT_TRUE(std::is_sorted(phases.begin(), phases.end()));
  EXPECT_THAT(phases, ::testing::Contains(proto::DrainProgress::LAME_DUCK));
  EXPECT_EQ(proto::DrainProgress::OVER, response.progress().phase());
  EXPECT_EQ("Lifecycle.Drain", response.progress().trigger());
  EXPECT_EQ(0, response.progress().components_up_size());
  EXPECT_EQ(kExitClean, host_->Join());
  EXPECT_THAT(host_->world().exit_lines(), ElementsAre(HasSubstr("\"Lifecycle.Drain\"")));
}

TEST_F(HostLifecycleTest, WhenADrainHasBegun_ASecondOneReportsItAndSkipsNothing) {
  Start([](HostConfig& config) { config.lame_duck = absl::Milliseconds(300); });
  Waiting one, two;
  auto first = admin_->Drain(&one, {});
  proto::DrainResponse response;
  ASSERT_TRUE(first->Read(&response));
  auto second = admin_->Drain(&two, {});
  ASSERT_TRUE(second->Read(&response));
  EXPECT_TRUE(EchoTo("mail").ok()) << "a lame duck serves on";
  while (first->Read(&response)) {
  }
  while (second->Read(&response)) {
  }
  EXPECT_TRUE(first->Finish().ok());
  EXPECT_TRUE(second->Finish().ok());
  EXPECT_EQ(kExitClean, host_->Join());
}

TEST_F(HostLifecycleTest, WhenShutDownNow_SkipsToTheStop) {
  Start(
      [](HostConfig& config) {
        config.lame_duck = absl::Seconds(100);
        config.drain_timeout = absl::Seconds(100);
      },
      box_.hooks());
  auto stub = host_->NewStub();
  testing::PendingEcho held(*stub, "mail");
  trial::v1::TrialCall::Echo call = box_.Take<trial::v1::TrialCall::Echo>();
  EXPECT_TRUE(Ask(&proto::Lifecycle::Stub::ShutdownNow, {}).ok());
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, held.Await().error_code());
  EXPECT_EQ(kExitCut, host_->Join());
  EXPECT_THAT(host_->world().exit_lines(), ElementsAre(HasSubstr("\"Lifecycle.ShutdownNow\"")));
  call.reply.Send(trial::v1::EchoResponse());
}

TEST_F(HostLifecycleTest, WhenTheHostIsDrainingByASignal_ShutdownNowSkipsTheRest) {
  Start([](HostConfig& config) { config.lame_duck = absl::Seconds(100); });
  host_->trigger().Pull("SIGTERM");
  EXPECT_TRUE(Ask(&proto::Lifecycle::Stub::ShutdownNow, {}).ok());
  EXPECT_EQ(kExitClean, host_->Join());
  EXPECT_THAT(host_->world().terminated(), ::testing::IsEmpty());
}

TEST_F(HostLifecycleTest, WhenTheHostDrains_CommandsAreRefusedAndQuestionsAnswered) {
  Start([](HostConfig& config) { config.lame_duck = absl::Seconds(100); });
  host_->trigger().Pull("SIGTERM");
  EXPECT_TRUE(Eventually([&] { return Health("readiness") == HealthCheckResponse::NOT_SERVING; }));
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, Stop("mail").error_code());
  proto::ListComponentsResponse response;
  ASSERT_TRUE(Ask(&proto::Lifecycle::Stub::ListComponents, {}, &response).ok());
  EXPECT_TRUE(response.host().draining());
  EXPECT_EQ(kExitClean, host_->Drain("skip"));
}

// --- a start that is given up --------------------------------------------------------------------

TEST_F(HostLifecycleTest, WhenTheStartIsAbandonedMeanwhile_IsOkAndTheHostDrains) {
  testing::Hooks hooks;
  hooks.start = [this] {
    gate_.Pass();
    return absl::OkStatus();
  };
  host_.emplace([](HostConfig&) {},
                std::vector<ComponentType>{testing::HookedType("trial", hooks)});
  auto started = std::async([&] { return host_->Start(); });
  gate_.AwaitSomebody();
  host_->host().AbandonStart();
  EXPECT_TRUE(started.get().ok());
  host_->trigger().Pull("SIGTERM");
  gate_.Open();
  EXPECT_EQ(kExitClean, host_->Join());
}

TEST_F(HostLifecycleTest, WhenTheStartIsAbandonedBeforehand_NothingIsStarted) {
  std::atomic<int> starts{0};
  testing::Hooks hooks;
  hooks.start = [&] {
    ++starts;
    return absl::OkStatus();
  };
  host_.emplace([](HostConfig&) {},
                std::vector<ComponentType>{testing::HookedType("trial", hooks)});
  host_->host().AbandonStart();
  EXPECT_TRUE(host_->Start().ok());
  EXPECT_EQ(kExitClean, host_->Drain("SIGTERM"));
  EXPECT_EQ(0, starts);
}

TEST_F(HostLifecycleTest, WhenTheStartIsAbandonedAfterwards_ServesOn) {
  Start();
  host_->host().AbandonStart();
  EXPECT_TRUE(EchoTo("mail").ok());
}

TEST_F(HostLifecycleTest, WhenADrainIsAskedForDuringTheStart_ItIsCarriedOutAfterwards) {
  testing::Hooks hooks;
  hooks.start = [this] {
    gate_.Pass();
    return absl::OkStatus();
  };
  host_.emplace([](HostConfig&) {},
                std::vector<ComponentType>{testing::HookedType("trial", hooks)});
  auto started = std::async([&] { return host_->Start(); });
  gate_.AwaitSomebody();
  admin_ = proto::Lifecycle::NewStub(host_->Admin());
  Waiting context;
  auto drain = admin_->Drain(&context, {});
  proto::DrainResponse response;
  ASSERT_TRUE(drain->Read(&response));
  gate_.Open();
  EXPECT_TRUE(started.get().ok());
  while (drain->Read(&response)) {
  }
  EXPECT_TRUE(drain->Finish().ok());
  EXPECT_EQ(kExitClean, host_->Join());
}

}  // namespace
}  // namespace mainspring
