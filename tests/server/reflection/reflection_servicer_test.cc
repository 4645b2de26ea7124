#include "mainspring/server/reflection/reflection_servicer.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "extended.pb.h"
#include "extension.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "tests/server/trial_host.h"

namespace mainspring {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

struct V1 {
  using Stub = grpc::reflection::v1::ServerReflection;
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
};
struct V1Alpha {
  using Stub = grpc::reflection::v1alpha::ServerReflection;
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
};

// One reflection stream, to a host that serves Trial.
template <class Version>
class ReflectionTest : public ::testing::Test {
 protected:
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  void SetUp() override {
    ASSERT_TRUE(host_.Start().ok());
    channel_ = host_.Data();
    Open(channel_);
  }
  void TearDown() override {
    if (stream_ == nullptr) return;
    stream_->WritesDone();
    EXPECT_TRUE(stream_->Finish().ok());
  }

  void Open(const std::shared_ptr<grpc::Channel>& channel) {
    stub_ = Version::Stub::NewStub(channel);
    context_ = std::make_unique<testing::Waiting>();
    stream_ = stub_->ServerReflectionInfo(context_.get());
  }

  Response Ask(const Request& request) {
    Response response;
    EXPECT_TRUE(stream_->Write(request));
    EXPECT_TRUE(stream_->Read(&response));
    EXPECT_EQ(request.DebugString(), response.original_request().DebugString());
    return response;
  }

  std::vector<std::string> ListServices() {
    Request request;
    request.set_list_services("*");
    std::vector<std::string> names;
    const Response response = Ask(request);
    for (const auto& service : response.list_services_response().service()) {
      names.push_back(service.name());
    }
    return names;
  }

  std::vector<std::string> FilesOf(const Response& response) {
    std::vector<std::string> names;
    for (const std::string& file : response.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto proto;
      EXPECT_TRUE(proto.ParseFromString(file));
      names.push_back(proto.name());
    }
    return names;
  }

  static constexpr size_t kMaxStreams = 3;
  std::shared_ptr<grpc::Channel> channel_;
  testing::TrialHost host_{[](HostConfig& config) { config.max_reflection_streams = kMaxStreams; }};
  std::unique_ptr<typename Version::Stub::Stub> stub_;
  std::unique_ptr<testing::Waiting> context_;
  decltype(stub_->ServerReflectionInfo(nullptr)) stream_;
};

using Versions = ::testing::Types<V1, V1Alpha>;
TYPED_TEST_SUITE(ReflectionTest, Versions);

TYPED_TEST(ReflectionTest, WhenServicesAreListed_AreExactlyWhatThePlaneServes) {
  EXPECT_THAT(this->ListServices(),
              UnorderedElementsAre("mainspring.trial.v1.Trial", "grpc.health.v1.Health",
                                   "grpc.reflection.v1.ServerReflection",
                                   "grpc.reflection.v1alpha.ServerReflection"));
}

TYPED_TEST(ReflectionTest, WhenTheAdminPlaneIsAsked_ListsItsOwn) {
  this->TearDown();
  this->Open(this->host_.Admin());
  EXPECT_THAT(
      this->ListServices(),
      UnorderedElementsAre("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                           "grpc.reflection.v1alpha.ServerReflection",
                           "mainspring.config.v1.Config", "mainspring.lifecycle.v1.Lifecycle"));
}

TYPED_TEST(ReflectionTest, WhenEachServiceIsLookedUp_HasItsFile) {
  for (const std::string& service : this->ListServices()) {
    typename TypeParam::Request request;
    request.set_file_containing_symbol(service);
    EXPECT_FALSE(this->FilesOf(this->Ask(request)).empty()) << service;
  }
}

TYPED_TEST(ReflectionTest, WhenTwoSymbolsShareImports_SendsThemOnce) {
  typename TypeParam::Request request;
  request.set_file_containing_symbol("mainspring.trial.v1.Trial");
  EXPECT_THAT(this->FilesOf(this->Ask(request)),
              ElementsAre("mainspring/trial/v1/trial.proto", "google/protobuf/duration.proto"));
  request.set_file_by_filename("mainspring/trial/v1/trial.proto");
  EXPECT_THAT(this->FilesOf(this->Ask(request)), ElementsAre("mainspring/trial/v1/trial.proto"));
}

TYPED_TEST(ReflectionTest, WhenNothingHasThatName_AnswersAnErrorAndGoesOn) {
  typename TypeParam::Request request;
  request.set_host("some.host");
  request.set_file_containing_symbol("none.such");
  const typename TypeParam::Response response = this->Ask(request);
  EXPECT_EQ("some.host", response.valid_host());
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, response.error_response().error_code());
  EXPECT_THAT(response.error_response().error_message(), HasSubstr("none.such"));
  EXPECT_FALSE(this->ListServices().empty());
}

