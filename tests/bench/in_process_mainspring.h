// The in-process contestant: a component, called through its ref.
#ifndef MAINSPRING_TESTS_BENCH_IN_PROCESS_MAINSPRING_H_
#define MAINSPRING_TESTS_BENCH_IN_PROCESS_MAINSPRING_H_

#include <chrono>

namespace mainspring::bench {

// Calls a second that a component answers to one caller through ClockRef::GetTime and
// Answer::Await. Its GetTime sends AnswerLightly(request), and the caller is DriveWindow: work and
// caller are those of MeasureBaseline.
double MeasureMainspring(int window, std::chrono::seconds duration);

}  // namespace mainspring::bench

#endif  // MAINSPRING_TESTS_BENCH_IN_PROCESS_MAINSPRING_H_
