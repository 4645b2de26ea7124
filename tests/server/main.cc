// The main of every test that links gRPC.
#include <gtest/gtest.h>
#include <signal.h>

#include "absl/synchronization/mutex.h"

int main(int argc, char** argv) {
  // As every main of ours: distributions build abseil so that it aborts at a lock cycle in gRPC.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&argc, argv);
  // A test that ends its process must not fork one that has gRPC's threads.
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  return RUN_ALL_TESTS();
}
