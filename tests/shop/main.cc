// The shop as a host; Payments is elsewhere.
#include <grpcpp/create_channel.h>

#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "mainspring/host.h"
#include "mainspring/outgoing_call.h"
#include "shop.h"
#include "shop/v1/payments.grpc.pb.h"
#include "shop/v1/shop.binding.pb.h"

ABSL_FLAG(std::string, payments, "localhost:50061", "Where the payments service is.");

int main(int argc, char** argv) {
  using namespace shop::v1;
  // Each instance with a connection of its own.
  const auto new_orders = [](mainspring::Context& context) {
    const std::shared_ptr<Payments::Stub> payments = Payments::NewStub(
        grpc::CreateChannel(absl::GetFlag(FLAGS_payments), grpc::InsecureChannelCredentials()));
    return std::make_unique<shop::Orders>(context, [payments](auto bill, auto options) {
      return mainspring::CallStub(payments->async(), &Payments::Stub::async::Charge, bill, options);
    });
  };
  return mainspring::HostMain(
      argc, argv,
      {InventoryType<shop::Inventory>("inventory"),
       OrdersType<shop::Orders>("orders", new_orders).DependsOn({"inventory"}),
       WorkerType<shop::Worker>("worker").DependsOn({"orders"})});
}
