#include "mainspring/server/rpc/service.h"

#include <utility>
#include <vector>

#include "mainspring/server/rpc/receivers.h"
#include "mainspring/server/rpc/rpc.h"

namespace mainspring::rpc {
namespace {

class GrpcService final : public Service {
 public:
  explicit GrpcService(const ServiceDescription& description)
      : name_(description.name), receivers_(description) {
    for (const RpcDescription& method : description.methods) {
      const int index = static_cast<int>(rpcs_.size());
      rpcs_.push_back(std::make_unique<Rpc>(service_, index, method, receivers_));
    }
  }

  const std::string& name() const override { return name_; }
  absl::Status AddComponent(std::shared_ptr<Addressee> component, Before before,
                            std::shared_ptr<Addressee> set) override {
    return receivers_.AddComponent(component, before, set);
  }
  void RemoveComponent(const std::string& component) override {
    receivers_.RemoveComponent(component);
  }
  bool is_answered() const override { return receivers_.any(); }
  absl::Status SetServicer(AnyHandler& servicer) override {
    return receivers_.SetServicer(servicer);
  }
  grpc::Service& grpc_service() override { return service_; }
  void ReservePlaces() override { reserved_ = true; }
  void Arm(Ingress& ingress) override {
    for (const std::unique_ptr<Rpc>& rpc : rpcs_) rpc->Arm(ingress, reserved_);
  }

 private:
  const std::string name_;
  Receivers receivers_;
  AsyncService service_;
  std::vector<std::unique_ptr<Rpc>> rpcs_;
  bool reserved_ = false;
};

}  // namespace

std::unique_ptr<Service> NewService(const ServiceDescription& description) {
  return std::make_unique<GrpcService>(description);
}

}  // namespace mainspring::rpc
