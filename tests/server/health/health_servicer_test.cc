#include "mainspring/server/health/health_servicer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/server/trial_host.h"

namespace mainspring {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::Waiting;

HealthCheckRequest Named(const std::string& name) {
  HealthCheckRequest request;
  request.set_service(name);
  return request;
}

// A watcher's stream. It takes messages as long as it has room.
class FakeStream final : public StreamSink<HealthCheckResponse>, public CallerSide {
 public:
  FakeStream() { BeginCall(kNever, "", *this); }
  std::string Peer() const override { return peer; }

  WriteResult Write(HealthCheckResponse&& message) override {
    if (closed) return WriteResult::kClosed;
    if (room == 0) return WriteResult::kFull;
    --room;
    if (during_write) std::exchange(during_write, nullptr)();
    states.push_back(message.status());
    return WriteResult::kAccepted;
  }
  void OnReady(Callback callback) override { on_ready = std::move(callback); }
  void Finish(absl::Status status) override {
    finished = true;
    end = std::move(status);
  }

  // The client goes.
  void Cancel() {
    closed = true;
    MarkCancelled();
  }

  std::string peer = "unix:";
  size_t room = 100;
  bool closed = false;
  std::function<void()> during_write;
  std::vector<HealthCheckResponse::ServingStatus> states;
  Callback on_ready;
  bool finished = false;
  absl::Status end;
};

// Keeps what is posted; the test's thread runs it.
class StepByStep final : public CallbackQueue {
 public:
  void Post(uint64_t, Callback callback) override { waiting_.push_back(std::move(callback)); }
  void Run() {
    while (!waiting_.empty()) {
      Callback callback = std::move(waiting_.front());
      waiting_.pop_front();
      callback();
    }
  }

 private:
  std::list<Callback> waiting_;
};

class FakeSource final : public HealthSource {
 public:
  std::optional<bool> Serves(const std::string& name) const override {
    ++asked;
    const auto found = all.find(name);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, bool> All() const override { return all; }

  std::map<std::string, bool> all = {{"mail", true}};
  mutable int asked = 0;
};

// The test's thread stands in for the ingress thread.
class HealthWatchTest : public ::testing::Test {
 protected:
  void Watch(const std::string& name, FakeStream& stream) {
    health_.Watch(Named(name), ReplyStream<HealthCheckResponse>(&stream));
  }
  void Set(const std::string& name, bool serving) {
    source_.all[name] = serving;
    health_.Publish({name});
    queue_->Run();
  }

