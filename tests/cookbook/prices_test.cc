#include "tests/cookbook/prices.h"

#include <gtest/gtest.h>

#include "mainspring/testing.h"

namespace cookbook {
namespace {

TEST(Prices, WhileSomebodyWatches_SendsOneEachSecond) {
  mainspring::testing::Stage stage;
  stage.Add<Prices>("prices");
  ASSERT_TRUE(stage.Start().ok());
  auto prices = stage.Ref<v1::PricesRef>("prices").Watch({});
  stage.Advance(absl::Milliseconds(999));
  EXPECT_FALSE(stage.Next(prices).has_value());
  stage.Advance(absl::Milliseconds(1));
  EXPECT_EQ(stage.Next(prices)->cents(), 101);
  stage.Advance(absl::Hours(1));  // takes no time
  EXPECT_EQ(stage.Next(prices)->cents(), 102);
}

}  // namespace
}  // namespace cookbook
