#include "mainspring/server/rpc/grpc_log.h"

#include <gmock/gmock.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mainspring/mutex.h"

namespace mainspring::rpc {
namespace {

using ::testing::Contains;
using ::testing::StartsWith;

struct Line {
  GrpcSeverity severity;
  std::string where;
  std::string text;
};

// gRPC's threads may log too, for as long as the process lives.
Mutex mutex;
std::vector<Line>& Lines() {
  static auto* lines = new std::vector<Line>;
  return *lines;
}

TEST(GrpcLog, WhenGrpcLogs_GetsSeverityPlaceAndText) {
  SendGrpcLogTo([](GrpcSeverity severity, const std::string& where, const std::string& text) {
    MutexLock lock(mutex);
    Lines().push_back({severity, where, text});
  });
  // Before its first use gRPC logs nothing, and then errors alone.
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_INFO);
  gpr_log(GPR_ERROR, "an error %d", 1);
  gpr_log_message(__FILE__, __LINE__, GPR_LOG_SEVERITY_INFO, "some 100% news");
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  MutexLock lock(mutex);
  const auto line = [](GrpcSeverity severity, const std::string& text) {
    return ::testing::AllOf(::testing::Field(&Line::severity, severity),
                            ::testing::Field(&Line::where, StartsWith("grpc_log_test.cc:")),
                            ::testing::Field(&Line::text, text));
  };
  EXPECT_THAT(Lines(), Contains(line(GrpcSeverity::kError, "an error 1")));
  EXPECT_THAT(Lines(), Contains(line(GrpcSeverity::kInfo, "some 100% news")));
}

}  // namespace
}  // namespace mainspring::rpc
