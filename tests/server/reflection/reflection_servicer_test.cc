#include "server/reflection/reflection_servicer.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "extended.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "tests/server/trial_host.h"

namespace mainspring {
namespace {

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
    extended::Extended::descriptor();  // or the linker would leave it out
    ASSERT_TRUE(host_.Start().ok());
    Open(host_.Data());
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

  testing::TrialHost host_;
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
  EXPECT_THAT(this->ListServices(),
              UnorderedElementsAre("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                   "grpc.reflection.v1alpha.ServerReflection",
                                   "mainspring.lifecycle.v1.Lifecycle"));
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

TYPED_TEST(ReflectionTest, WhenExtensionsAreAskedFor_AnswersNumbersAndFile) {
  typename TypeParam::Request request;
  request.set_all_extension_numbers_of_type("mainspring.extended.Extended");
  const typename TypeParam::Response numbers = this->Ask(request);
  EXPECT_EQ("mainspring.extended.Extended",
            numbers.all_extension_numbers_response().base_type_name());
  EXPECT_THAT(numbers.all_extension_numbers_response().extension_number(),
              UnorderedElementsAre(100, 150));
  request.mutable_file_containing_extension()->set_containing_type("mainspring.extended.Extended");
  request.mutable_file_containing_extension()->set_extension_number(100);
  EXPECT_THAT(this->FilesOf(this->Ask(request)), ElementsAre("extended.proto"));
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

TYPED_TEST(ReflectionTest, WhenTheClientGoesInTheMiddle_TheHostDrainsClean) {
  ASSERT_FALSE(this->ListServices().empty());
  this->context_->TryCancel();
  EXPECT_EQ(grpc::StatusCode::CANCELLED, this->stream_->Finish().error_code());
  this->stream_ = nullptr;
  EXPECT_EQ(0, this->host_.Drain());
}

}  // namespace
}  // namespace mainspring
