#include "mainspring/server/rpc/places.h"

#include <gtest/gtest.h>

namespace mainspring::rpc {
namespace {

using absl::StatusCode;

constexpr char kOne[] = "ipv4:10.0.0.1:1000";
constexpr char kOneToo[] = "ipv4:10.0.0.1:1001";
constexpr char kOther[] = "ipv6:%5B::1%5D:1000";
constexpr char kUnix[] = "unix:";

// The call that comes through that connection, and stays.
absl::Status Come(Places& places, const std::string& connection) {
  Places::Place place;
  return places.Take(connection, place);
}

TEST(Places, WhenThereAreAsManyAsAllowed_TheNextIsOneTooMany) {
  Places places(2, 0, 0);
  Places::Place first, third;
  EXPECT_TRUE(places.Take(kOne, first).ok());
  EXPECT_TRUE(Come(places, kOther).ok());
  EXPECT_EQ("too many calls in flight; try later", places.Take(kUnix, third).message());
  Places::GiveUp(third);
  EXPECT_FALSE(Come(places, kOneToo).ok());
  Places::GiveUp(first);
  EXPECT_TRUE(Come(places, kOneToo).ok());
}

TEST(Places, WhenRefusalsAreNotTaken_OthersStillComeIn) {
  Places places(3, 2, 0);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Come(places, kOne).ok());
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(Come(places, kOne).ok());
  EXPECT_TRUE(Come(places, kOther).ok());
}

TEST(Places, WhenAPeerHasItsShare_OthersStillComeIn) {
  Places places(100, 2, 0);
  EXPECT_TRUE(Come(places, kOne).ok());
  EXPECT_TRUE(Come(places, kOneToo).ok());
  const absl::Status refused = Come(places, kOne);
  EXPECT_EQ(StatusCode::kResourceExhausted, refused.code());
  EXPECT_EQ("more than 2 calls in flight from this peer; try later", refused.message());
  EXPECT_TRUE(Come(places, kOther).ok());
}

TEST(Places, WhenAConnectionHasItsShare_ThePeersOthersStillComeIn) {
  Places places(100, 0, 1);
  EXPECT_TRUE(Come(places, kOne).ok());
  EXPECT_EQ("more than 1 calls in flight on this connection; try later",
            Come(places, kOne).message());
  EXPECT_TRUE(Come(places, kOneToo).ok());
}

TEST(Places, WhenItIsAUnixSocket_OnlyTheWholeIsBounded) {
  Places places(3, 1, 1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Come(places, kUnix).ok());
  EXPECT_FALSE(Come(places, kUnix).ok());
}

TEST(Places, WhenForgetting_KeepsWhoHasCalls) {
  Places places(100, 2, 0);
  EXPECT_FALSE(places.Knows(kOne));
  EXPECT_TRUE(Come(places, kOne).ok());
  Places::Place place;
  EXPECT_TRUE(places.Take(kOneToo, place).ok());
  Places::GiveUp(place);
  EXPECT_TRUE(places.Knows(kOneToo));
  places.Forget();
  EXPECT_TRUE(places.Knows(kOne));
  EXPECT_FALSE(places.Knows(kOneToo));
  EXPECT_TRUE(Come(places, kOneToo).ok());
  EXPECT_FALSE(Come(places, kOneToo).ok()) << "its peer is not forgotten";
}

}  // namespace
}  // namespace mainspring::rpc
