// Orders: takes them, has them paid, and tells when they are shipped.
#ifndef SHOP_ORDERS_H_
#define SHOP_ORDERS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "shop/v1/payments.pb.h"
#include "shop/v1/shop.component.pb.h"

namespace shop {

// A call of Payments.Charge, wherever Payments is.
using Charge =
    std::function<mainspring::Answer<v1::Receipt>(v1::ChargeRequest, mainspring::CallOptions)>;

class Orders final : public v1::OrdersComponent {
 public:
  Orders(mainspring::Context& context, Charge charge)
      : OrdersComponent(context), charge_(std::move(charge)) {}

  absl::Status Start() override {
    context().Every(absl::Seconds(30), [this] { AnswerAll(); });
    return inventory_.status();
  }
  void Draining() override { AnswerAll(); }

  void PlaceOrder(v1::PlaceOrderRequest request, mainspring::Reply<v1::Order> reply) override {
    const auto price = co_await inventory_->Reserve(request.item(), {.from = reply.context()});
    if (!price.ok()) co_return (void) reply.Fail(price.status());  // with its details
    v1::ChargeRequest bill;
    bill.set_card(request.card());
    bill.set_cents(price->cents());
    const auto receipt =
        co_await Pay(bill, {.from = reply.context(), .forward = kForwardedToPayments});
    if (!receipt.ok()) {
      inventory_->Release(request.item()).Detach();  // even where the customer has gone
      co_return (void) reply.Fail(receipt.status());
    }
    const int64_t number = orders_.size() + 1;
    v1::Order& order = orders_[number].order;
    order.set_number(number);
    *order.mutable_item() = request.item();
    order.set_receipt(receipt->number());
    reply.Send(order);
  }

  void AwaitShipment(v1::OrderNumber request, mainspring::Reply<v1::Order> reply) override {
    const auto found = orders_.find(request.number());
    if (found == orders_.end()) return (void)reply.Fail(absl::NotFoundError("no such order"));
    auto& [order, polls] = found->second;
    if (order.shipped() || context().draining()) return (void)reply.Send(order);
    polls.push_back(std::move(reply));
  }

  void Ship(v1::OrderNumber request, mainspring::Reply<v1::Order> reply) override {
    const auto found = orders_.find(request.number());
    if (found == orders_.end()) return (void)reply.Fail(absl::NotFoundError("no such order"));
    found->second.order.set_shipped(true);
    found->second.Answer();
    reply.Send(found->second.order);
  }

 private:
  struct Kept {
    v1::Order order;
    std::vector<mainspring::Reply<v1::Order>> polls;  // who awaits its shipment

    void Answer() {
      for (auto& poll : std::exchange(polls, {})) poll.Send(order);
    }
  };

  static constexpr absl::string_view kForwardedToPayments[] = {"idempotency-key"};

  // Tries up to five times while Payments is UNAVAILABLE: after the delay that it asks for, else
  // after 0.1 s, 0.2 s, 0.4 s and 0.8 s.
  mainspring::Task<absl::StatusOr<v1::Receipt>> Pay(v1::ChargeRequest bill,
                                                    mainspring::CallOptions options) {
    for (int tries = 1;; ++tries) {
      auto receipt = co_await charge_(bill, options);
      if (!absl::IsUnavailable(receipt.status()) || tries == 5) co_return receipt;
      const absl::Duration backoff = absl::Milliseconds(50 << tries);
      co_await context().Sleep(mainspring::RetryDelayOf(receipt.status()).value_or(backoff));
    }
  }

  void AnswerAll() {
    for (auto& [number, kept] : orders_) kept.Answer();
  }

  const absl::StatusOr<v1::InventoryRef> inventory_ = context().Find<v1::InventoryRef>("inventory");
  const Charge charge_;
  std::map<int64_t, Kept> orders_;  // by number
};

}  // namespace shop

#endif  // SHOP_ORDERS_H_
