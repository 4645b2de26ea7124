// TrialPlane: one plane that serves Trial, with its acceptor and its components, and no host.
#ifndef MAINSPRING_TESTS_SERVER_RPC_TRIAL_PLANE_H_
#define MAINSPRING_TESTS_SERVER_RPC_TRIAL_PLANE_H_

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/component_thread.h"
#include "mainspring/server/lifecycle/supervision.h"
#include "mainspring/server/observe/event_log.h"
#include "mainspring/server/rpc/acceptor.h"
#include "mainspring/server/rpc/plane.h"
#include "mainspring/trial/v1/trial.binding.pb.h"
#include "tests/server/hooked_type.h"
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

inline constexpr char kEcho[] = "/mainspring.trial.v1.Trial/Echo";

// A servicer that answers Echo.
struct Echoing final : Handler<trial::v1::TrialRequest> {
  void Handle(trial::v1::TrialRequest&& request) override { AnswerEcho(std::move(request)); }
};

class TrialPlane {
 public:
  static constexpr char kAnyPort[] = "127.0.0.1:0";

  // Components of `type` answer.
  explicit TrialPlane(const ComponentType& type, rpc::PlaneLimits limits = {},
                      const std::vector<ComponentConfig>& components = {Named("trial")},
                      const std::string& address = kAnyPort)
      : TrialPlane() {
    Supervise(type, components);
    StartPlane(limits, nullptr, address);
  }

  // A servicer answers, on the ingress thread.
  explicit TrialPlane(AnyHandler& servicer, const rpc::Plane* leader = nullptr,
                      rpc::PlaneLimits limits = {}, const std::string& address = kAnyPort)
      : TrialPlane() {
    MustBeOk(service_->SetServicer(servicer));
    StartPlane(limits, leader, address);
  }

  ~TrialPlane() {
    Cut();
    Shutdown();
    if (supervision_ != nullptr) supervision_->Stop();
  }

  // A connection of its own each.
  std::unique_ptr<trial::v1::Trial::Stub> NewStub(const grpc::ChannelArguments& arguments = {}) {
    return trial::v1::Trial::NewStub(ConnectTo(address(), arguments));
  }

  const std::string& address() const { return plane_->addresses().front(); }
  rpc::Plane& plane() { return *plane_; }

  size_t Cut() { return shut_ ? 0 : plane_->Cut(absl::UnavailableError("cut by the test")); }
  void Shutdown(absl::Duration limit = absl::Seconds(1)) {
    if (!std::exchange(shut_, true)) plane_->Shutdown(Soon(limit));
  }

 private:
  TrialPlane() : service_(trial::v1::BindTrial()) {}

  void Supervise(const ComponentType& type, const std::vector<ComponentConfig>& configs) {
    std::vector<SupervisedComponent> components;
    for (const ComponentConfig& config : configs) {
      components.push_back({config,
                            {type.services[0].service},
                            type.make,
                            type.make_mailbox(config.name, config.mailbox, TimeSource::Real())});
      MustBeOk(service_->AddComponent(components.back().mailbox, type.before));
    }
    SupervisionOptions options;
    options.log = &log_;
    options.random = [] { return 0.5; };
    options.launch = ComponentThread::Start;
    options.on_supervisor_failure = [](const std::string& what) { throw std::logic_error(what); };
    auto supervision = Supervision::Launch(std::move(components), std::move(options));
    MustBeOk(supervision.status());
    supervision_ = *std::move(supervision);
  }

  void StartPlane(const rpc::PlaneLimits& limits, const rpc::Plane* leader,
                  const std::string& address) {
    auto listeners = rpc::Listener::Listen(address);
    MustBeOk(listeners.status());
    auto plane = rpc::Plane::Start("data", *std::move(listeners), limits, {service_.get()}, leader);
    MustBeOk(plane.status());
    plane_ = *std::move(plane);
    acceptor_.Add(plane_->door());
    MustBeOk(acceptor_.Start());
    if (supervision_ != nullptr) MustBeOk(supervision_->Start());
  }

  EventLog log_;
  std::unique_ptr<rpc::Service> service_;
  std::unique_ptr<rpc::Plane> plane_;
  // After the plane, and so gone before it: what its components still hold belongs to the plane.
  std::unique_ptr<Supervision> supervision_;
  rpc::Acceptor acceptor_{[](bool) {}};
  bool shut_ = false;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_RPC_TRIAL_PLANE_H_
