#include <utility>

#include "cookbook/v1/cookbook.component.pb.h"

namespace cookbook {

class Orders final : public v1::OrdersComponent {
 public:
  using OrdersComponent::OrdersComponent;

  void PlaceOrder(v1::PlaceOrderRequest request,
                  mainspring::Reply<v1::PlaceOrderResponse> reply) override {
    v1::ReserveRequest reserve;
    reserve.set_item(request.item());
    const absl::StatusOr<v1::ReserveResponse> stock =
        co_await inventory_.Reserve(reserve, {.from = reply.context()});
    if (!stock.ok()) co_return reply.Fail(stock.status());  // with its details
    v1::PlaceOrderResponse response;
    response.set_number(++last_number_);
    reply.Send(std::move(response));
  }

 private:
  const v1::InventoryRef inventory_ = context().Need<v1::InventoryRef>("inventory");
  int64_t last_number_ = 0;
};

}  // namespace cookbook
