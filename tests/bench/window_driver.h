// One caller with a window of outstanding calls: how both in-process contestants are driven.
#ifndef MAINSPRING_TESTS_BENCH_WINDOW_DRIVER_H_
#define MAINSPRING_TESTS_BENCH_WINDOW_DRIVER_H_

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "mainspring/clock/v1/clock.pb.h"

namespace mainspring::bench {

// The time zone that every request asks for; AnswerLightly gives it back.
inline constexpr char kAskedTimeZone[] = "UTC";

// Keeps `window` calls outstanding from the calling thread, awaiting the oldest before it asks
// anew, and returns the calls answered a second. Blocks for a fifth of a second of warm-up and then
// `duration`, and awaits what is outstanding. Ends the process with 1 at an answer that is wrong.
//
//   ask:   Pending (GetTimeRequest)                 sends the request, does not block
//   await: GetTimeResponse (Pending&&)              blocks until it is answered
template <typename Ask, typename Await>
double DriveWindow(int window, std::chrono::seconds duration, Ask ask, Await await) {
  using Clock = std::chrono::steady_clock;
  constexpr uint64_t kCallsBetweenClockReads = 64;
  const auto request = [] {
    clock::v1::GetTimeRequest request;
    request.set_time_zone(kAskedTimeZone);
    return request;
  };
  const auto check = [](const clock::v1::GetTimeResponse& response) {
    if (response.time_zone() == kAskedTimeZone) return;
    std::fprintf(stderr, "in process: wrong answer: %s\n", response.ShortDebugString().c_str());
    std::exit(1);
  };

  std::vector<decltype(ask(request()))> pending;
  pending.reserve(static_cast<size_t>(window));
  for (int i = 0; i < window; ++i) pending.push_back(ask(request()));
  size_t oldest = 0;
  // Returns the calls answered until then, and leaves in `now` when it stopped.
  const auto drive_until = [&](Clock::time_point end, Clock::time_point& now) {
    uint64_t calls = 0;
    for (now = Clock::now(); now < end; now = Clock::now()) {
      for (uint64_t i = 0; i < kCallsBetweenClockReads; ++i, ++calls) {
        check(await(std::move(pending[oldest])));
        pending[oldest] = ask(request());
        oldest = oldest + 1 == pending.size() ? 0 : oldest + 1;
      }
    }
    return calls;
  };

  Clock::time_point begin;
  drive_until(Clock::now() + std::chrono::milliseconds(200), begin);
  Clock::time_point end;
  const uint64_t calls = drive_until(begin + duration, end);
  for (auto& call : pending) check(await(std::move(call)));
  return static_cast<double>(calls) / std::chrono::duration<double>(end - begin).count();
}

}  // namespace mainspring::bench

#endif  // MAINSPRING_TESTS_BENCH_WINDOW_DRIVER_H_