  static constexpr size_t kMostWatchers = 3;
  const std::shared_ptr<StepByStep> queue_ = std::make_shared<StepByStep>();
  const ReturnAddress address_{queue_, 0};
  ReturnAddressScope scope_{address_};
  FakeSource source_;
  // Outlive the servicer, which ends them.
  FakeStream stream_;
  std::vector<std::unique_ptr<FakeStream>> more_;
  HealthServicer health_{source_, kMostWatchers};
};

TEST_F(HealthWatchTest, WhenAStateChanges_IsToldNowAndThen) {
  Watch("mail", stream_);
  EXPECT_THAT(stream_.states, ElementsAre(HealthCheckResponse::SERVING));
  Set("mail", false);
  Set("mail", true);
  EXPECT_THAT(stream_.states,
              ElementsAre(HealthCheckResponse::SERVING, HealthCheckResponse::NOT_SERVING,
                          HealthCheckResponse::SERVING));
}

TEST_F(HealthWatchTest, WhenNothingChangesForIt_IsToldNothing) {
  Watch("mail", stream_);
  const int asked = source_.asked;
  Set("clock", true);
  EXPECT_FALSE(health_.Publish({"clock", "mai", "mailer"}));
  EXPECT_EQ(asked, source_.asked) << "it is not even asked for";
  EXPECT_TRUE(health_.Publish({"mail"}));
  health_.PublishAll();
  EXPECT_THAT(stream_.states, ElementsAre(HealthCheckResponse::SERVING));
}

TEST_F(HealthWatchTest, WhenItChangesWhileItIsWrittenTo_TheLatestIsWrittenLast) {
  // Nothing that others wait for is held meanwhile, or this would not return.
  stream_.during_write = [this] {
    Set("mail", false);
    Set("mail", true);
    Set("mail", false);
  };
  Watch("mail", stream_);
  EXPECT_THAT(stream_.states,
              ElementsAre(HealthCheckResponse::SERVING, HealthCheckResponse::NOT_SERVING));
}

TEST_F(HealthWatchTest, WhenItGoesWhileItIsWrittenTo_IsForgotten) {
  stream_.during_write = [this] {
    stream_.Cancel();
    queue_->Run();
  };
  Watch("mail", stream_);
  EXPECT_TRUE(stream_.finished);
  EXPECT_FALSE(health_.Publish({"mail"}));
}

TEST_F(HealthWatchTest, WhenTheNameIsTooLong_IsRefused) {
  Watch(std::string(257, 'x'), stream_);
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, stream_.end.code());
  EXPECT_EQ("service: a name has up to 256 bytes, and this one 257", stream_.end.message());
  FakeStream longest;
  Watch(std::string(256, 'x'), longest);
  EXPECT_THAT(longest.states, ElementsAre(HealthCheckResponse::SERVICE_UNKNOWN));
  longest.Cancel();
  queue_->Run();
}

TEST_F(HealthWatchTest, WhenTheNameComesLater_IsUnknownUntilThen) {
  Watch("clock", stream_);
  Set("clock", false);
  source_.all.erase("clock");
  health_.Publish({"clock"});
  EXPECT_THAT(stream_.states,
              ElementsAre(HealthCheckResponse::SERVICE_UNKNOWN, HealthCheckResponse::NOT_SERVING,
                          HealthCheckResponse::SERVICE_UNKNOWN));
}

TEST_F(HealthWatchTest, WhenTheWatcherStalls_IsToldTheLatestAlone) {
  Watch("mail", stream_);
  stream_.room = 0;
  for (int i = 0; i < 100; ++i) Set("mail", i % 2 != 0);
  Set("mail", false);
  EXPECT_THAT(stream_.states, ElementsAre(HealthCheckResponse::SERVING));
  stream_.room = 1;
  ASSERT_TRUE(stream_.on_ready);
  stream_.on_ready();
  EXPECT_THAT(stream_.states,
              ElementsAre(HealthCheckResponse::SERVING, HealthCheckResponse::NOT_SERVING));
}

TEST_F(HealthWatchTest, WhenTheStateIsBackBeforeTheStallEnds_IsToldNothing) {
  Watch("mail", stream_);
  stream_.room = 0;
  Set("mail", false);
  Set("mail", true);
  stream_.room = 1;
  stream_.on_ready();
  EXPECT_THAT(stream_.states, ElementsAre(HealthCheckResponse::SERVING));
  Set("mail", false);
  EXPECT_EQ(HealthCheckResponse::NOT_SERVING, stream_.states.back());
}

TEST_F(HealthWatchTest, WhenTheWatcherGoesWhileStalled_NothingIsWaitedFor) {
  Watch("mail", stream_);
  stream_.room = 0;
  source_.all["mail"] = false;
  health_.Publish({"mail"});
  stream_.Cancel();
  queue_->Run();
  EXPECT_TRUE(stream_.finished);
  health_.Publish({"mail"});
  queue_->Run();
}

TEST_F(HealthWatchTest, WhenAnAddressHasItsShare_OthersAreStillServed) {
  FakeStream same, other;
  stream_.peer = "ipv4:10.0.0.1:4711";
  same.peer = "ipv4:10.0.0.1:4712";
  other.peer = "ipv4:10.0.0.2:4711";
  Watch("mail", stream_);
  Watch("mail", same);
  Watch("mail", other);
  EXPECT_EQ("1 watchers are all that the host allows an address; use Check", same.end.message());
  EXPECT_THAT(other.states, ElementsAre(HealthCheckResponse::SERVING));
  stream_.Cancel();
  queue_->Run();
  FakeStream again;
  again.peer = same.peer;
  Watch("mail", again);
  EXPECT_THAT(again.states, ElementsAre(HealthCheckResponse::SERVING));
  for (FakeStream* each : {&other, &again}) each->Cancel();
  queue_->Run();
}

TEST_F(HealthWatchTest, WhenThereAreTooMany_RefusesAndForgetsThoseThatGo) {
  for (size_t i = 0; i < kMostWatchers; ++i) {
    more_.push_back(std::make_unique<FakeStream>());
    Watch("mail", *more_.back());
  }
  Watch("mail", stream_);
  EXPECT_TRUE(stream_.finished);
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, stream_.end.code());
  EXPECT_THAT(std::string(stream_.end.message()), StartsWith("3 watchers are all"));
  EXPECT_THAT(stream_.states, IsEmpty());

