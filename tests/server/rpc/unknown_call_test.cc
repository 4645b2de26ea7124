#include "mainspring/server/rpc/unknown_call.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/rpc/trial_plane.h"
#include "tests/testing/trial.h"

namespace mainspring::rpc {
namespace {

using testing::Eventually;
using testing::Trial;
using testing::TrialPlane;
using testing::Waiting;

constexpr char kClock[] = "mainspring.clock.v1.Clock";
constexpr char kReflection[] = "grpc.reflection.v1.ServerReflection";

std::string Why(const std::string& path,
                const std::set<std::string>& here = {kClock, kReflection}) {
  const absl::Status why =
      WhyUnknown(path, here, {{"a.Admin", "the admin plane 127.0.0.1:50052, unix:/run/a"}});
  EXPECT_EQ(why.code(), absl::StatusCode::kUnimplemented);
  return std::string(why.message());
}

TEST(WhyUnknown, OfAServiceOfAnotherPlane_SaysWhereItIs) {
  EXPECT_EQ(Why("/a.Admin/Go"),
            "no a.Admin here; it is on the admin plane 127.0.0.1:50052, unix:/run/a");
}

TEST(WhyUnknown, OfAMethod_NamesItsService) {
  EXPECT_EQ(Why("/mainspring.clock.v1.Clock/GetTme"),
            "service mainspring.clock.v1.Clock has no method GetTme; list them by reflection");
}

TEST(WhyUnknown, OfAServiceOfNoPlane_PointsAtReflectionWhereThereIsOne) {
  EXPECT_EQ(Why("/no.Such/Go"), "no service no.Such here; list them by reflection");
  EXPECT_EQ(Why("/no.Such/Go", {kClock}), "no service no.Such here");
}

TEST(WhyUnknown, OfWhatIsNoPath_SaysWhatOneIs) {
  for (const std::string path : {"", "/", "Go", "/Go", "a.Admin/Go"}) {
    EXPECT_EQ(Why(path),
              "no \"" + path + "\" here; the path of a method is /package.Service/Method");
  }
}

TEST(WhyUnknown, WhateverTheClientWrote_IsEscapedAndBounded) {
  EXPECT_EQ(Why("/a\n\x01\xff.B/Go"), "no service a\\n\\x01\\xff.B here; list them by reflection");
  for (const char* before : {"/", "", "/mainspring.clock.v1.Clock/", "/a."}) {
    for (const char* after : {"", "/Go"}) {
      EXPECT_LT(Why(before + std::string(100'000, '\x01') + after).size(), 700u);
    }
  }
}

class UnknownCallTest : public ::testing::Test {
 protected:
  using Stub = grpc::TemplatedGenericStub<trial::v1::EchoRequest, trial::v1::EchoResponse>;

  grpc::Status Ask(Stub& stub, const std::string& path, size_t bytes = 0) {
    Waiting context;
    const trial::v1::EchoRequest request = testing::EchoOf(std::string(bytes, 'x'));
    trial::v1::EchoResponse response;
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, path, {}, &request, &response,
                   [&](grpc::Status status) { done.set_value(status); });
    return done.get_future().get();
  }
  void ExpectUnknown(Stub& stub, const std::string& path, size_t bytes = 0) {
    const grpc::Status status = Ask(stub, path, bytes);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << status.error_message();
    EXPECT_THAT(status.error_message(), ::testing::HasSubstr("no "));
  }
  std::shared_ptr<grpc::Channel> Connect() { return testing::ConnectTo(plane_.address()); }

  TrialPlane plane_{trial::v1::TrialType<Trial>("trial")};
};

TEST_F(UnknownCallTest, OfAnyKind_IsAnsweredWithTheWayOut) {
  Stub stub(Connect());
  EXPECT_EQ(Ask(stub, "/mainspring.trial.v1.Trial/None").error_message(),
            "service mainspring.trial.v1.Trial has no method None");
  EXPECT_EQ(Ask(stub, "/no.Such/Go").error_message(), "no service no.Such here");
  Waiting context;
  grpc::CompletionQueue queue;
  auto dialog = stub.PrepareCall(&context, "/no.Such/Talk", &queue);
  const auto await = [&queue] {
    void* tag;
    bool ok;
    EXPECT_TRUE(queue.Next(&tag, &ok));
  };
  dialog->StartCall(nullptr);
  await();
  grpc::Status status;
  dialog->Finish(&status, nullptr);
  await();
  EXPECT_EQ(status.error_message(), "no service no.Such here");
  EXPECT_TRUE(Eventually([&] { return plane_.plane().calls_in_flight() == 0; }));
}

TEST_F(UnknownCallTest, InAFloodWithPayloads_EachIsAnsweredAndNoneIsLeft) {
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([this] {
      Stub stub(Connect());
      for (int call = 0; call < 200; ++call) ExpectUnknown(stub, "/no.Such/Go", call % 4 * 30'000);
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(Eventually([&] { return plane_.plane().calls_in_flight() == 0; }));
  EXPECT_TRUE(testing::Echo(*plane_.NewStub()).ok());
}

TEST_F(UnknownCallTest, WhileThePlaneShutsDown_EndsAndThePlaneToo) {
  const auto channel = Connect();
  Stub stub(channel);
  ExpectUnknown(stub, "/no.Such/Go");
  std::promise<void> begun;
  std::thread client([&] {
    for (int call = 0; call < 500; ++call) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
      const trial::v1::EchoRequest request = testing::EchoOf("hello");
      trial::v1::EchoResponse response;
      std::promise<grpc::Status> done;
      stub.UnaryCall(&context, "/no.Such/Go", {}, &request, &response,
                     [&](grpc::Status status) { done.set_value(status); });
      if (call == 10) begun.set_value();
      if (done.get_future().get().error_code() == grpc::StatusCode::UNAVAILABLE) break;
    }
  });
  begun.get_future().get();
  plane_.Shutdown();
  EXPECT_EQ(plane_.plane().calls_in_flight(), 0u);
  client.join();
}

}  // namespace
}  // namespace mainspring::rpc
