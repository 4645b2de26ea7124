// Worker: the packing stations.
#ifndef SHOP_WORKER_H_
#define SHOP_WORKER_H_

#include "shop/v1/shop.component.pb.h"

namespace shop {

class Worker final : public v1::WorkerComponent {
 public:
  using WorkerComponent::WorkerComponent;

  absl::Status Start() override { return orders_.status(); }

  void Pack(mainspring::RequestStream<v1::OrderNumber> parcels,
            mainspring::ReplyStream<v1::Order> shipped) override {
    while (const auto parcel = co_await parcels.Read()) {
      const auto order = co_await orders_->Ship(*parcel, {.from = shipped.context()});
      if (!order.ok()) co_return (void) shipped.Finish(order.status());
      co_await shipped.Send(*order);  // once the station has gone, Read ends the loop
    }
    shipped.Finish();
  }

 private:
  const absl::StatusOr<v1::OrdersRef> orders_ = context().Find<v1::OrdersRef>("orders");
};

}  // namespace shop

#endif  // SHOP_WORKER_H_
