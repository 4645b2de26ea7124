// What mainspringd is compared with under attack: the Clock, health and reflection as they are
// written by hand on gRPC's callback API, with gRPC's defaults. Ends with its parent's kill.
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <cstdio>

#include "absl/synchronization/mutex.h"
#include "mainspring/clock/v1/clock.grpc.pb.h"

namespace {

using mainspring::clock::v1::Clock;
using mainspring::clock::v1::GetTimeRequest;
using mainspring::clock::v1::GetTimeResponse;
using mainspring::clock::v1::WatchTimeRequest;
using mainspring::clock::v1::WatchTimeResponse;

void SetNow(google::protobuf::Timestamp& time) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now);
  time.set_seconds(seconds.count());
  time.set_nanos(static_cast<int32_t>((now - seconds) / std::chrono::nanoseconds(1)));
}

// Ticks as fast as the client reads: a plain server has no timers.
class Ticks final : public grpc::ServerWriteReactor<WatchTimeResponse> {
 public:
  Ticks() { Next(); }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    Next();
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    SetNow(*response_.mutable_time());
    response_.set_tick(tick_++);
    StartWrite(&response_);
  }

  uint64_t tick_ = 0;
  WatchTimeResponse response_;
};

class PlainClock final : public Clock::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* context, const GetTimeRequest*,
                                    GetTimeResponse* response) override {
    SetNow(*response->mutable_time());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerWriteReactor<WatchTimeResponse>* WatchTime(grpc::CallbackServerContext*,
                                                         const WatchTimeRequest*) override {
    return new Ticks();
  }
};

}  // namespace

int main() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  PlainClock clock;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&clock);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) return 1;
  std::printf("listening 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  server->Wait();
}
