#include "tests/cookbook/checkout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mainspring/testing.h"

namespace cookbook {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class CheckoutTest : public ::testing::Test {
 protected:
  CheckoutTest() {
    stage_.Add<Checkout>("till_1");
    EXPECT_TRUE(stage_.Start().ok());
  }
  auto Pay(int64_t cents) {
    v1::PayRequest request;
    request.set_cents(cents);
    return stage_.Ref<v1::CheckoutRef>("till_1").Pay(request);
  }

  mainspring::testing::Stage stage_;
};

TEST_F(CheckoutTest, Pay_HasHeadersAndTrailers) {
  auto answer = Pay(100);
  const auto metadata = answer.metadata();
  EXPECT_TRUE(stage_.Await(std::move(answer)).ok());
  EXPECT_THAT(metadata->headers, ElementsAre(Pair("shop-till", "till_1")));
  EXPECT_THAT(metadata->trailers, ElementsAre(Pair("shop-receipt", "1")));
}

TEST_F(CheckoutTest, WhenItIsTooMuch_PaySaysHowMuchIsTaken) {
  const auto info = mainspring::ErrorInfoOf(stage_.Await(Pay(10'001)).status());
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->reason, "TOO_MUCH");
  EXPECT_THAT(info->metadata, ElementsAre(Pair("most_cents", "10000")));
}

TEST_F(CheckoutTest, WhenTheTillIsBusy_PaySaysWhenToTryAgain) {
  EXPECT_TRUE(stage_.Await(Pay(100)).ok());
  stage_.Advance(absl::Milliseconds(400));
  EXPECT_EQ(mainspring::RetryDelayOf(stage_.Await(Pay(100)).status()), absl::Milliseconds(600));
}

}  // namespace
}  // namespace cookbook
