#include "mainspring/server/rpc/receivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "grpc/health/v1/health.component.pb.h"
#include "mainspring/server/rpc/binding.h"
#include "tests/server/rpc/trial_plane.h"
#include "tests/testing/trial.h"

namespace mainspring::rpc {
namespace {

using ::testing::HasSubstr;
using testing::Named;
using ::testing::Not;
using testing::Trial;
using testing::TrialPlane;
using testing::Waiting;

class ReceiversTest : public ::testing::Test {
 protected:
  void Serve(const std::vector<ComponentConfig>& components) {
    plane_.emplace(trial::v1::TrialType<Trial>("trial"), PlaneLimits(), components);
    stub_ = plane_->NewStub();
  }

  grpc::Status Ask(const std::string& component) {
    Waiting context;
    context.AddMetadata(kComponentKey, component);
    return stub_->Echo(&context, testing::EchoOf("x"), &response_);
  }

  std::optional<TrialPlane> plane_;
  std::unique_ptr<trial::v1::Trial::Stub> stub_;
  trial::v1::EchoResponse response_;
};

TEST_F(ReceiversTest, WhenThereIsOneComponent_NeedsNoName) {
  Serve({Named("only")});
  ASSERT_TRUE(testing::Echo(*stub_, "x", &response_).ok());
  EXPECT_EQ("only", response_.component());
}

TEST_F(ReceiversTest, WhenAComponentIsNamed_AnswersItself) {
  Serve({Named("one"), Named("two")});
  for (const char* name : {"one", "two"}) {
    ASSERT_TRUE(Ask(name).ok());
    EXPECT_EQ(name, response_.component());
  }
}

TEST_F(ReceiversTest, WhenThereAreSeveralAndNoneIsNamed_ListsThem) {
  Serve({Named("two"), Named("one")});
  const grpc::Status status = testing::Echo(*stub_);
  EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT, status.error_code());
  EXPECT_EQ(
      "several components answer this service; name one in the metadata "
      "\"mainspring-component\": one, two",
      status.error_message());
}

TEST_F(ReceiversTest, WhenTheNameIsUnknown_ListsThoseThatThereAre) {
  Serve({Named("one"), Named("two")});
  const grpc::Status status = Ask("three");
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, status.error_code());
  EXPECT_EQ("no component \"three\" answers this service; there are: one, two",
            status.error_message());
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, Ask("").error_code());
}

TEST_F(ReceiversTest, WhenTheOnlyOneIsNotTheOneThatIsNamed_IsNotFound) {
  Serve({Named("only")});
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, Ask("other").error_code());
}

TEST_F(ReceiversTest, WhenThereIsNone_SaysSo) {
  Serve({});
  const grpc::Status status = testing::Echo(*stub_);
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, status.error_code()) << "one may join";
  EXPECT_THAT(status.error_message(), Not(HasSubstr("several")));
}

TEST_F(ReceiversTest, ForAStream_ChoosesAndRefusesAlike) {
  Serve({Named("one"), Named("two")});
  Waiting context;
  context.AddMetadata(kComponentKey, "none");
  auto parrot = stub_->Parrot(&context);
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, parrot->Finish().error_code());
}

// Another service's.
class OtherServicer final : public grpc::health::v1::HealthMethods {
  void Check(grpc::health::v1::HealthCheckRequest,
             Reply<grpc::health::v1::HealthCheckResponse>) override {}
  void List(grpc::health::v1::HealthListRequest,
            Reply<grpc::health::v1::HealthListResponse>) override {}
  void Watch(grpc::health::v1::HealthCheckRequest,
             ReplyStream<grpc::health::v1::HealthCheckResponse>) override {}
};

TEST(Receivers, WhenGivenWhatAnswersAnotherService_Refuses) {
  using Binding = BindingOf<trial::v1::TrialRequest>;
  Receivers receivers({"trial", Binding::kMethods, &Binding::InboxOf, &Binding::ServicerOf});
  const auto mailbox = std::make_shared<Mailbox<grpc::health::v1::HealthRequest>>(
      "other", MailboxOptions(), TimeSource::Real());
  const absl::Status added = receivers.AddComponent(mailbox, nullptr, nullptr);
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, added.code());
  EXPECT_EQ("component \"other\": answers another service", added.message());
  OtherServicer servicer;
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, receivers.SetServicer(servicer).code());
}

}  // namespace
}  // namespace mainspring::rpc
