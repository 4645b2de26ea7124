#include "mainspring/status_details.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "mainspring/call.h"

namespace mainspring {
namespace {

constexpr char kType[] = "type.googleapis.com/shop.v1.OutOfStock";

absl::Status Sold() {
  absl::Status status = absl::FailedPreconditionError("sold out");
  status.SetPayload(kType, absl::Cord("bytes"));
  return status;
}

TEST(StatusDetails, EncodedAndDecoded_AreTheSame) {
  const absl::Status sent = WithRetryDelay(
      WithErrorInfo(Sold(),
                    {.reason = "SOLD_OUT", .domain = "shop", .metadata = {{"item", "key"}}}),
      absl::Milliseconds(1500));
  absl::Status received = absl::FailedPreconditionError("sold out");
  DecodeDetails(EncodedDetails(sent), received);
  EXPECT_EQ(received, sent);
  EXPECT_EQ(received.GetPayload(kType), "bytes");
  const std::optional<ErrorInfo> info = ErrorInfoOf(received);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->reason, "SOLD_OUT");
  EXPECT_EQ(info->domain, "shop");
  EXPECT_EQ(info->metadata.at("item"), "key");
  EXPECT_EQ(RetryDelayOf(received), absl::Milliseconds(1500));
}

// Bytes as google/rpc/status.proto and error_details.proto have them, by hand.
TEST(StatusDetails, OnTheWire_AreThoseOfGoogleRpc) {
  const absl::Status status = WithRetryDelay(absl::NotFoundError("no"), absl::Seconds(2));
  const std::string type = "type.googleapis.com/google.rpc.RetryInfo";
  const std::string retry = "\x0a\x02\x08\x02";  // retry_delay { seconds: 2 }
  const std::string any =
      std::string("\x0a") + static_cast<char>(type.size()) + type + "\x12\x04" + retry;
  EXPECT_EQ(EncodedDetails(status),
            std::string("\x08\x05\x12\x02no\x1a") + static_cast<char>(any.size()) + any);
}

TEST(StatusDetails, OfStatusWithoutPayloads_AreNothing) {
  EXPECT_EQ(EncodedDetails(absl::NotFoundError("no")), "");
  EXPECT_EQ(EncodedDetails(absl::OkStatus()), "");
  EXPECT_FALSE(ErrorInfoOf(absl::NotFoundError("no")).has_value());
  EXPECT_FALSE(RetryDelayOf(absl::NotFoundError("no")).has_value());
}

TEST(StatusDetails, ThatAreTooLong_LeaveOutPayloads) {
  absl::Status status = Sold();
  status.SetPayload("type.googleapis.com/big", absl::Cord(std::string(100'000, 'x')));
  EXPECT_LE(EncodedDetails(status).size(), 4096u);
}

TEST(StatusDetails, DecodedFromGarbage_ChangeNothing) {
  absl::Status status = absl::NotFoundError("no");
  DecodeDetails("\xff\xff\xff", status);
  EXPECT_EQ(status, absl::NotFoundError("no"));
}

TEST(OwnCopy, OfStatusWithPayloads_HasThem) { EXPECT_EQ(OwnCopy(Sold()), Sold()); }

TEST(WithReason, NamesComponentStateAndWhenToTryAgain) {
  const absl::Status status = WithReason(absl::UnavailableError("down"), "COMPONENT_DOWN", "clock",
                                         absl::Seconds(1), "STOPPED");
  EXPECT_EQ(ErrorInfoOf(status)->domain, "mainspring");
  EXPECT_EQ(ErrorInfoOf(status)->metadata,
            (std::map<std::string, std::string>{{"component", "clock"}, {"state", "STOPPED"}}));
  EXPECT_EQ(RetryDelayOf(status), absl::Seconds(1));
}

TEST(StatusDetails, Encoded_AreInTheOrderOfTheirTypes) {
  // abseil's own order changes with the addresses of statuses.
  std::vector<std::unique_ptr<absl::Status>> statuses;
  std::set<std::string> encoded;
  for (int i = 0; i < 100; ++i) {
    auto& status = *statuses.emplace_back(std::make_unique<absl::Status>(absl::AbortedError("x")));
    status.SetPayload("b.B", absl::Cord("2"));
    status.SetPayload("a.A", absl::Cord("1"));
    encoded.insert(EncodedDetails(status));
  }
  ASSERT_EQ(encoded.size(), 1u);
  EXPECT_LT(encoded.begin()->find("a.A"), encoded.begin()->find("b.B"));
}

}  // namespace
}  // namespace mainspring
