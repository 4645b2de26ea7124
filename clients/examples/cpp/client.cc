#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"
#include "mainspring/clock/v1/clock.grpc.pb.h"

using namespace std::chrono_literals;
using namespace grpc::health::v1;
using namespace mainspring::clock::v1;

void Require(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error("error: " + status.error_message());
}

// Prints ticks until `left` have come, across restarts of the host.
void Watch(Clock::Stub& clock, const std::string& time_zone, int left) {
  WatchTimeRequest request;
  request.set_time_zone(time_zone);
  for (auto backoff = 100ms;; backoff = std::min(2 * backoff, 5000ms)) {
    grpc::ClientContext context;
    auto ticks = clock.WatchTime(&context, request);
    for (WatchTimeResponse tick; ticks->Read(&tick); backoff = 100ms) {
      std::cout << "tick " << tick.rfc3339() << std::endl;
      if (--left <= 0) return context.TryCancel();
    }
    const auto end = ticks->Finish();
    // A watch that comes in the last moment of a host is cancelled.
    if (end.error_code() != grpc::UNAVAILABLE && end.error_code() != grpc::CANCELLED) Require(end);
    std::cout << "lost: " << (end.ok() ? "ended" : end.error_message()) << "; again in "
              << backoff.count() << " ms" << std::endl;
    std::this_thread::sleep_for(backoff);
  }
}

int main(int argc, char** argv) try {
  if (argc != 4) throw std::invalid_argument("usage: client ADDRESS TIME_ZONE COUNT");
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  const auto clock = Clock::NewStub(channel);
  grpc::ClientContext get, check;
  for (auto* call : {&get, &check}) call->set_deadline(std::chrono::system_clock::now() + 5s);
  GetTimeRequest request;
  request.set_time_zone(argv[2]);
  GetTimeResponse time;
  Require(clock->GetTime(&get, request, &time));
  std::cout << "time " << time.rfc3339() << std::endl;
  HealthCheckResponse health;
  Require(Health::NewStub(channel)->Check(&check, {}, &health));
  std::cout << "health " << health.ServingStatus_Name(health.status()) << std::endl;
  Watch(*clock, argv[2], std::stoi(argv[3]));
} catch (const std::exception& error) {
  std::cerr << error.what() << std::endl;
  return 1;
}
