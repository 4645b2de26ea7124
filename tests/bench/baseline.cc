#include "tests/bench/baseline.h"

#include <signal.h>
#include <sysexits.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "absl/synchronization/mutex.h"

namespace mainspring::bench {
namespace {

sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

void PrepareProcess() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const sigset_t signals = EndSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

std::unique_ptr<grpc::Server> StartBaseline(grpc::ServerBuilder& builder) {
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    std::fprintf(stderr, "listen 127.0.0.1:0: failed, see gRPC's log above\n");
    std::exit(EX_IOERR);
  }
  std::printf("listening 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  return server;
}

void WaitForSignal() {
  const sigset_t signals = EndSignals();
  int signal = 0;
  sigwait(&signals, &signal);
}

void StopBaseline(grpc::Server& server) {
  server.Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
}

}  // namespace mainspring::bench
