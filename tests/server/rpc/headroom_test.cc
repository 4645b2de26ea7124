#include "mainspring/server/rpc/headroom.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "mainspring/server/rpc/listener.h"
#include "mainspring/server/rpc/plane.h"
#include "mainspring/trial/v1/trial.binding.pb.h"
#include "tests/server/process_view.h"

namespace mainspring::rpc {
namespace {

// Nobody's: whose threads are counted are this process's alone.
constexpr uid_t kNobodys = 61'947;

void SetLimit(__rlimit_resource resource, rlim_t limit) {
  rlimit limits;
  getrlimit(resource, &limits);
  limits.rlim_cur = std::min(limit, limits.rlim_max);
  setrlimit(resource, &limits);
}

// Starts a plane with as much as the limit gives: whether it starts, or says why it does not.
std::string Try(__rlimit_resource resource, rlim_t limit, bool& started) {
  auto listeners = Listener::Listen("127.0.0.1:0");
  if (!listeners.ok()) return std::string(listeners.status().message());
  auto service = trial::v1::BindTrial();
  SetLimit(resource, limit);
  auto plane = Plane::Start("data", *std::move(listeners), {}, {service.get()}, nullptr);
  SetLimit(resource, RLIM_INFINITY);
  started = plane.ok();
  if (started) {
    (*plane)->Shutdown(std::chrono::steady_clock::now());
    return "";
  }
  return absl::IsResourceExhausted(plane.status()) ? "" : plane.status().ToString();
}

// With one more each time. Ends the process, 0 where all went as it should.
void TryEachUpTo(__rlimit_resource resource, rlim_t most) {
  alarm(60);
  bool started = false;
  bool ever_started = false;
  const size_t before = testing::CountDescriptors();
  for (rlim_t limit = 1; limit <= most; ++limit) {
    const std::string wrong = Try(resource, limit, started);
    if (!wrong.empty()) {
      std::fprintf(stderr, "limit %d: %s\n", static_cast<int>(limit), wrong.c_str());
      _exit(1);
    }
    // From then on gRPC has descriptors of its own.
    ever_started |= started;
    if (!ever_started && testing::CountDescriptors() != before) _exit(2);
  }
  _exit(started ? 0 : 3);
}

TEST(Headroom, WhenThereIsEnough_IsOk) {
  EXPECT_TRUE(CheckThreads().ok());
  EXPECT_TRUE(CheckDescriptors().ok());
}

TEST(HeadroomDeathTest, WhenDescriptorsAreFew_APlaneStartsOrSaysWhyNot) {
  EXPECT_EXIT(TryEachUpTo(RLIMIT_NOFILE, 60), ::testing::ExitedWithCode(0), "");
}

TEST(HeadroomDeathTest, WhenThreadsAreFew_APlaneStartsOrSaysWhyNot) {
  if (geteuid() != 0) GTEST_SKIP() << "the limit binds who has a user of their own";
  const auto as_nobody = [] {
    if (setgroups(0, nullptr) != 0 || setuid(kNobodys) != 0) _exit(4);
    TryEachUpTo(RLIMIT_NPROC, 60);
  };
  EXPECT_EXIT(as_nobody(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace mainspring::rpc
