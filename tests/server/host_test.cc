#include "mainspring/server/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "components/clock/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "mainspring/clock/v1/clock.binding.pb.h"
#include "mainspring/clock/v1/clock.grpc.pb.h"
#include "mainspring/lifecycle/v1/lifecycle.grpc.pb.h"
#include "mainspring/server/rpc/listener.h"
#include "tests/server/process_view.h"
#include "tests/server/trial_host.h"

namespace mainspring {
namespace {

using testing::CountDescriptors;
using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::QuickConfig;
using ::testing::StartsWith;
using testing::ThreadNames;
using testing::TrialHost;
using testing::Waiting;

ComponentConfig Named(const std::string& name, const std::string& type) {
  ComponentConfig config;
  config.name = name;
  config.type = type;
  return config;
}

bool IsFree(const std::string& address) { return rpc::Listener::Listen(address).ok(); }

// An address that was free a moment ago.
std::string FreeAddress() {
  return rpc::Listener::Listen("127.0.0.1:0").value().front()->address();
}

TEST(Host, WhenStartedWithAClock_ServesItUntilItIsDrained) {
  testing::TemporaryDirectory directory;
  testing::CaughtWorld world;
  HostConfig config = QuickConfig(directory.File("admin"));
  config.components = {Named("clock", "clock")};
  Host host({clock::v1::ClockType<clock::Clock>("clock")}, config, world.world());
  ASSERT_TRUE(host.Start().ok());
  auto stub = clock::v1::Clock::NewStub(testing::ConnectTo(host.data_addresses().front()));
  Waiting context;
  clock::v1::GetTimeResponse response;
  EXPECT_TRUE(stub->GetTime(&context, {}, &response).ok());
  DrainTrigger trigger;
  trigger.Pull("test");
  EXPECT_EQ(0, host.Run(trigger));
}

// Two services over one state: what Echo was sent is the time zone that GetTime tells.
class TrialClock final : public testing::Trial, public clock::v1::ClockMethods {
 public:
  using Request = Several<trial::v1::TrialRequest, clock::v1::ClockRequest>;
  using Trial::Trial;

  void Echo(trial::v1::EchoRequest request, Reply<trial::v1::EchoResponse> reply) override {
    heard_ = request.text();
    Trial::Echo(std::move(request), std::move(reply));
  }
  void GetTime(clock::v1::GetTimeRequest, Reply<clock::v1::GetTimeResponse> reply) override {
    clock::v1::GetTimeResponse response;
    response.set_time_zone(heard_);
    reply.Send(std::move(response));
  }
  void SetOffset(clock::v1::SetOffsetRequest, Reply<clock::v1::SetOffsetResponse>) override {}
  void WatchTime(clock::v1::WatchTimeRequest,
                 ReplyStream<clock::v1::WatchTimeResponse> replies) override {
    replies.Finish();
  }

 private:
  std::string heard_;
};

class HostOfSeveral : public ::testing::Test {
 protected:
  void Start(const ComponentType& type) {
    HostConfig config = QuickConfig(directory_.File("admin"));
    config.components = {Named("both", "both")};
    host_.emplace(std::vector<ComponentType>{type}, config, world_.world());
    ASSERT_TRUE(host_->Start().ok());
    channel_ = testing::ConnectTo(host_->data_addresses().front());
  }
  void TearDown() override {
    DrainTrigger trigger;
    trigger.Pull("test");
    EXPECT_EQ(0, host_->Run(trigger));
  }
  grpc::Status GetTime() {
    Waiting context;
    return clock::v1::Clock::NewStub(channel_)->GetTime(&context, {}, &time_);
  }

