#include "tests/bench/in_process_baseline.h"

#include <utility>

#include "tests/bench/window_driver.h"

namespace mainspring::bench {

using clock::v1::GetTimeRequest;
using clock::v1::GetTimeResponse;

HandWrittenClock::HandWrittenClock(AnswerFunction answer)
    : answer_(answer), thread_([this] { Run(); }) {}

HandWrittenClock::~HandWrittenClock() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::future<GetTimeResponse> HandWrittenClock::GetTime(GetTimeRequest request) {
  Call call{std::move(request), {}};
  std::future<GetTimeResponse> answer = call.promise.get_future();
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(call));
  }
  changed_.notify_one();
  return answer;
}

void HandWrittenClock::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Call call = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    call.promise.set_value(answer_(call.request));
    lock.lock();
  }
}

double MeasureBaseline(int window, std::chrono::seconds duration, AnswerFunction answer) {
  HandWrittenClock clock(answer);
  return DriveWindow(
      window, duration, [&](GetTimeRequest request) { return clock.GetTime(std::move(request)); },
      [](std::future<GetTimeResponse> answer) { return answer.get(); });
}

}  // namespace mainspring::bench
