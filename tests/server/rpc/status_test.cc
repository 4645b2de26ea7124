#include "mainspring/server/rpc/status.h"

#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <string>

#include "mainspring/text.h"

namespace mainspring::rpc {
namespace {

TEST(ToGrpc, WhenNotFound_HasTheSameCodeAndText) {
  const grpc::Status status = ToGrpc(absl::NotFoundError("no such component"));
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, status.error_code());
  EXPECT_EQ("no such component", status.error_message());
}

TEST(ToGrpc, WhenOk_IsOk) { EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok()); }

TEST(ToGrpc, ForEachCode_HasTheSameNumber) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "text");
    EXPECT_EQ(code, static_cast<int>(ToGrpc(status).error_code())) << status;
  }
}

TEST(ToGrpc, WhenTheCodeIsNone_IsUnknown) {
  const absl::Status status(static_cast<absl::StatusCode>(4711), "text");
  EXPECT_EQ(grpc::StatusCode::UNKNOWN, ToGrpc(status).error_code());
}

TEST(ToGrpc, WhenTheTextIsTooLongOrNoUtf8_IsBounded) {
  EXPECT_EQ("caf\\xe9", ToGrpc(absl::InternalError("caf\xE9")).error_message());
  EXPECT_EQ(kMaxText, ToGrpc(absl::InternalError(std::string(5000, 'x'))).error_message().size());
}

}  // namespace
}  // namespace mainspring::rpc
