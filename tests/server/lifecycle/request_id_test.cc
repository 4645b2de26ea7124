#include "mainspring/server/lifecycle/request_id.h"

#include <gtest/gtest.h>

#include <string>

namespace mainspring {
namespace {

TEST(RequestId, CheckRequestId_AllowsWhatCanBePrintedAndIsShort) {
  EXPECT_TRUE(CheckRequestId("").ok());
  EXPECT_TRUE(CheckRequestId("deploy 42/b").ok());
  EXPECT_TRUE(CheckRequestId(std::string(kLongestRequestId, 'x')).ok());
  for (const std::string& id :
       {std::string(kLongestRequestId + 1, 'x'), std::string("a\nb"), std::string("caf\xC3\xA9")}) {
    EXPECT_EQ(CheckRequestId(id).code(), absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace mainspring