  testing::TemporaryDirectory directory_;
  testing::CaughtWorld world_;
  std::optional<Host> host_;
  std::shared_ptr<grpc::Channel> channel_;
  clock::v1::GetTimeResponse time_;
};

TEST_F(HostOfSeveral, WhenAClassAnswersTwoServices_ServesBothFromOneInstance) {
  Start(trial::v1::TrialType<TrialClock>("both").Also(&clock::v1::BindClock));
  EXPECT_TRUE(testing::Echo(*trial::v1::Trial::NewStub(channel_), "Mars").ok());
  EXPECT_TRUE(GetTime().ok());
  EXPECT_EQ(time_.time_zone(), "Mars");

  lifecycle::v1::GetComponentRequest request;
  request.set_name("both");
  lifecycle::v1::GetComponentResponse response;
  Waiting context;
  const auto admin = testing::ConnectTo(host_->admin_addresses().front());
  ASSERT_TRUE(
      lifecycle::v1::Lifecycle::NewStub(admin)->GetComponent(&context, request, &response).ok());
  EXPECT_EQ(response.component().service(), "mainspring.trial.v1.Trial, mainspring.clock.v1.Clock");
}

TEST_F(HostOfSeveral, WhenATypeIsForCallsInProcess_IsNotServed) {
  ComponentType type = trial::v1::TrialType<TrialClock>("both");
  type.in_process_only = true;
  Start(type);
  EXPECT_EQ(testing::Echo(*trial::v1::Trial::NewStub(channel_)).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(host_->Status().ready);
}

TEST(Host, WhenServing_TellsItsAddressesAndEachAnswers) {
  TrialHost host;
  ASSERT_TRUE(host.Start().ok());
  EXPECT_THAT(host.host().data_addresses().front(), StartsWith("127.0.0.1:"));
  EXPECT_THAT(host.host().admin_addresses().front(), StartsWith("unix:/"));
  EXPECT_TRUE(testing::Echo(*host.NewStub()).ok());
  Waiting context;
  grpc::health::v1::HealthCheckResponse health;
  EXPECT_TRUE(grpc::health::v1::Health::NewStub(host.Admin())->Check(&context, {}, &health).ok());
  host.host().LogStates();
}

TEST(Host, WhenTheAdminPlaneIsAskedForAComponent_HasNoSuchService) {
  TrialHost host;
  ASSERT_TRUE(host.Start().ok());
  auto stub = trial::v1::Trial::NewStub(host.Admin());
  const grpc::Status status = testing::Echo(*stub);
  EXPECT_EQ(grpc::StatusCode::UNIMPLEMENTED, status.error_code());
  EXPECT_EQ("no mainspring.trial.v1.Trial here; it is on the data plane " +
                host.host().data_addresses().front(),
            status.error_message());
}

TEST(Host, WhenAPlaneHasSeveralAddresses_ServesOnEach) {
  testing::TemporaryDirectory directory;
  TrialHost host([&](HostConfig& config) {
    config.data.addresses = {"127.0.0.1:0", "127.0.0.1:0", "unix:" + directory.File("data")};
  });
  ASSERT_TRUE(host.Start().ok());
  ASSERT_EQ(3u, host.host().data_addresses().size());
  for (const std::string& address : host.host().data_addresses()) {
    auto stub = trial::v1::Trial::NewStub(testing::ConnectTo(address));
    EXPECT_TRUE(testing::Echo(*stub).ok()) << address;
  }
}

TEST(Host, WhenAskedForItsStatus_TellsWhatHealthAndSupervisorSay) {
  TrialHost host([](HostConfig& config) {
    config.components.push_back(Named("second", "trial"));
    config.components.back().autostart = false;
    config.components.back().essential = false;
  });
  HostStatus status = host.host().Status();
  EXPECT_TRUE(status.alive);
  EXPECT_FALSE(status.ready) << "it has not been started";
  ASSERT_TRUE(host.Start().ok());
  status = host.host().Status();
  EXPECT_TRUE(status.alive);
  EXPECT_TRUE(status.ready);
  EXPECT_EQ(2u, status.components);
  EXPECT_EQ(1u, status.running);
  EXPECT_EQ("", status.drain);
}

TEST(Host, WhenASocketIsPassed_ServesOnItAndLeavesItListening) {
  auto passed = rpc::Listener::Listen("127.0.0.1:0").value();
  const std::string address = passed.front()->address();
  TrialHost host([&](HostConfig& config) {
    config.data.addresses.clear();
    config.data.sockets = {dup(passed.front()->fd())};
  });
  ASSERT_TRUE(host.Start().ok());
  EXPECT_EQ(address, host.host().data_addresses().front());
  EXPECT_TRUE(testing::Echo(*host.NewStub()).ok());
}

TEST(Host, WhenAPassedDescriptorIsNoSocket_SaysSo) {
  TrialHost host([](HostConfig& config) { config.data.sockets = {9999}; });
  const absl::Status started = host.Start();
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, started.code());
  EXPECT_EQ("plane \"data\": cannot take over descriptor 9999: Bad file descriptor",
            started.message());
}

TEST(Host, WhenTheConfigurationIsWrong_DoesNotStart) {
  TrialHost host([](HostConfig& config) { config.components[0].name = ""; });
  const absl::Status started = host.Start();
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, started.code());
}

TEST(Host, WhenATypeIsUnknown_ListsThoseThatThereAre) {
  TrialHost host([](HostConfig& config) { config.components[0].type = "clok"; });
  const absl::Status started = host.Start();
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, started.code());
  EXPECT_EQ("components[trial].type: no component type \"clok\"; there are: trial",
            started.message());
}

