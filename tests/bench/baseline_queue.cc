// Contestant (b): the Clock on a completion queue with one thread, which answers inline. The most
// that gRPC gives to one thread, and no room in it for a component: the state belongs to the queue.
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "mainspring/clock/v1/clock.grpc.pb.h"
#include "tests/bench/answer.h"
#include "tests/bench/baseline.h"

namespace {

using mainspring::clock::v1::Clock;
using mainspring::clock::v1::GetTimeRequest;
using mainspring::clock::v1::GetTimeResponse;

// Calls that gRPC may match without waiting for the thread; the pool grows past it where need be.
constexpr int kArmedCalls = 64;

// One call after another. The messages are used again, the context cannot be.
struct PooledCall {
  std::optional<grpc::ServerContext> context;
  std::optional<grpc::ServerAsyncResponseWriter<GetTimeResponse>> writer;
  GetTimeRequest request;
  GetTimeResponse response;
  bool armed = false;
};

// Serves a completion queue until it is shut down and empty. Queue thread only.
class QueueClock {
 public:
  QueueClock(Clock::AsyncService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue) {}

  void Serve() {
    for (int i = 0; i < kArmedCalls; ++i) Arm();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
      auto& call = *static_cast<PooledCall*>(tag);
      if (call.armed && ok) {
        // First, so that a next call is matched while this one is answered. Safe in a shutdown: it
        // waits for this call, and the queue is shut down only after it.
        Arm();
        Answer(call);
      } else {
        Release(call);
      }
    }
  }

 private:
  void Arm() {
    if (free_.empty()) free_.push_back(calls_.emplace_back(std::make_unique<PooledCall>()).get());
    PooledCall& call = *free_.back();
    free_.pop_back();
    call.context.emplace();
    call.writer.emplace(&*call.context);
    call.armed = true;
    service_.RequestGetTime(&*call.context, &call.request, &*call.writer, &queue_, &queue_, &call);
  }

  void Answer(PooledCall& call) {
    call.armed = false;
    if (mainspring::bench::AnswerInFull(call.request, call.response)) {
      call.writer->Finish(call.response, grpc::Status::OK, &call);
    } else {
      call.writer->FinishWithError(
          grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "time_zone: not known"), &call);
    }
  }

  // The context goes at once: while it lives, the call does, and Shutdown waits for it.
  void Release(PooledCall& call) {
    call.writer.reset();
    call.context.reset();
    free_.push_back(&call);
  }

  Clock::AsyncService& service_;
  grpc::ServerCompletionQueue& queue_;
  std::vector<std::unique_ptr<PooledCall>> calls_;
  std::vector<PooledCall*> free_;
};

}  // namespace

int main() {
  mainspring::bench::PrepareProcess();
  Clock::AsyncService service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = mainspring::bench::StartBaseline(builder);
  QueueClock clock(service, *queue);
  std::thread thread([&clock] { clock.Serve(); });
  mainspring::bench::WaitForSignal();
  mainspring::bench::StopBaseline(*server);
  queue->Shutdown();
  thread.join();
  return 0;
}