  more_.front()->Cancel();
  queue_->Run();
  EXPECT_TRUE(more_.front()->finished);
  FakeStream another;
  Watch("mail", another);
  EXPECT_FALSE(another.finished);
  another.Cancel();
  queue_->Run();
}

// The same over gRPC, in a host.
class HealthTest : public ::testing::Test {
 protected:
  void Start(const std::function<void(HostConfig&)>& adjust = [](HostConfig&) {}) {
    host_.emplace(adjust);
    ASSERT_TRUE(host_->Start().ok());
    stub_ = grpc::health::v1::Health::NewStub(host_->Data());
  }

  grpc::Status Check(const std::string& name, HealthCheckResponse* response) {
    Waiting context;
    return stub_->Check(&context, Named(name), response);
  }

  HealthCheckResponse::ServingStatus Next(grpc::ClientReader<HealthCheckResponse>& watch) {
    HealthCheckResponse response;
    EXPECT_TRUE(watch.Read(&response));
    return response.status();
  }

  std::optional<testing::TrialHost> host_;
  std::unique_ptr<grpc::health::v1::Health::Stub> stub_;
};

TEST_F(HealthTest, WhenTheHostServes_EachNameIsServing) {
  Start();
  for (const char* name :
       {"", "readiness", "liveness", "startup", "trial", "mainspring.trial.v1.Trial"}) {
    HealthCheckResponse response;
    ASSERT_TRUE(Check(name, &response).ok()) << name;
    EXPECT_EQ(HealthCheckResponse::SERVING, response.status()) << name;
  }
}

TEST_F(HealthTest, WhenTheNameIsUnknown_IsNotFound) {
  Start();
  HealthCheckResponse response;
  const grpc::Status status = Check("none\n" + std::string(251, '\n'), &response);
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, status.error_code());
  EXPECT_THAT(status.error_message(), StartsWith("no name \"none\\n"));
  EXPECT_LT(status.error_message().size(), 500u);
  EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT,
            Check(std::string(257, 'x'), &response).error_code());
}

TEST_F(HealthTest, WhenListed_TellsAllNames) {
  Start();
  Waiting context;
  grpc::health::v1::HealthListResponse response;
  ASSERT_TRUE(stub_->List(&context, {}, &response).ok());
  EXPECT_EQ(6, response.statuses_size());
  for (const auto& [name, status] : response.statuses()) {
    EXPECT_EQ(HealthCheckResponse::SERVING, status.status()) << name;
  }
}

TEST_F(HealthTest, WhenTheHostDrains_WatchersHearOfItAndAreEnded) {
  Start([](HostConfig& config) { config.lame_duck = absl::Seconds(20); });
  Waiting context;
  auto watch = stub_->Watch(&context, Named("readiness"));
  Waiting alive_context;
  auto alive = stub_->Watch(&alive_context, Named("liveness"));
  EXPECT_EQ(HealthCheckResponse::SERVING, Next(*watch));
  EXPECT_EQ(HealthCheckResponse::SERVING, Next(*alive));
  host_->trigger().Pull("test");
  EXPECT_EQ(HealthCheckResponse::NOT_SERVING, Next(*watch));
  HealthCheckResponse response;
  ASSERT_TRUE(Check("liveness", &response).ok()) << "a lame duck serves on";
  EXPECT_EQ(HealthCheckResponse::SERVING, response.status());
  host_->trigger().Pull("skip the rest");
  for (auto* each : {watch.get(), alive.get()}) {
    EXPECT_FALSE(each->Read(&response));
    const grpc::Status end = each->Finish();
    EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, end.error_code());
    EXPECT_THAT(end.error_message(), HasSubstr("draining"));
  }
  host_->Join();
}

TEST_F(HealthTest, WhenThereAreTooManyWatchers_RefusesUntilOneHasGone) {
  Start([](HostConfig& config) { config.max_health_watchers = 1; });
  Waiting first_context;
  auto first = stub_->Watch(&first_context, Named(""));
  EXPECT_EQ(HealthCheckResponse::SERVING, Next(*first));
  {
    Waiting context;
    auto second = stub_->Watch(&context, Named(""));
    EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, second->Finish().error_code());
  }
  first_context.TryCancel();
  EXPECT_EQ(grpc::StatusCode::CANCELLED, first->Finish().error_code());
  EXPECT_TRUE(testing::Eventually([&] {
    Waiting context;
    HealthCheckResponse response;
    auto third = stub_->Watch(&context, Named(""));
    const bool accepted = third->Read(&response);
    context.TryCancel();
    third->Finish();
    return accepted;
  }));
}

}  // namespace
}  // namespace mainspring
