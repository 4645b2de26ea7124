#include "tests/cookbook/ledger.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "cookbook/v1/cookbook.binding.pb.h"
#include "cookbook/v1/cookbook.grpc.pb.h"
#include "mainspring/testing_host.h"

namespace cookbook {
namespace {

// A database that blocks until the test lets it answer.
struct SlowDatabase final : Database {
  absl::StatusOr<int64_t> Balance(const std::string& account) override {
    asked.set_value(account);
    return answer.get_future().get();
  }
  std::promise<std::string> asked;
  std::promise<absl::StatusOr<int64_t>> answer;
};

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    EXPECT_TRUE(host_.Start().ok());
    stub_ = v1::Ledger::NewStub(
        grpc::CreateChannel(host_.data_address(), grpc::InsecureChannelCredentials()));
  }
  grpc::Status GetBalance(v1::GetBalanceResponse& response) {
    grpc::ClientContext context;
    v1::GetBalanceRequest request;
    request.set_account("ada");
    return stub_->GetBalance(&context, request, &response);
  }

  const std::shared_ptr<SlowDatabase> database_ = std::make_shared<SlowDatabase>();
  mainspring::testing::RunningHost host_{
      {v1::LedgerType<Ledger>("ledger", [this](mainspring::Context& context) {
        return std::make_unique<Ledger>(
            context, [this] { return database_; }, 1);
      })}};
  std::unique_ptr<v1::Ledger::Stub> stub_;
};

TEST_F(LedgerTest, WhileTheDatabaseBlocks_TheComponentAnswersOthers) {
  v1::GetBalanceResponse first, second;
  auto pending = std::async(std::launch::async, [&] { return GetBalance(first); });
  EXPECT_EQ(database_->asked.get_future().get(), "ada");
  EXPECT_EQ(GetBalance(second).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  database_->answer.set_value(42);
  EXPECT_TRUE(pending.get().ok());
  EXPECT_EQ(first.cents(), 42);
}

TEST_F(LedgerTest, WhenTheDatabaseFails_GetBalanceFails) {
  database_->answer.set_value(absl::UnavailableError("connection lost"));
  v1::GetBalanceResponse response;
  EXPECT_EQ(GetBalance(response).error_message(), "connection lost");
}

}  // namespace
}  // namespace cookbook
