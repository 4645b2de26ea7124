#include "tests/bench/load.h"

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "mainspring/clock/v1/clock.grpc.pb.h"
#include "tests/bench/processor_time.h"

namespace mainspring::bench {
namespace {

using clock::v1::Clock;
using clock::v1::GetTimeRequest;
using clock::v1::GetTimeResponse;
using SteadyTime = std::chrono::steady_clock::time_point;

struct Window {
  SteadyTime begin;
  SteadyTime end;
};

Window PlanWindow(const LoadPlan& plan) {
  using std::chrono::duration_cast;
  using Duration = std::chrono::steady_clock::duration;
  const SteadyTime begin = std::chrono::steady_clock::now() + duration_cast<Duration>(plan.warm_up);
  return {begin, begin + duration_cast<Duration>(plan.duration)};
}

std::unique_ptr<Clock::Stub> Connect(const LoadPlan& plan) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(plan.address, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
    std::fprintf(stderr, "connect %s: no connection within 10 s\n", plan.address.c_str());
    std::exit(1);
  }
  return Clock::NewStub(channel);
}

// Room for one call in flight, used again and again.
struct Slot {
  Clock::Stub* stub = nullptr;
  std::optional<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<GetTimeResponse>> reader;
  GetTimeResponse response;
  grpc::Status status;
  SteadyTime started;
  bool running = false;
};

// One thread's share of the load: its connections, its completion queue, its counts.
class LoadThread {
 public:
  LoadThread(const LoadPlan& plan, int connections) : slots_(connections * plan.in_flight) {
    request_.set_time_zone(plan.time_zone);
    for (int i = 0; i < connections; ++i) stubs_.push_back(Connect(plan));
    for (size_t i = 0; i < slots_.size(); ++i) slots_[i].stub = stubs_[i % stubs_.size()].get();
  }

  // Returns when every call is back. Call once.
  void Run(const Window& window) {
    for (Slot& slot : slots_) Start(slot, std::chrono::steady_clock::now());
    const auto slack = window.end - std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const gpr_timespec patience =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_nanos(std::chrono::nanoseconds(slack).count(), GPR_TIMESPAN));
    gpr_timespec deadline = patience;
    while (running_ > 0) {
      void* tag = nullptr;
      bool ok = false;
      if (queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT) {
        Finish(*static_cast<Slot*>(tag), window);
      } else {
        CancelAll();
        deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC);
      }
    }
  }

  void AddTo(LoadResult& result) const {
    result.latency.Merge(latency_);
    result.failed += failed_;
    if (result.failure.empty()) result.failure = failure_;
  }

 private:
  void Start(Slot& slot, SteadyTime now) {
    slot.reader.reset();
    slot.context.emplace();
    slot.started = now;
    slot.running = true;
    ++running_;
    slot.reader = slot.stub->AsyncGetTime(&*slot.context, request_, &queue_);
    slot.reader->Finish(&slot.response, &slot.status, &slot);
  }

  void Finish(Slot& slot, const Window& window) {
    const SteadyTime now = std::chrono::steady_clock::now();
    slot.running = false;
    --running_;
    Check(slot);
    if (now >= window.begin && now < window.end) {
      latency_.Add(static_cast<uint64_t>(std::chrono::nanoseconds(now - slot.started).count()));
    }
    if (now < window.end) Start(slot, now);
  }

  void Check(const Slot& slot) {
    const GetTimeResponse& response = slot.response;
    const bool complete = slot.status.ok() && response.time().seconds() > 0 &&
                          response.has_utc_offset() && !response.time_zone().empty() &&
                          response.rfc3339().size() >= sizeof "2006-01-02T15:04:05.123456789Z" - 1;
    if (complete) return;
    if (failed_++ > 0) return;
    failure_ = slot.status.ok() ? "a field of the answer is missing: " + response.ShortDebugString()
                                : "status " + std::to_string(slot.status.error_code()) + ": " +
                                      slot.status.error_message();
  }

  void CancelAll() {
    for (Slot& slot : slots_) {
      if (slot.running) slot.context->TryCancel();
    }
  }

  grpc::CompletionQueue queue_;
  GetTimeRequest request_;
  std::vector<std::unique_ptr<Clock::Stub>> stubs_;
  std::vector<Slot> slots_;
  int running_ = 0;
  Histogram latency_;
  uint64_t failed_ = 0;
  std::string failure_;
};

}  // namespace

LoadResult RunLoad(const LoadPlan& plan) {
  std::vector<std::unique_ptr<LoadThread>> loads;
  for (int i = 0; i < plan.threads; ++i) {
    const int share = plan.connections / plan.threads + (i < plan.connections % plan.threads);
    if (share > 0) loads.push_back(std::make_unique<LoadThread>(plan, share));
  }
  const Window window = PlanWindow(plan);
  std::vector<std::thread> threads;
  for (const auto& load : loads) threads.emplace_back([&] { load->Run(window); });

  std::this_thread::sleep_until(window.begin);
  const double server_begin = ProcessorSeconds(plan.server_pid);
  const double client_begin = OwnProcessorSeconds();
  std::this_thread::sleep_until(window.end);
  LoadResult result;
  result.server_cpu_s = ProcessorSeconds(plan.server_pid) - server_begin;
  result.client_cpu_s = OwnProcessorSeconds() - client_begin;
  result.seconds = std::chrono::duration<double>(window.end - window.begin).count();

  for (std::thread& thread : threads) thread.join();
  for (const auto& load : loads) load->AddTo(result);
  return result;
}

}  // namespace mainspring::bench
