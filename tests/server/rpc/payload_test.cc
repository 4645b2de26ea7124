#include "mainspring/server/rpc/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "mainspring/trial/v1/trial.pb.h"

namespace mainspring::rpc {
namespace {

using ::testing::StartsWith;
using trial::v1::FloodResponse;

FloodResponse Filled(size_t bytes) {
  FloodResponse message;
  message.set_filling(std::string(bytes, 'x'));
  return message;
}

// What was sent, as it is received.
Payload Received(const std::string& bytes) {
  grpc::Slice slice(bytes);
  grpc::ByteBuffer buffer(&slice, 1);
  Payload payload;
  EXPECT_TRUE(grpc::SerializationTraits<Payload>::Deserialize(&buffer, &payload).ok());
  return payload;
}

TEST(Payload, OfAMessage_IsThatMessage) {
  for (const size_t bytes : {0u, 1u, 100u, 3u << 20}) {
    Payload payload = *Payload::Of(Filled(bytes));
    EXPECT_EQ(payload.size(), Filled(bytes).ByteSizeLong());
    FloodResponse parsed = Filled(7);
    ASSERT_TRUE(payload.ParseInto(parsed).ok());
    EXPECT_EQ(parsed.filling().size(), bytes) << "what was there before is gone";
  }
}

TEST(Payload, WhenSent_GivesItsBytesAway) {
  const Payload payload = *Payload::Of(Filled(100));
  grpc::ByteBuffer sent;
  bool own = false;
  ASSERT_TRUE(grpc::SerializationTraits<Payload>::Serialize(payload, &sent, &own).ok());
  EXPECT_TRUE(own);
  EXPECT_EQ(sent.Length(), Filled(100).ByteSizeLong());
  EXPECT_EQ(payload.size(), 0u);
}

TEST(Payload, WhenItIsNoSuchMessage_SaysWhatWasWanted) {
  FloodResponse message = Filled(7);
  const absl::Status status = Received("\xff\xff\xff").ParseInto(message);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "the request is no mainspring.trial.v1.FloodResponse");
  EXPECT_EQ(message.filling(), "") << "no half of it";
}

TEST(Payload, WhenItIsNoSuchMessage_LeavesNoMemoryBehind) {
  FloodResponse message;
  const std::string large = Filled(100'000).SerializeAsString();
  EXPECT_FALSE(Received(large + "\xff").ParseInto(message).ok());
  EXPECT_LT(message.SpaceUsedLong(), 1000u);
}

TEST(Payload, WhenOverTwoGibibytes_IsRefused) {
  const absl::Status status = Payload::Of(Filled(size_t{2} << 30)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), StartsWith("the answer is too large to be sent"));
}

}  // namespace
}  // namespace mainspring::rpc
