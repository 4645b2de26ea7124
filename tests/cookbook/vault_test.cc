#include "tests/cookbook/vault.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "cookbook/v1/cookbook.grpc.pb.h"
#include "mainspring/testing_host.h"

namespace cookbook {
namespace {

class VaultTest : public ::testing::Test {
 protected:
  VaultTest() {
    EXPECT_TRUE(host_.Start().ok());
    stub_ = v1::Vault::NewStub(
        grpc::CreateChannel(host_.data_address(), grpc::InsecureChannelCredentials()));
  }
  grpc::Status Open(const std::string& token) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", token);
    return stub_->Open(&context, {}, &response_);
  }

  mainspring::testing::RunningHost host_{{GuardedVault({{"Bearer a1", "ada"}})}};
  std::unique_ptr<v1::Vault::Stub> stub_;
  v1::OpenResponse response_;
};

TEST_F(VaultTest, WithAToken_OpenKnowsWhoseItIs) {
  EXPECT_TRUE(Open("Bearer a1").ok());
  EXPECT_EQ(response_.opened_by(), "ada");
}

TEST_F(VaultTest, WithoutAToken_OpenIsRefused) {
  EXPECT_EQ(Open("Bearer b2").error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

}  // namespace
}  // namespace cookbook
