#include "tests/cookbook/orders.h"

#include <gtest/gtest.h>

#include <string>

#include "mainspring/testing.h"

namespace cookbook {
namespace {

using mainspring::testing::Stage;

TEST(Orders, PlaceOrder_AsksTheInventoryOnBehalfOfTheCaller) {
  Stage stage;
  stage.Script<v1::InventoryComponent>("inventory");
  stage.Add<Orders>("orders");
  ASSERT_TRUE(stage.Start().ok());
  mainspring::testing::Caller caller(
      {.principal = "ada",
       .metadata = {{"traceparent", "00-1"}},
       .deadline = mainspring::After(stage.time().Now(), absl::Seconds(5))});
  v1::PlaceOrderRequest request;
  request.set_item("tea");
  auto order = stage.Ref<v1::OrdersRef>("orders").PlaceOrder(request, {.from = caller});
  auto asked = stage.Take<v1::InventoryCall::Reserve>("inventory");
  EXPECT_EQ(asked.request.item(), "tea");
  EXPECT_EQ(asked.reply.context().Principal(), "ada");
  EXPECT_EQ(asked.reply.context().TraceParent(), "00-1");
  EXPECT_EQ(asked.reply.deadline(), caller.deadline());
  asked.reply.Send(v1::ReserveResponse());
  EXPECT_EQ(stage.Await(std::move(order))->number(), 1);
}

TEST(Orders, WhenTheStockIsOut_PlaceOrderFailsWithTheSame) {
  Stage stage;
  stage.Script<v1::InventoryComponent>("inventory");
  stage.Add<Orders>("orders");
  ASSERT_TRUE(stage.Start().ok());
  auto order = stage.Ref<v1::OrdersRef>("orders").PlaceOrder({});
  const absl::Status out =
      mainspring::WithRetryDelay(absl::NotFoundError("no tea"), absl::Hours(1));
  stage.Take<v1::InventoryCall::Reserve>("inventory").reply.Fail(out);
  EXPECT_EQ(stage.Await(std::move(order)).status(), out);
}

TEST(Orders, WithoutAnInventory_DoesNotStart) {
  Stage stage;
  stage.Add<Orders>("orders");
  EXPECT_EQ(stage.Start().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace cookbook
