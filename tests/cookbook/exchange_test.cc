#include "tests/cookbook/exchange.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cookbook/v1/cookbook.binding.pb.h"
#include "mainspring/testing_host.h"

namespace cookbook {
namespace {

// What a call to the bank brought along.
struct Asked {
  std::string trace;
  mainspring::SteadyTime deadline;
};

class Bank final : public v1::BankComponent {
 public:
  Bank(mainspring::Context& context, Asked& asked) : BankComponent(context), asked_(asked) {}

  void GetRate(v1::GetRateRequest request, mainspring::Reply<v1::GetRateResponse> reply) override {
    Note(reply.context());
    if (request.currency() != "NOK") {
      reply.Fail(absl::NotFoundError("no such currency"));
      return;
    }
    v1::GetRateResponse response;
    response.set_rate(11.5);
    reply.Send(std::move(response));
  }
  void ListRates(v1::ListRatesRequest,
                 mainspring::ReplyStream<v1::ListRatesResponse> replies) override {
    Note(replies.context());
    for (const double rate : {11.0, 11.75, 11.25}) {
      v1::ListRatesResponse response;
      response.set_rate(rate);
      replies.Write(std::move(response));
    }
    replies.Finish();
  }

 private:
  void Note(const mainspring::CallContext& context) {
    asked_ = {context.TraceParent(), context.deadline()};
  }

  Asked& asked_;
};

// A host with an exchange, and another with its bank.
class ExchangeTest : public ::testing::Test {
 protected:
  using Host = mainspring::testing::RunningHost;

  ExchangeTest() {
    EXPECT_TRUE(bank_.Start().ok());
    exchange_.emplace(
        std::vector{v1::ExchangeType<Exchange>("exchange", [this](mainspring::Context& context) {
          return std::make_unique<Exchange>(
              context,
              grpc::CreateChannel(bank_.data_address(), grpc::InsecureChannelCredentials()));
        })});
    EXPECT_TRUE(exchange_->Start().ok());
    stub_ = v1::Exchange::NewStub(
        grpc::CreateChannel(exchange_->data_address(), grpc::InsecureChannelCredentials()));
    context_.AddMetadata("traceparent", "00-1");
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }

  Asked asked_;
  Host bank_{{v1::BankType<Bank>("bank", [this](mainspring::Context& context) {
    return std::make_unique<Bank>(context, asked_);
  })}};
  std::optional<Host> exchange_;
  std::unique_ptr<v1::Exchange::Stub> stub_;
  grpc::ClientContext context_;
};

TEST_F(ExchangeTest, Convert_AsksTheBankWithinTwoSeconds) {
  v1::ConvertRequest request;
  request.set_currency("NOK");
  request.set_cents(200);
  v1::ConvertResponse response;
  ASSERT_TRUE(stub_->Convert(&context_, request, &response).ok());
  EXPECT_EQ(response.amount(), 23.0);
  EXPECT_EQ(asked_.trace, "00-1");
  // The caller waits half a minute. On the wire, gRPC rounds up.
  EXPECT_LT(asked_.deadline, mainspring::After(std::chrono::steady_clock::now(), absl::Seconds(3)));
}

TEST_F(ExchangeTest, WhenTheBankRefuses_ConvertFailsWithTheSame) {
  v1::ConvertResponse response;
  const grpc::Status status = stub_->Convert(&context_, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no such currency");
}

TEST_F(ExchangeTest, GetBestRate_ReadsAllThatTheBankHas) {
  v1::GetBestRateResponse response;
  ASSERT_TRUE(stub_->GetBestRate(&context_, {}, &response).ok());
  EXPECT_EQ(response.rate(), 11.75);
  EXPECT_EQ(asked_.trace, "00-1");
  EXPECT_NE(asked_.deadline, mainspring::kNever);
}

}  // namespace
}  // namespace cookbook
