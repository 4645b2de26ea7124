// The whole shop on one thread, with a clock of the test's own and payments that it answers.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "inventory.h"
#include "mainspring/testing.h"
#include "orders.h"
#include "shop/v1/payments.component.pb.h"
#include "worker.h"

namespace shop {
namespace {

using ChargeCall = v1::PaymentsCall::Charge;

template <class Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

// Open, with three packets of tea on the shelf.
class Shop : public ::testing::Test {
 protected:
  Shop() {
    stage_.Script<v1::PaymentsComponent>("payments");
    stage_.Add<Inventory>("inventory");
    stage_.Add<Orders>("orders", [this](auto bill, auto options) {
      return stage_.Ref<v1::PaymentsRef>("payments").Charge(bill, options);
    });
    stage_.Add<Worker>("worker");
    EXPECT_TRUE(stage_.Start().ok());
    auto delivery = inventory().Restock();
    delivery.requests.Write(FromText<v1::Box>("item { sku: 'tea' units: 3 } unit_cents: 250"));
    delivery.requests.Finish();
    EXPECT_EQ(stage_.Await(std::move(delivery.answer))->units(), 3);
  }

  v1::InventoryRef inventory() { return stage_.Ref<v1::InventoryRef>("inventory"); }
  v1::OrdersRef orders() { return stage_.Ref<v1::OrdersRef>("orders"); }
  auto WatchTea() { return inventory().WatchStock(FromText<v1::Sku>("sku: 'tea'")); }
  auto TeaLeft() {
    auto stock = WatchTea();
    return stage_.Next(stock)->units();
  }
  // Orders two, and pays.
  v1::OrderNumber Buy() {
    auto order = orders().PlaceOrder(two_);
    stage_.Take<ChargeCall>("payments").reply.Send(v1::Receipt());
    v1::OrderNumber number;
    number.set_number(stage_.Await(std::move(order))->number());
    return number;
  }
  // What becomes of a parcel at a packing station.
  absl::StatusOr<v1::Order> Pack(const v1::OrderNumber& parcel) {
    auto station = stage_.Ref<v1::WorkerRef>("worker").Pack();
    station.requests.Write(parcel);
    station.requests.Finish();
    const auto order = stage_.Next(station.answers);
    EXPECT_FALSE(stage_.Next(station.answers).has_value());
    if (!station.answers.status().ok()) return station.answers.status();
    return *order;
  }

  mainspring::testing::Stage stage_;
  const v1::PlaceOrderRequest two_ =
      FromText<v1::PlaceOrderRequest>("item { sku: 'tea' units: 2 }");
};

TEST_F(Shop, PlaceOrder_ReservesAndCharges) {
  auto order = orders().PlaceOrder(two_, {.metadata = {{"idempotency-key", "42"}}});
  auto charge = stage_.Take<ChargeCall>("payments");
  EXPECT_EQ(charge.request.cents(), 500);
  EXPECT_EQ(charge.reply.context().Metadata("idempotency-key"), "42");
  charge.reply.Send(FromText<v1::Receipt>("number: 'R1'"));
  EXPECT_EQ(stage_.Await(std::move(order))->receipt(), "R1");
  EXPECT_EQ(TeaLeft(), 1);
}

TEST_F(Shop, PlaceOrder_OfWhatThereIsNot_SaysSoToPrograms) {
  Buy();
  for (const auto* item : {"sku: 'tea' units: 2", "sku: 'coffee'"}) {
    v1::PlaceOrderRequest request;
    *request.mutable_item() = FromText<v1::Item>(item);
    const absl::Status refused = stage_.Await(orders().PlaceOrder(request)).status();
    EXPECT_EQ(mainspring::ErrorInfoOf(refused)->reason, "OUT_OF_STOCK");
  }
}

TEST_F(Shop, PlaceOrder_WherePaymentsIsAway_TriesFiveTimes) {
  auto order = orders().PlaceOrder(two_);
  absl::Status away = absl::UnavailableError("away");
  for (const int wait_ms : {100, 200, 400, 3000}) {
    if (wait_ms == 3000) mainspring::SetRetryDelay(away, absl::Seconds(3));
    stage_.Take<ChargeCall>("payments").reply.Fail(away);
    stage_.Advance(absl::Milliseconds(wait_ms - 1));
    EXPECT_THROW(stage_.Take<ChargeCall>("payments"), std::logic_error);
    stage_.Advance(absl::Milliseconds(1));
  }
  stage_.Take<ChargeCall>("payments").reply.Fail(away);
  EXPECT_EQ(stage_.Await(std::move(order)).status(), away);
}

TEST_F(Shop, PlaceOrder_WhoseCustomerLeaves_PutsTheItemBack) {
  mainspring::testing::Caller ada;
  auto order = orders().PlaceOrder(two_, {.from = ada});
  auto charge = stage_.Take<ChargeCall>("payments");
  EXPECT_EQ(TeaLeft(), 1);
  ada.Leave();
  EXPECT_TRUE(charge.reply.cancelled());
  charge.reply.Fail(absl::CancelledError());
  stage_.Settle();
  EXPECT_EQ(TeaLeft(), 3);
}

TEST_F(Shop, AwaitShipment_IsAnsweredOnceItIsPacked) {
  const v1::OrderNumber number = Buy();
  auto shipment = orders().AwaitShipment(number);
  EXPECT_TRUE(Pack(number)->shipped());
  EXPECT_TRUE(stage_.Await(std::move(shipment))->shipped());
  EXPECT_TRUE(stage_.Await(orders().AwaitShipment(number))->shipped());
}

TEST_F(Shop, AwaitShipment_IsAnsweredByTimeAndByTheDrain) {
  const v1::OrderNumber number = Buy();
  auto shipment = orders().AwaitShipment(number);
  stage_.Advance(absl::Seconds(30));
  EXPECT_FALSE(stage_.Await(std::move(shipment))->shipped());
  shipment = orders().AwaitShipment(number);
  stage_.Drain("orders");
  EXPECT_FALSE(stage_.Await(std::move(shipment))->shipped());
  EXPECT_FALSE(stage_.Await(orders().AwaitShipment(number))->shipped());
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
  EXPECT_TRUE(absl::IsNotFound(stage_.Await(orders().AwaitShipment({})).status()));
  EXPECT_TRUE(absl::IsNotFound(Pack({}).status()));
  auto stock = inventory().WatchStock({});
  EXPECT_FALSE(stage_.Next(stock).has_value());
  EXPECT_TRUE(absl::IsNotFound(stock.status()));
}

}  // namespace
}  // namespace shop
