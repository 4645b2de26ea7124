// The shop: what is on the shelves, who buys it, and who packs it.
#ifndef SHOP_SHOP_H_
#define SHOP_SHOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "shop/v1/payments.pb.h"
#include "shop/v1/shop.component.pb.h"

namespace shop {

using mainspring::Answer, mainspring::CallOptions, mainspring::Task;
using mainspring::Reply, mainspring::ReplyStream, mainspring::RequestStream;

class Inventory final : public v1::InventoryComponent {
 public:
  using InventoryComponent::InventoryComponent;

  void Reserve(v1::Item item, Reply<v1::Price> reply) override {
    const auto stock = stocks_.find(item.sku());
    if (stock == stocks_.end() || stock->second.units() < item.units()) {
      return reply.Fail(mainspring::WithErrorInfo(
          absl::FailedPreconditionError("too few of " + item.sku()), {"OUT_OF_STOCK", "shop"}));
    }
    stock->second.set_units(stock->second.units() - item.units());
    v1::Price price;
    price.set_cents(item.units() * stock->second.unit_cents());
    reply.Send(std::move(price));
  }

  void Release(v1::Item item, Reply<v1::Stock> reply) override { reply.Send(Put(item)); }

  void Restock(RequestStream<v1::Box> boxes, Reply<v1::Delivery> reply) override {
    v1::Delivery delivered;
    while (const auto box = co_await boxes.Read()) {
      Put(box->item()).set_unit_cents(box->unit_cents());
      delivered.set_units(delivered.units() + box->item().units());
    }
    reply.Send(std::move(delivered));
  }

  void WatchStock(v1::Sku sku, ReplyStream<v1::Stock> replies) override {
    const auto stock = stocks_.find(sku.sku());
    if (stock == stocks_.end()) co_return replies.Finish(absl::NotFoundError("no such sku"));
    while (co_await replies.Send(stock->second)) co_await context().Sleep(absl::Seconds(1));
  }

 private:
  v1::Stock& Put(const v1::Item& item) {
    v1::Stock& stock = stocks_[item.sku()];
    stock.set_units(stock.units() + item.units());
    return stock;
  }

  std::map<std::string, v1::Stock> stocks_;  // by sku
};

// A call of Payments.Charge, wherever Payments is.
using Charge = std::function<Answer<v1::Receipt>(v1::ChargeRequest, CallOptions)>;

class Orders final : public v1::OrdersComponent {
 public:
  Orders(mainspring::Context& context, Charge charge)
      : OrdersComponent(context), charge_(std::move(charge)) {
    context.Every(absl::Seconds(30), [this] { AnswerPolls(); });
  }
  void Draining() override { AnswerPolls(); }

  void PlaceOrder(v1::PlaceOrderRequest request, Reply<v1::Order> reply) override {
    const auto price = co_await inventory_.Reserve(request.item(), {.from = reply.context()});
    if (!price.ok()) co_return reply.Fail(price.status());  // with its details
    v1::ChargeRequest bill;
    bill.set_card(request.card());
    bill.set_cents(price->cents());
    const auto receipt = co_await Pay(bill, {.from = reply.context(), .forward = kForPayments});
    if (!receipt.ok()) {
      inventory_.Release(request.item()).Detach();  // even where the customer has gone
      co_return reply.Fail(receipt.status());
    }
    v1::Order order;
    order.set_number(static_cast<int64_t>(orders_.size() + 1));
    *order.mutable_item() = request.item();
    order.set_receipt(receipt->number());
    orders_[order.number()] = order;
    reply.Send(std::move(order));
  }

  void AwaitShipment(v1::OrderNumber request, Reply<v1::Order> reply) override {
    const auto order = orders_.find(request.number());
    if (order == orders_.end()) return reply.Fail(absl::NotFoundError("no such order"));
    if (order->second.shipped()) return reply.Send(order->second);
    if (context().draining()) return reply.Fail(absl::UnavailableError("the shop closes"));
    polls_.emplace(request.number(), std::move(reply));
  }

  void Ship(v1::OrderNumber request, Reply<v1::Order> reply) override {
    const auto order = orders_.find(request.number());
    if (order == orders_.end()) return reply.Fail(absl::NotFoundError("no such order"));
    order->second.set_shipped(true);
    reply.Send(order->second);
    auto [poll, end] = polls_.equal_range(request.number());
    for (; poll != end; poll = polls_.erase(poll)) poll->second.Send(order->second);
  }

 private:
  static constexpr absl::string_view kForPayments[] = {"idempotency-key"};

  // Tries up to five times while Payments is UNAVAILABLE: after the delay that it asks for, else
  // after 0.1 s, 0.2 s, 0.4 s and 0.8 s.
  Task<absl::StatusOr<v1::Receipt>> Pay(v1::ChargeRequest bill, CallOptions options) {
    for (int tries = 1;; ++tries) {
      auto receipt = co_await charge_(bill, options);
      if (!absl::IsUnavailable(receipt.status()) || tries == 5) co_return receipt;
      const absl::Duration backoff = absl::Milliseconds(50 << tries);
      co_await context().Sleep(mainspring::RetryDelayOf(receipt.status()).value_or(backoff));
    }
  }

  void AnswerPolls() {
    for (auto& [number, poll] : std::exchange(polls_, {})) poll.Send(orders_[number]);
  }

  const v1::InventoryRef inventory_ = context().Need<v1::InventoryRef>("inventory");
  const Charge charge_;
  std::map<int64_t, v1::Order> orders_;             // by number
  std::multimap<int64_t, Reply<v1::Order>> polls_;  // who awaits its shipment
};

class Worker final : public v1::WorkerComponent {
 public:
  using WorkerComponent::WorkerComponent;

  void Pack(RequestStream<v1::OrderNumber> parcels, ReplyStream<v1::Order> shipped) override {
    while (const auto parcel = co_await parcels.Read()) {
      const auto order = co_await orders_.Ship(*parcel, {.from = shipped.context()});
      if (!order.ok()) co_return shipped.Finish(order.status());
      co_await shipped.Send(*order);  // once the station has gone, Read ends the loop
    }
    shipped.Finish();
  }

 private:
  const v1::OrdersRef orders_ = context().Need<v1::OrdersRef>("orders");
};

}  // namespace shop

#endif  // SHOP_SHOP_H_
