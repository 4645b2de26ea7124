// What the two hand-written gRPC services share: how they are set up, announced and ended.
#ifndef MAINSPRING_TESTS_BENCH_BASELINE_H_
#define MAINSPRING_TESTS_BENCH_BASELINE_H_

#include <grpcpp/grpcpp.h>

#include <memory>

namespace mainspring::bench {

// First statement of main, before any thread: mutexes without the lock graph of Debian's abseil,
// and SIGTERM and SIGINT blocked, so that WaitForSignal gets them.
void PrepareProcess();

// Starts the server on a free port of the loopback with the knobs of Mainspring's data plane (no
// compression, port not shared) and prints `listening 127.0.0.1:PORT` to standard output.
// Ends the process with 74 where it cannot listen.
std::unique_ptr<grpc::Server> StartBaseline(grpc::ServerBuilder& builder);

// Blocks until SIGTERM or SIGINT.
void WaitForSignal();

// Blocks until every call is finished, at most a second, then cuts the rest. Call once.
void StopBaseline(grpc::Server& server);

}  // namespace mainspring::bench

#endif  // MAINSPRING_TESTS_BENCH_BASELINE_H_
