// Inventory: what is on the shelves, in memory.
#ifndef SHOP_INVENTORY_H_
#define SHOP_INVENTORY_H_

#include <map>
#include <string>
#include <utility>

#include "shop/v1/shop.component.pb.h"

namespace shop {

class Inventory final : public v1::InventoryComponent {
 public:
  using InventoryComponent::InventoryComponent;

  void Reserve(v1::Item item, mainspring::Reply<v1::Price> reply) override {
    const auto stock = stocks_.find(item.sku());
    if (stock == stocks_.end() || stock->second.units() < item.units()) {
      absl::Status status = absl::FailedPreconditionError("too few of " + item.sku());
      mainspring::SetErrorInfo(status, {"OUT_OF_STOCK", "shop", {{"sku", item.sku()}}});
      return (void)reply.Fail(std::move(status));
    }
    stock->second.set_units(stock->second.units() - item.units());
    v1::Price price;
    price.set_cents(item.units() * stock->second.unit_cents());
    reply.Send(std::move(price));
  }

  void Release(v1::Item item, mainspring::Reply<v1::Stock> reply) override {
    reply.Send(Put(item));
  }

  void Restock(mainspring::RequestStream<v1::Box> boxes,
               mainspring::Reply<v1::Delivery> reply) override {
    v1::Delivery delivered;
    while (const auto box = co_await boxes.Read()) {
      Put(box->item()).set_unit_cents(box->unit_cents());
      delivered.set_units(delivered.units() + box->item().units());
    }
    reply.Send(std::move(delivered));
  }

  void WatchStock(v1::Sku sku, mainspring::ReplyStream<v1::Stock> replies) override {
    const auto stock = stocks_.find(sku.sku());
    if (stock == stocks_.end()) co_return (void) replies.Finish(absl::NotFoundError("no such sku"));
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

}  // namespace shop

#endif  // SHOP_INVENTORY_H_