TEST(Host, WhenAnAddressIsTaken_SaysWhichAndLeavesNothing) {
  auto taken = rpc::Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(taken.ok());
  const std::string address = taken->front()->address();
  const std::string free = FreeAddress();
  TrialHost host([&](HostConfig& config) {
    config.data.addresses = {free};
    config.admin.addresses = {address};
  });
  const absl::Status started = host.Start();
  EXPECT_EQ(absl::StatusCode::kUnavailable, started.code());
  EXPECT_EQ("plane \"admin\": cannot listen on " + address + ": address already in use",
            started.message());
  EXPECT_TRUE(IsFree(free));
}

TEST(Host, WhenAComponentDoesNotStart_SaysWhyAndLeavesNothing) {
  const std::string address = FreeAddress();
  testing::Hooks bad;
  bad.start = [] { return absl::NotFoundError("no disk"); };
  TrialHost host([&](HostConfig& config) { config.data.addresses = {address}; },
                 {testing::HookedType("trial", bad)});
  const absl::Status started = host.Start();
  EXPECT_EQ(absl::StatusCode::kAborted, started.code());
  EXPECT_THAT(std::string(started.message()),
              StartsWith("component \"trial\": did not start: NOT_FOUND: no disk"));
  EXPECT_TRUE(Eventually([&] { return IsFree(address); }, absl::Seconds(2)))
      << "nothing is left running, says Start";
}

TEST(Host, WhenDependenciesAreWrong_SaysAllThatIs) {
  TrialHost host([](HostConfig& config) {
    config.components = {Named("one", "trial"), Named("two", "trial")};
    config.components[0].depends_on = {{"tow"}};
    config.components[1].depends_on = {{"two"}};
  });
  const absl::Status started = host.Start();
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, started.code());
  EXPECT_THAT(std::string(started.message()), HasSubstr("did you mean \"two\"?"));
  EXPECT_THAT(std::string(started.message()), HasSubstr("\"two\" -> \"two\""));
}

TEST(Host, WhenThereAreNoMoreThreads_DoesNotStartAndLeavesNothing) {
  testing::TemporaryDirectory directory;
  testing::CaughtWorld caught;
  World world = caught.world();
  world.launch = [](std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
                    const Surroundings& surroundings,
                    LifecycleObserver& observer) -> absl::StatusOr<std::unique_ptr<Runner>> {
    if (mailbox->component() == "trial") return absl::ResourceExhaustedError("no more threads");
    return ComponentThread::Start(std::move(mailbox), std::move(factory), surroundings, observer);
  };
  const std::string address = FreeAddress();
  HostConfig config = QuickConfig(directory.File("admin"));
  config.data.addresses = {address};
  Host host({testing::TrialType()}, config, world);
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, host.Start().code());
  EXPECT_TRUE(IsFree(address));
  EXPECT_TRUE(Eventually([] { return ThreadNames().count("supervisor") == 0; }));
}

TEST(Host, WhenStartedAndNotRun_EndsWithItself) {
  testing::TemporaryDirectory directory;
  testing::CaughtWorld world;
  std::string address;
  {
    Host host({testing::TrialType()}, QuickConfig(directory.File("admin")), world.world());
    ASSERT_TRUE(host.Start().ok());
    address = host.data_addresses().front();
  }
  EXPECT_TRUE(IsFree(address));
  EXPECT_FALSE(std::filesystem::exists(directory.File("admin")));
}

TEST(Host, WhenNeverStarted_EndsWithItself) { TrialHost host; }

TEST(Host, WhenTwoRunAtOnce_DrainApart) {
  TrialHost one;
  std::optional<TrialHost> two(std::in_place);
  ASSERT_TRUE(one.Start().ok());
  ASSERT_TRUE(two->Start().ok());
  auto stub = one.NewStub();
  EXPECT_TRUE(testing::Echo(*stub).ok());
  EXPECT_TRUE(testing::Echo(*two->NewStub()).ok());
  EXPECT_EQ(0, two->Drain());
  two.reset();
  EXPECT_TRUE(testing::Echo(*stub).ok());
  EXPECT_EQ(0, one.Drain());
}

