// The shop as a host; Payments is elsewhere.
#include <grpcpp/create_channel.h>

#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "inventory.h"
#include "mainspring/host.h"
#include "mainspring/outgoing_call.h"
#include "orders.h"
#include "shop/v1/payments.grpc.pb.h"
#include "shop/v1/shop.binding.pb.h"
#include "worker.h"

ABSL_FLAG(std::string, payments, "localhost:50061", "Where the payments service is.");

namespace {

using shop::v1::Payments;

// An instance of Orders, with a connection of its own.
std::unique_ptr<shop::Orders> NewOrders(mainspring::Context& context) {
  const std::shared_ptr<Payments::Stub> payments = Payments::NewStub(
      grpc::CreateChannel(absl::GetFlag(FLAGS_payments), grpc::InsecureChannelCredentials()));
  return std::make_unique<shop::Orders>(context, [payments](auto bill, auto options) {
    return mainspring::CallStub(payments->async(), &Payments::Stub::async::Charge, bill, options);
  });
}

}  // namespace

int main(int argc, char** argv) {
  return mainspring::HostMain(argc, argv,
                              {shop::v1::InventoryType<shop::Inventory>("inventory"),
                               shop::v1::OrdersType<shop::Orders>("orders", NewOrders),
                               shop::v1::WorkerType<shop::Worker>("worker")},
                              [](mainspring::HostConfig& config) {
                                config.Find("orders")->depends_on = {{"inventory"}};
                                config.Find("worker")->depends_on = {{"orders"}};
                              });
}
