#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "mainspring/server/rpc/stream_call.h"
#include "tests/server/rpc/trial_plane.h"
#include "tests/testing/trial.h"

namespace mainspring::rpc {
namespace {

using testing::Eventually;
using testing::Trial;
using testing::TrialPlane;
using testing::Waiting;
using trial::v1::SumRequest;
using trial::v1::SumResponse;

// Counts the streams of requests that ended, and those that it took for whole.
class Counting final : public Trial {
 public:
  Counting(Context& context, std::atomic<int>* ended, std::atomic<int>* whole)
      : Trial(context), ended_(*ended), whole_(*whole) {}
  void Sum(RequestStream<SumRequest> requests, Reply<SumResponse> reply) override {
    while (const auto request = co_await requests.Read()) {
    }
    if (!reply.cancelled()) ++whole_;
    ++ended_;
    reply.Send({});
  }

 private:
  std::atomic<int>& ended_;
  std::atomic<int>& whole_;
};

TEST(StreamCallEndTest, WhenTheClientGoesWithoutAnEnd_ItIsNotTakenForComplete) {
  std::atomic<int> ended{0};
  std::atomic<int> whole{0};
  TrialPlane plane(trial::v1::TrialType<Counting>("trial", [&](Context& context) {
    return std::make_unique<Counting>(context, &ended, &whole);
  }));
  const auto stub = plane.NewStub();
  std::atomic<bool> done{false};
  std::thread busy([&] {
    while (!done.load()) EXPECT_TRUE(testing::Echo(*stub).ok());
  });
  constexpr int kCalls = 100;
  for (int i = 0; i < kCalls; ++i) {
    Waiting context;
    if (i % 2 == 0)
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(20));
    SumResponse response;
    auto sum = stub->Sum(&context, &response);
    sum->Write(SumRequest());
    if (i % 2 != 0) context.TryCancel();
    EXPECT_FALSE(sum->Finish().ok());
  }
  done = true;
  busy.join();
  EXPECT_TRUE(Eventually([&] { return plane.plane().calls_in_flight() == 0; }));
  EXPECT_EQ(whole.load(), 0) << "of " << ended.load();
  Waiting context;
  SumResponse response;
  auto sum = stub->Sum(&context, &response);
  EXPECT_TRUE(sum->WritesDone());
  EXPECT_TRUE(sum->Finish().ok());
  EXPECT_EQ(whole.load(), 1);
}

}  // namespace
}  // namespace mainspring::rpc
