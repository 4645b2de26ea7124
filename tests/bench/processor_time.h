// Processor time, user and system together, of a process and all of its threads.
#ifndef MAINSPRING_TESTS_BENCH_PROCESSOR_TIME_H_
#define MAINSPRING_TESTS_BENCH_PROCESSOR_TIME_H_

namespace mainspring::bench {

// Of the process with that pid, from /proc/PID/stat, in steps of a clock tick (10 ms). 0 where
// there is no such process. Any thread.
double ProcessorSeconds(int pid);

// Of this process. Any thread.
double OwnProcessorSeconds();

}  // namespace mainspring::bench

#endif  // MAINSPRING_TESTS_BENCH_PROCESSOR_TIME_H_
