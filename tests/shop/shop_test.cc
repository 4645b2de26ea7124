// The whole shop on one thread, with a clock of the test's own and payments that it answers.
#include "shop.h"

#include <gtest/gtest.h>

#include <utility>

#include "mainspring/testing.h"
#include "shop/v1/payments.component.pb.h"

namespace shop {

using mainspring::testing::FromText;

// Open, with three packets of tea on the shelf.
class Shop : public ::testing::Test {
 protected:
  Shop() {
    EXPECT_TRUE(stage_.Start().ok());
    const v1::Box box = FromText("item { sku: 'tea' units: 3 } unit_cents: 250");
    EXPECT_EQ(stage_.Await(inventory_.Restock(), {box})->units(), 3);
  }
  auto WatchTea() { return inventory_.WatchStock(FromText("sku: 'tea'")); }
  auto TeaLeft() { return stage_.Next(WatchTea())->units(); }
  auto Order(const CallOptions& options = {}) {
    return orders_.PlaceOrder(FromText("item { sku: 'tea' units: 2 }"), options);
  }
  // Orders and pays.
  v1::OrderNumber Buy() {
    auto order = Order();
    stage_.Take<v1::PaymentsCall::Charge>("payments").reply.Send({});
    return FromText(absl::StrCat("number: ", stage_.Await(std::move(order))->number()));
  }
  // What becomes of a parcel at a packing station.
  auto Pack(const v1::OrderNumber& parcel) { return stage_.Collect(worker_.Pack(), {parcel}); }

  mainspring::testing::Stage stage_;
  v1::PaymentsRef payments_ = stage_.Script<v1::PaymentsComponent>("payments");
  v1::InventoryRef inventory_ = stage_.Add<Inventory>("inventory");
  v1::OrdersRef orders_ = stage_.Add<Orders>(
      "orders", [to = payments_](auto bill, auto options) { return to.Charge(bill, options); });
  v1::WorkerRef worker_ = stage_.Add<Worker>("worker");
};

TEST_F(Shop, PlaceOrder_ReservesAndCharges) {
  auto order = Order({.metadata = {{"idempotency-key", "42"}}});
  auto charge = stage_.Take<v1::PaymentsCall::Charge>("payments");
  EXPECT_EQ(charge.request.cents(), 500);
  EXPECT_EQ(charge.reply.context().Metadata("idempotency-key"), "42");
  charge.reply.Send(FromText("number: 'R1'"));
  EXPECT_EQ(stage_.Await(std::move(order))->receipt(), "R1");
  EXPECT_EQ(TeaLeft(), 1);
}

TEST_F(Shop, PlaceOrder_OfWhatThereIsNot_SaysSoToPrograms) {
  for (const auto* item : {"item { sku: 'tea' units: 4 }", "item { sku: 'coffee' }"}) {
    const auto refused = stage_.Await(orders_.PlaceOrder(FromText(item))).status();
    EXPECT_EQ(mainspring::ErrorInfoOf(refused)->reason, "OUT_OF_STOCK");
  }
}

TEST_F(Shop, PlaceOrder_WherePaymentsIsAway_TriesFiveTimes) {
  auto order = Order();
  absl::Status away = absl::UnavailableError("away");
  for (const int wait_ms : {100, 200, 400, 3000}) {
    if (wait_ms == 3000) away = mainspring::WithRetryDelay(away, absl::Seconds(3));
    stage_.Take<v1::PaymentsCall::Charge>("payments").reply.Fail(away);
    stage_.Advance(absl::Milliseconds(wait_ms - 1));
    EXPECT_EQ(stage_.Untaken("payments"), 0);
    stage_.Advance(absl::Milliseconds(1));
  }
  stage_.Take<v1::PaymentsCall::Charge>("payments").reply.Fail(away);
  EXPECT_EQ(stage_.Await(std::move(order)).status(), away);
}

TEST_F(Shop, PlaceOrder_WhoseCustomerLeaves_PutsTheItemBack) {
  auto order = Order();
  auto charge = stage_.Take<v1::PaymentsCall::Charge>("payments");
  EXPECT_EQ(TeaLeft(), 1);
  order = orders_.PlaceOrder({});  // nobody waits for the first any more
  EXPECT_TRUE(charge.reply.cancelled());
  charge.reply.Fail(absl::CancelledError());
  stage_.Settle();
  EXPECT_EQ(TeaLeft(), 3);
}

TEST_F(Shop, AwaitShipment_IsAnsweredOnceItIsPacked) {
  const auto number = Buy();
  auto shipment = orders_.AwaitShipment(number);
  EXPECT_TRUE(Pack(number)->front().shipped());
  EXPECT_TRUE(stage_.Await(std::move(shipment))->shipped());
  EXPECT_TRUE(stage_.Await(orders_.AwaitShipment(number))->shipped());
}

TEST_F(Shop, AwaitShipment_IsAnsweredByTimeAndByTheDrain) {
  const auto number = Buy();
  auto shipment = orders_.AwaitShipment(number);
  stage_.Advance(absl::Seconds(30));
  EXPECT_FALSE(stage_.Await(std::move(shipment))->shipped());
  shipment = orders_.AwaitShipment(number);
  stage_.Drain("orders");
  EXPECT_FALSE(stage_.Await(std::move(shipment))->shipped());
  EXPECT_TRUE(absl::IsUnavailable(stage_.Await(orders_.AwaitShipment(number)).status()));
}

TEST_F(Shop, WatchStock_TellsEachSecond) {
  auto stock = WatchTea();
  EXPECT_EQ(stage_.Next(stock)->units(), 3);
  Buy();
  EXPECT_FALSE(stage_.Next(stock).has_value());
  stage_.Advance(absl::Seconds(1));
  EXPECT_EQ(stage_.Next(stock)->units(), 1);
}

TEST_F(Shop, WhatThereIsNot_IsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(stage_.Await(orders_.AwaitShipment({})).status()));
  EXPECT_TRUE(absl::IsNotFound(Pack({}).status()));
  EXPECT_TRUE(absl::IsNotFound(stage_.Collect(inventory_.WatchStock({})).status()));
}

}  // namespace shop