TYPED_TEST(ReflectionTest, WhenNothingIsAsked_AnswersAnError) {
  EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT, this->Ask({}).error_response().error_code());
}

TYPED_TEST(ReflectionTest, WhenTheClientSendsManyAndReadsLate_AnswersAllInOrder) {
  constexpr int kRequests = 300;
  for (int i = 0; i < kRequests; ++i) {
    typename TypeParam::Request request;
    request.set_host(std::to_string(i));
    request.set_file_by_filename("mainspring/trial/v1/trial.proto");
    ASSERT_TRUE(this->stream_->Write(request));
  }
  for (int i = 0; i < kRequests; ++i) {
    typename TypeParam::Response response;
    ASSERT_TRUE(this->stream_->Read(&response));
    EXPECT_EQ(std::to_string(i), response.valid_host());
  }
}

TYPED_TEST(ReflectionTest, WhenWhatAnotherPlaneServesIsAskedFor_IsNotFound) {
  typename TypeParam::Request request;
  request.set_file_containing_symbol("mainspring.lifecycle.v1.Lifecycle");
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, this->Ask(request).error_response().error_code());
  request.set_file_by_filename("mainspring/lifecycle/v1/lifecycle.proto");
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, this->Ask(request).error_response().error_code());

  this->TearDown();
  this->Open(this->host_.Admin());
  EXPECT_THAT(this->FilesOf(this->Ask(request)), Contains(request.file_by_filename()));
  request.set_file_containing_symbol("mainspring.trial.v1.Trial");
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, this->Ask(request).error_response().error_code());
}

TYPED_TEST(ReflectionTest, WhenTheRequestIsTooLong_AnswersAnErrorWithoutAnEcho) {
  typename TypeParam::Request request;
  request.set_host("some.host");
  request.set_file_containing_symbol(std::string(kLongestReflectionRequest, 'x'));
  ASSERT_TRUE(this->stream_->Write(request));
  typename TypeParam::Response response;
  ASSERT_TRUE(this->stream_->Read(&response));
  EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT, response.error_response().error_code());
  EXPECT_LT(response.ByteSizeLong(), 200u);

  request.set_file_containing_symbol(std::string(kLongestReflectionRequest - 100, 'x'));
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, this->Ask(request).error_response().error_code());
}

// This and the other version share the places of a plane; another plane has its own.
TYPED_TEST(ReflectionTest, WhenThereAreTooManyStreams_RefusesUntilOneHasGone) {
  ASSERT_FALSE(this->ListServices().empty());  // it has been counted
  auto other = grpc::reflection::v1::ServerReflection::NewStub(this->host_.Data());
  std::vector<std::unique_ptr<testing::Waiting>> contexts;
  const auto open = [&](auto& stub) {
    contexts.push_back(std::make_unique<testing::Waiting>());
    return stub.ServerReflectionInfo(contexts.back().get());
  };
  const auto serves = [](auto& stream) {
    grpc::reflection::v1::ServerReflectionRequest request;
    request.set_list_services("*");
    grpc::reflection::v1::ServerReflectionResponse response;
    return stream.Write(request) && stream.Read(&response);
  };
  auto second = open(*other);
  auto third = open(*other);
  ASSERT_TRUE(serves(*second) && serves(*third));
  auto fourth = open(*other);
  EXPECT_FALSE(serves(*fourth));
  const grpc::Status refusal = fourth->Finish();
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, refusal.error_code());
  EXPECT_THAT(refusal.error_message(), HasSubstr("3 reflection streams"));
  auto admin = grpc::reflection::v1::ServerReflection::NewStub(this->host_.Admin());
  auto elsewhere = open(*admin);
  EXPECT_TRUE(serves(*elsewhere));

  second->WritesDone();
  EXPECT_TRUE(second->Finish().ok());
  contexts[1]->TryCancel();
  EXPECT_EQ(grpc::StatusCode::CANCELLED, third->Finish().error_code());
  EXPECT_TRUE(testing::Eventually([&] {
    auto another = open(*other);
    const bool served = serves(*another);
    contexts.back()->TryCancel();
    another->Finish();
    return served;
  }));
  elsewhere->WritesDone();
  EXPECT_TRUE(elsewhere->Finish().ok());
}

