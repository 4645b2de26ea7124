#include "mainspring/metadata.h"

#include <gtest/gtest.h>

#include <string>

namespace mainspring {
namespace {

TEST(IsSendable, OfUsualMetadata_IsTrue) {
  EXPECT_TRUE(IsSendable("x-tenant", "acme"));
  EXPECT_TRUE(IsSendable("0a_.-", ""));
  EXPECT_TRUE(IsSendable("token", "Bearer a~b c"));
}

TEST(IsSendable, OfKeyThatHttp2OrGrpcDoesNotTake_IsFalse) {
  for (const std::string key : {"", "X-Tenant", "x tenant", ":path", "grpc-timeout", "schlüssel"}) {
    EXPECT_FALSE(IsSendable(key, "value")) << key;
  }
}

TEST(IsSendable, OfTheBareSuffix_IsForTextAlone) {
  EXPECT_TRUE(IsSendable("-bin", "text"));
  EXPECT_FALSE(IsSendable("-bin", "\xff"));
}

TEST(IsSendable, OfWhatClientsDoNotTake_IsFalse) {
  EXPECT_FALSE(IsSendable("x-a", std::string(5000, 'x')));
}

TEST(IsSendable, OfBytes_IsForBinaryKeysAlone) {
  const std::string bytes("\0\xff\n", 3);
  EXPECT_FALSE(IsSendable("x-trace", bytes));
  EXPECT_TRUE(IsSendable("x-trace-bin", bytes));
}

}  // namespace
}  // namespace mainspring