TEST(Host, WhenAnotherTakesItsAddress_SaysSo) {
  TrialHost one;
  ASSERT_TRUE(one.Start().ok());
  TrialHost two([&](HostConfig& config) { config.data.addresses = one.host().data_addresses(); });
  EXPECT_EQ(absl::StatusCode::kUnavailable, two.Start().code());
  EXPECT_TRUE(testing::Echo(*one.NewStub()).ok());
}

// "answerer" answers; any other asks it for each answer.
class Relay final : public Component, public Handler<trial::v1::TrialRequest> {
 public:
  using Request = trial::v1::TrialRequest;
  static constexpr const char* kService = trial::v1::TrialMethods::kService;
  using Component::Component;

  absl::Status Start() override {
    if (context().name() == "answerer") return absl::OkStatus();
    auto found = context().Find<trial::v1::TrialRef>("answerer");
    if (found.ok()) answerer_.emplace(*std::move(found));
    return found.status();
  }

  void Handle(trial::v1::TrialRequest&& request) override {
    if (!answerer_.has_value()) return testing::AnswerEcho(std::move(request));
    auto& call = std::get<trial::v1::TrialCall::Echo>(request);
    call.request.set_text(call.request.text() + ", relayed");
    answerer_->Echo(std::move(call.request), {.deadline = call.reply.deadline()})
        .Then([reply =
                   std::move(call.reply)](absl::StatusOr<trial::v1::EchoResponse> answer) mutable {
          reply.Send(std::move(answer));
        });
  }

 private:
  std::optional<trial::v1::TrialRef> answerer_;
};

ComponentType RelayType() {
  return ComponentType::Of<Relay>("trial", Relay::kService, &trial::v1::BindTrial);
}

TEST(Host, WhenAComponentAsksAnother_AnswersWithItsAnswer) {
  TrialHost host(
      [](HostConfig& config) {
        config.components = {Named("relay", "trial"), Named("answerer", "trial")};
      },
      {RelayType()});
  ASSERT_TRUE(host.Start().ok());
  auto stub = host.NewStub();
  for (int i = 0; i < 100; ++i) {
    Waiting context;
    context.AddMetadata("mainspring-component", "relay");
    trial::v1::EchoResponse response;
    ASSERT_TRUE(stub->Echo(&context, testing::EchoOf("hello"), &response).ok());
    EXPECT_EQ("hello, relayed", response.text());
  }
}

TEST(Host, WhenAComponentAsksForOneThatIsNotThere_DoesNotStart) {
  TrialHost host([](HostConfig&) {}, {RelayType()});
  const absl::Status started = host.Start();
  EXPECT_EQ(absl::StatusCode::kAborted, started.code());
  EXPECT_THAT(std::string(started.message()), HasSubstr("no component \"answerer\""));
}

TEST(Host, WhenTwoTypesAnswerOneService_ServesBothOrSaysWhatIsWrong) {
  TrialHost host(
      [](HostConfig& config) {
        config.components = {Named("one", "trial"), Named("two", "other")};
      },
      {testing::TrialType(), testing::HookedType("other", {})});
  const absl::Status started = host.Start();
  EXPECT_TRUE(started.ok() || started.code() == absl::StatusCode::kInvalidArgument) << started;
}

void StartCallAndStop() {
  TrialHost host;
  ASSERT_TRUE(host.Start().ok());
  ASSERT_TRUE(testing::Echo(*host.NewStub()).ok());
  ASSERT_EQ(0, host.Drain());
}

TEST(Host, WhenTwoHundredCameAndWent_NoThreadAndNoDescriptorIsLeft) {
  // What gRPC makes once for the process.
  for (int i = 0; i < 10; ++i) StartCallAndStop();
  size_t descriptors = 0;
  ASSERT_TRUE(Eventually([&] {
    const size_t before = std::exchange(descriptors, CountDescriptors());
    return before == descriptors;
  }));
  const size_t threads = ThreadNames().size();
  for (int i = 0; i < 200; ++i) {
    StartCallAndStop();
    if (HasFatalFailure()) return;
  }
  EXPECT_TRUE(Eventually([&] { return CountDescriptors() <= descriptors; }))
      << CountDescriptors() << " after " << descriptors;
  for (const char* ours : {"accept", "ingress/data", "ingress/admin", "trial", "exit guard"}) {
    EXPECT_TRUE(Eventually([&] { return ThreadNames().count(ours) == 0; })) << ours;
  }
  // gRPC's own pool breathes.
  EXPECT_TRUE(Eventually([&] { return ThreadNames().size() <= threads + 4; }));
}

}  // namespace
}  // namespace mainspring
