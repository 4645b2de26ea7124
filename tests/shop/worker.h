// Worker: the packing stations.
#ifndef SHOP_WORKER_H_
#define SHOP_WORKER_H_

#include <optional>

#include "shop/v1/orders.component.pb.h"
#include "shop/v1/worker.component.pb.h"

namespace shop {

class Worker final : public v1::WorkerComponent {
 public:
  using WorkerComponent::WorkerComponent;

  absl::Status Start() override { return orders_.status(); }

  void Pack(mainspring::RequestStream<v1::OrderNumber> parcels,
            mainspring::ReplyStream<v1::Order> shipped) override {
    while (const std::optional<v1::OrderNumber> parcel = co_await parcels.Read()) {
      const auto order = co_await orders_->Ship(*parcel, {.from = shipped.context()});
      if (!order.ok()) co_return (void) shipped.Finish(order.status());
      co_await shipped.Send(*order);  // where the station has gone, so has the next parcel
    }
    shipped.Finish();
  }

 private:
  const absl::StatusOr<v1::OrdersRef> orders_ = context().Find<v1::OrdersRef>("orders");
};

}  // namespace shop

#endif  // SHOP_WORKER_H_
