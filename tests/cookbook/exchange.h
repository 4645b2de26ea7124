#include <grpcpp/channel.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "cookbook/v1/cookbook.component.pb.h"
#include "cookbook/v1/cookbook.grpc.pb.h"
#include "mainspring/outgoing_call.h"

namespace cookbook {

class Exchange final : public v1::ExchangeComponent {
 public:
  // One channel, which main makes, for as long as there is a host.
  Exchange(mainspring::Context& context, const std::shared_ptr<grpc::Channel>& bank)
      : ExchangeComponent(context), bank_(v1::Bank::NewStub(bank)) {}

  // One answer: CallStub.
  void Convert(v1::ConvertRequest request, mainspring::Reply<v1::ConvertResponse> reply) override {
    v1::GetRateRequest asked;
    asked.set_currency(request.currency());
    // Two seconds, or less where the caller waits less; its trace context goes along.
    const mainspring::SteadyTime deadline = mainspring::After(context().Now(), absl::Seconds(2));
    const absl::StatusOr<v1::GetRateResponse> rate =
        co_await mainspring::CallStub(bank_->async(), &v1::Bank::Stub::async::GetRate, asked,
                                      {.deadline = deadline, .from = reply.context()});
    if (!rate.ok()) {
      reply.Fail(rate.status());
      co_return;
    }
    v1::ConvertResponse response;
    response.set_amount(static_cast<double>(request.cents()) / 100 * rate->rate());
    reply.Send(std::move(response));
  }

  // Many answers: gRPC's blocking reader, where blocking is allowed.
  void GetBestRate(v1::GetBestRateRequest request,
                   mainspring::Reply<v1::GetBestRateResponse> reply) override {
    auto call = std::make_shared<grpc::ClientContext>();
    mainspring::FillClientContext({.from = reply.context()}, *call);
    reply.OnCancel([call] { call->TryCancel(); });
    // What it needs is held by it: it may take longer than this instance lives.
    reply.Send(co_await context().RunBlocking(&BestRate, bank_, call, request.currency()));
  }

 private:
  static absl::StatusOr<v1::GetBestRateResponse> BestRate(
      const std::shared_ptr<v1::Bank::Stub>& bank, const std::shared_ptr<grpc::ClientContext>& call,
      const std::string& currency) {
    v1::ListRatesRequest asked;
    asked.set_currency(currency);
    auto rates = bank->ListRates(call.get(), asked);
    v1::GetBestRateResponse best;
    for (v1::ListRatesResponse next; rates->Read(&next);) {
      best.set_rate(std::max(best.rate(), next.rate()));
    }
    const grpc::Status status = rates->Finish();
    if (!status.ok()) return mainspring::FromGrpc(status);
    return best;
  }

  const std::shared_ptr<v1::Bank::Stub> bank_;
};

}  // namespace cookbook
