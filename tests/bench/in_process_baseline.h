// The in-process baseline: an object with a thread and a queue, as it is written by hand.
#ifndef MAINSPRING_TESTS_BENCH_IN_PROCESS_BASELINE_H_
#define MAINSPRING_TESTS_BENCH_IN_PROCESS_BASELINE_H_

#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "mainspring/clock/v1/clock.pb.h"
#include "tests/bench/answer.h"

namespace mainspring::bench {

// Answers requests on its own thread, in the order in which they came. No bound, no deadline, no
// cancellation, no metrics: less than a component does.
class HandWrittenClock {
 public:
  explicit HandWrittenClock(AnswerFunction answer);

  // Blocks until everything asked is answered.
  ~HandWrittenClock();

  HandWrittenClock(const HandWrittenClock&) = delete;
  HandWrittenClock& operator=(const HandWrittenClock&) = delete;

  // Any thread, but none once the destructor has begun.
  std::future<clock::v1::GetTimeResponse> GetTime(clock::v1::GetTimeRequest request);

 private:
  struct Call {
    clock::v1::GetTimeRequest request;
    std::promise<clock::v1::GetTimeResponse> promise;
  };

  void Run();

  const AnswerFunction answer_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Call> queue_;  // guarded by mutex_
  bool ended_ = false;      // guarded by mutex_

  std::thread thread_;
};

// Calls a second that a HandWrittenClock answers to one caller; see DriveWindow.
double MeasureBaseline(int window, std::chrono::seconds duration, AnswerFunction answer);

}  // namespace mainspring::bench

#endif  // MAINSPRING_TESTS_BENCH_IN_PROCESS_BASELINE_H_