TYPED_TEST(ReflectionTest, WhenTheClientGoesInTheMiddle_TheHostDrainsClean) {
  ASSERT_FALSE(this->ListServices().empty());
  this->context_->TryCancel();
  EXPECT_EQ(grpc::StatusCode::CANCELLED, this->stream_->Finish().error_code());
  // What comes later on the same connection is answered later.
  this->Open(this->channel_);
  ASSERT_FALSE(this->ListServices().empty());
  this->TearDown();
  this->stream_ = nullptr;
  EXPECT_EQ(0, this->host_.Drain());
}

// A stream whose client the test plays: it says when an answer has been sent.
class PlayedReflection : public ::testing::Test {
 protected:
  using Request = V1::Request;
  using Response = V1::Response;

  struct Requests final : StreamSource<Request> {
    void Read(ReadCallback<Request> callback) override { waiting = std::move(callback); }
    void Release() override { released = true; }
    ReadCallback<Request> waiting;
    bool released = false;
  };
  struct Replies final : StreamSink<Response> {
    WriteResult Write(Response&& message) override {
      messages.push_back(std::move(message));
      return WriteResult::kAccepted;
    }
    void OnReady(Callback) override { FAIL() << "there is room; that is not what it waits for"; }
    void OnSent(Callback callback) override { on_sent = std::move(callback); }
    void Finish(absl::Status status) override { endings.push_back(std::move(status)); }
    std::vector<Response> messages;
    Callback on_sent;
    std::vector<absl::Status> endings;
  };

  void SetUp() override {
    extended::Extended::descriptor();  // or the linker would leave it out
    extended::Outside::descriptor();
    servicer_.ServerReflectionInfo(RequestStream<Request>(&requests_),
                                   ReplyStream<Response>(&replies_));
  }
  // The next request comes, or the end.
  void Come(std::optional<Request> request) {
    ASSERT_TRUE(requests_.waiting);
    std::exchange(requests_.waiting, nullptr)(std::move(request));
  }
  Response Ask(Request request) {
    Come(std::move(request));
    std::exchange(replies_.on_sent, nullptr)();
    return replies_.messages.back();
  }

  ReflectedPlane plane_{{"mainspring.extended.Keeper"}, 1};
  // Outlive the servicer, which ends them.
  Requests requests_;
  Replies replies_;
  ReflectionV1 servicer_{plane_};
};

TEST_F(PlayedReflection, WhenAnAnswerIsNotSent_ReadsNoFurther) {
  Request request;
  request.set_list_services("*");
  Come(request);
  ASSERT_EQ(1u, replies_.messages.size());
  EXPECT_FALSE(requests_.waiting);
  std::exchange(replies_.on_sent, nullptr)();
  EXPECT_TRUE(requests_.waiting);
  EXPECT_EQ(nullptr, plane_.TakePlace());
  Come(std::nullopt);
  EXPECT_THAT(replies_.endings, ElementsAre(absl::OkStatus()));
  EXPECT_TRUE(requests_.released);
  EXPECT_NE(nullptr, plane_.TakePlace());
}

TEST_F(PlayedReflection, WhenExtensionsAreAskedFor_AnswersNumbersAndFile) {
  Request request;
  request.set_all_extension_numbers_of_type("mainspring.extended.Extended");
  const Response numbers = Ask(request);
  EXPECT_EQ("mainspring.extended.Extended",
            numbers.all_extension_numbers_response().base_type_name());
  EXPECT_THAT(numbers.all_extension_numbers_response().extension_number(),
              UnorderedElementsAre(100, 150, 199));
  request.mutable_file_containing_extension()->set_containing_type("mainspring.extended.Extended");
  request.mutable_file_containing_extension()->set_extension_number(100);
  const Response file = Ask(request);
  ASSERT_EQ(1, file.file_descriptor_response().file_descriptor_proto_size());
  google::protobuf::FileDescriptorProto proto;
  ASSERT_TRUE(proto.ParseFromString(file.file_descriptor_response().file_descriptor_proto(0)));
  EXPECT_EQ("extended.proto", proto.name());
  Come(std::nullopt);
}

}  // namespace
}  // namespace mainspring
