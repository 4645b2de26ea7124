#include "server/rpc/status.h"

#include <gmock/gmock.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"

namespace mainspring::rpc {
namespace {

using ::testing::EndsWith;

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

TEST(ToGrpc, WhenTheTextJustFits_KeepsIt) {
  const std::string text(kMaxStatusText, 'x');
  EXPECT_EQ(text, ToGrpc(absl::InternalError(text)).error_message());
}

TEST(ToGrpc, WhenTheTextIsOneByteTooLong_CutsItAndSaysSo) {
  const std::string text(kMaxStatusText + 1, 'x');
  const std::string cut = ToGrpc(absl::InternalError(text)).error_message();
  EXPECT_EQ(kMaxStatusText, cut.size());
  EXPECT_THAT(cut, EndsWith("x..."));
}

TEST(ToGrpc, WhereverTheTextIsCut_CutsBetweenCharacters) {
  const std::string euro = "\xE2\x82\xAC";
  for (size_t shift = 0; shift < euro.size(); ++shift) {
    std::string text(shift, 'x');
    while (text.size() <= 2 * kMaxStatusText) text += euro;
    const std::string cut = ToGrpc(absl::InternalError(text)).error_message();
    EXPECT_LE(cut.size(), kMaxStatusText);
    EXPECT_GT(cut.size(), kMaxStatusText - 3 - euro.size());
    EXPECT_THAT(cut, EndsWith(euro + "..."));
  }
}

}  // namespace
}  // namespace mainspring::rpc
