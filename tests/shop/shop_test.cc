// The whole shop on one thread, with a clock of the test's own and scripted payments.
#include <gtest/gtest.h>

#include "inventory.h"
#include "mainspring/testing.h"
#include "orders.h"
#include "shop/v1/payments.component.pb.h"
#include "worker.h"

namespace shop {
namespace {

using ChargeCall = v1::PaymentsCall::Charge;

class Shop : public ::testing::Test {
 protected:
  // Open, with three packets of tea at 2.50 on the shelf.
  Shop() {
    stage_.Script<v1::PaymentsComponent>("payments");
    stage_.Add<Inventory>("inventory");
    stage_.Add<Orders>("orders", [this](v1::ChargeRequest bill, mainspring::CallOptions options) {
      return stage_.Ref<v1::PaymentsRef>("payments").Charge(bill, options);
    });
    stage_.Add<Worker>("worker");
    EXPECT_TRUE(stage_.Start().ok());
    auto delivery = inventory().Restock();
    v1::Box box;
    *box.mutable_item() = Tea(3);
    box.set_unit_cents(250);
    delivery.requests.Write(box);
    delivery.requests.Finish();
    EXPECT_EQ(stage_.Await(std::move(delivery.answer))->units(), 3);
  }

  v1::InventoryRef inventory() { return stage_.Ref<v1::InventoryRef>("inventory"); }
  v1::OrdersRef orders() { return stage_.Ref<v1::OrdersRef>("orders"); }
  static v1::Item Tea(uint32_t units) {
    v1::Item item;
    item.set_sku("tea");
    item.set_units(units);
    return item;
  }
  auto PlaceOrder(uint32_t units, mainspring::CallOptions options = {}) {
    v1::PlaceOrderRequest request;
    *request.mutable_item() = Tea(units);
    request.set_card("4711");
    return orders().PlaceOrder(request, options);
  }
  auto AwaitShipment(int64_t number) {
    v1::AwaitShipmentRequest request;
    request.set_number(number);
    return orders().AwaitShipment(request);
  }
  static v1::ShipRequest Parcel(int64_t number) {
    v1::ShipRequest parcel;
    parcel.set_number(number);
    return parcel;
  }
  uint64_t UnitsLeft() {
    v1::WatchStockRequest request;
    request.set_sku("tea");
    auto stock = inventory().WatchStock(request);
    return stage_.Next(stock)->units();
  }
  // An order of one, paid for.
  void Buy() {
    auto order = PlaceOrder(1);
    stage_.Take<ChargeCall>("payments").reply.Send(v1::Receipt());
    ASSERT_EQ(stage_.Await(std::move(order))->number(), 1);
  }

  mainspring::testing::Stage stage_;
};

TEST_F(Shop, PlaceOrder_ReservesAndCharges) {
  const mainspring::Metadatum key("idempotency-key", "42");
  auto order = PlaceOrder(2, {.metadata = {&key, 1}});
  auto charge = stage_.Take<ChargeCall>("payments");
  EXPECT_EQ(charge.request.cents(), 500);
  EXPECT_EQ(charge.reply.context().Metadata("idempotency-key"), "42");
  v1::Receipt receipt;
  receipt.set_number("R1");
  charge.reply.Send(receipt);
  EXPECT_EQ(stage_.Await(std::move(order))->receipt(), "R1");
  EXPECT_EQ(UnitsLeft(), 1);
}

TEST_F(Shop, PlaceOrder_OfMoreThanThereIs_SaysWhy) {
  const absl::Status refused = stage_.Await(PlaceOrder(4)).status();
  EXPECT_EQ(mainspring::ErrorInfoOf(refused)->reason, "OUT_OF_STOCK");
  v1::Item coffee;
  coffee.set_sku("coffee");
  EXPECT_EQ(stage_.Await(inventory().Reserve(coffee)).status().message(), "too few of coffee");
}

TEST_F(Shop, PlaceOrder_WherePaymentsIsAway_TriesFiveTimes) {
  auto order = PlaceOrder(1);
  absl::Status away = absl::UnavailableError("away");
  for (const int wait_ms : {100, 200, 400}) {
    stage_.Take<ChargeCall>("payments").reply.Fail(away);
    stage_.Advance(absl::Milliseconds(wait_ms - 1));
    EXPECT_THROW(stage_.Take<ChargeCall>("payments"), std::logic_error);
    stage_.Advance(absl::Milliseconds(1));
  }
  mainspring::SetRetryDelay(away, absl::Seconds(3));
  stage_.Take<ChargeCall>("payments").reply.Fail(away);
  stage_.Advance(absl::Seconds(3));
  stage_.Take<ChargeCall>("payments").reply.Fail(away);
  EXPECT_EQ(stage_.Await(std::move(order)).status(), away);
}

TEST_F(Shop, PlaceOrder_WhoseCustomerLeaves_IsNeitherPaidNorReserved) {
  mainspring::testing::Caller ada({});
  auto order = PlaceOrder(1, {.from = ada});
  auto charge = stage_.Take<ChargeCall>("payments");
  EXPECT_EQ(UnitsLeft(), 2);
  ada.Leave();
  EXPECT_TRUE(charge.reply.cancelled());
  charge.reply.Fail(absl::CancelledError());
  stage_.Settle();
  EXPECT_EQ(UnitsLeft(), 3);
}

TEST_F(Shop, AwaitShipment_IsAnsweredOnceAStationHasPackedIt) {
  Buy();
  auto shipment = AwaitShipment(1);
  auto station = stage_.Ref<v1::WorkerRef>("worker").Pack();
  station.requests.Write(Parcel(1));
  EXPECT_EQ(stage_.Next(station.answers)->number(), 1);
  EXPECT_TRUE(stage_.Await(std::move(shipment))->shipped());
  EXPECT_TRUE(stage_.Await(AwaitShipment(1))->shipped());
  station.requests.Finish();
  EXPECT_FALSE(stage_.Next(station.answers).has_value());
  EXPECT_TRUE(station.answers.status().ok());
}

TEST_F(Shop, AwaitShipment_IsAnsweredByTimeAndByTheDrain) {
  Buy();
  auto shipment = AwaitShipment(1);
  stage_.Advance(absl::Seconds(30));
  EXPECT_FALSE(stage_.Await(std::move(shipment))->shipped());
  shipment = AwaitShipment(1);
  stage_.Drain("orders");
  EXPECT_FALSE(stage_.Await(std::move(shipment))->shipped());
  EXPECT_FALSE(stage_.Await(AwaitShipment(1))->shipped());
}

TEST_F(Shop, WhatThereIsNot_IsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(stage_.Await(AwaitShipment(7)).status()));
  auto station = stage_.Ref<v1::WorkerRef>("worker").Pack();
  station.requests.Write(Parcel(7));
  EXPECT_FALSE(stage_.Next(station.answers).has_value());
  EXPECT_TRUE(absl::IsNotFound(station.answers.status()));
  auto stock = inventory().WatchStock({});
  EXPECT_FALSE(stage_.Next(stock).has_value());
  EXPECT_TRUE(absl::IsNotFound(stock.status()));
}

TEST_F(Shop, WatchStock_TellsEachSecond) {
  v1::WatchStockRequest request;
  request.set_sku("tea");
  auto stock = inventory().WatchStock(request);
  EXPECT_EQ(stage_.Next(stock)->units(), 3);
  auto order = PlaceOrder(1);
  stage_.Advance(absl::Seconds(1));
  EXPECT_EQ(stage_.Next(stock)->units(), 2);
}

}  // namespace
}  // namespace shop
