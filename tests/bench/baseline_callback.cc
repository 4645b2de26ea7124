// Contestant (a): the Clock as most users write it by hand today, on gRPC's callback API, answering
// on gRPC's own threads.
#include "mainspring/clock/v1/clock.grpc.pb.h"
#include "tests/bench/answer.h"
#include "tests/bench/baseline.h"

namespace {

using mainspring::clock::v1::Clock;
using mainspring::clock::v1::GetTimeRequest;
using mainspring::clock::v1::GetTimeResponse;

class CallbackClock final : public Clock::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* context,
                                    const GetTimeRequest* request,
                                    GetTimeResponse* response) override {
    // The reactor that lives in the context: no allocation a call.
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (mainspring::bench::AnswerInFull(*request, *response)) {
      reactor->Finish(grpc::Status::OK);
    } else {
      reactor->Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "time_zone: not known"));
    }
    return reactor;
  }
};

}  // namespace

int main() {
  mainspring::bench::PrepareProcess();
  CallbackClock service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = mainspring::bench::StartBaseline(builder);
  mainspring::bench::WaitForSignal();
  mainspring::bench::StopBaseline(*server);
  return 0;
}
