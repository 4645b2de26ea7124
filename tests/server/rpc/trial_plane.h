// TrialPlane: one plane that serves Trial, with its acceptor and its components, and no host.
#ifndef MAINSPRING_TESTS_SERVER_RPC_TRIAL_PLANE_H_
#define MAINSPRING_TESTS_SERVER_RPC_TRIAL_PLANE_H_

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/trial/v1/trial.binding.pb.h"
#include "server/observe/event_log.h"
#include "server/rpc/acceptor.h"
#include "server/rpc/plane.h"
#include "server/supervisor/supervisor.h"
#include "tests/server/hooked_component.h"
#include "tests/server/trial_client.h"

namespace mainspring::testing {

inline ComponentConfig Named(const std::string& name) {
  ComponentConfig config;
  config.name = name;
  config.type = "trial";
  return config;
}

inline void MustBeOk(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

class TrialPlane {
 public:
  // Components of `type` answer.
  explicit TrialPlane(const ComponentType& type, rpc::PlaneLimits limits = {},
                      const std::vector<ComponentConfig>& components = {Named("trial")})
      : TrialPlane() {
    for (const ComponentConfig& component : components) {
      MustBeOk(supervisor_.Add(component, type));
      MustBeOk(service_->AddComponent(supervisor_.Find(component.name)));
    }
    StartPlane(limits);
  }

  // A servicer answers, on the ingress thread.
  explicit TrialPlane(AnyHandler& servicer, const rpc::Plane* leader = nullptr) : TrialPlane() {
    MustBeOk(service_->SetServicer(servicer));
    StartPlane({}, leader);
  }

  ~TrialPlane() {
    Cut();
    Shutdown();
    supervisor_.Stop();
  }

  // A connection of its own each.
  std::unique_ptr<trial::v1::Trial::Stub> NewStub(const grpc::ChannelArguments& arguments = {}) {
    return trial::v1::Trial::NewStub(ConnectTo(address(), arguments));
  }

  const std::string& address() const { return plane_->addresses().front(); }
  rpc::Plane& plane() { return *plane_; }
  Supervisor& supervisor() { return supervisor_; }

  size_t Cut() { return shut_ ? 0 : plane_->Cut(absl::UnavailableError("cut by the test")); }
  void Shutdown() {
    if (!std::exchange(shut_, true)) plane_->Shutdown(Soon(absl::Seconds(1)));
  }

 private:
  TrialPlane() : service_(trial::v1::BindTrial()), supervisor_(TimeSource::Real(), log_, [] {}) {}

  void StartPlane(const rpc::PlaneLimits& limits, const rpc::Plane* leader = nullptr) {
    auto listeners = rpc::Listener::Listen("127.0.0.1:0");
    MustBeOk(listeners.status());
    auto plane = rpc::Plane::Start("data", *std::move(listeners), limits, {service_.get()}, leader);
    MustBeOk(plane.status());
    plane_ = *std::move(plane);
    acceptor_.Add(plane_->door());
    MustBeOk(acceptor_.Start());
    MustBeOk(supervisor_.Start());
  }

  EventLog log_;
  std::unique_ptr<rpc::Service> service_;
  std::unique_ptr<rpc::Plane> plane_;
  // After the plane, and so gone before it: what its components still hold belongs to the plane.
  Supervisor supervisor_;
  rpc::Acceptor acceptor_{[](bool) {}};
  bool shut_ = false;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_RPC_TRIAL_PLANE_H_
