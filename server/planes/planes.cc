#include "mainspring/server/planes/planes.h"

#include <utility>

#include "mainspring/config/v1/config.binding.pb.h"
#include "mainspring/host/v1/host.pb.h"
#include "mainspring/lifecycle/v1/lifecycle.binding.pb.h"

namespace mainspring {
namespace {

// An ingress thread runs nobody's code, and is at a row of events for a millisecond.
constexpr absl::Duration kIngressStuckAfter = absl::Seconds(60);
// For calls under way when planes are abandoned.
constexpr absl::Duration kGoodbye = absl::Milliseconds(100);

// What Config sends in a google.protobuf.Any.
std::vector<std::string> SectionTypes(const std::vector<ComponentType>& types) {
  std::vector<std::string> names = {host::v1::HostConfig::descriptor()->full_name()};
  for (const ComponentType& type : types) {
    if (type.config != nullptr) names.push_back(type.config->GetDescriptor()->full_name());
  }
  return names;
}

}  // namespace

Planes::Planes(const HostConfig& config, const TimeSource& time, EventLog& log)
    : config_(config),
      time_(time),
      log_(log),
      probe_("probe", config.probe),
      admin_("admin", config.admin),
      data_("data", config.data),
      acceptor_(
          [this](bool exhausted) {
            log_.WriteLimited(exhausted ? "accept" : "accept again",
                              exhausted ? Severity::kWarning : Severity::kInfo, "accept",
                              {{"state", exhausted ? "no descriptor or place free; waiting"
                                                   : "accepting again"}});
          },
          [this](const std::string& address) {
            log_.Error("accept", {{"state", "the socket was shut down by another process; closed"},
                                  {"address", address}});
          }) {}

absl::Status Planes::Listen() {
  for (ServedPlane* plane : all()) {
    if (absl::Status listening = plane->Listen(); !listening.ok()) return listening;
  }
  return absl::OkStatus();
}

absl::Status Planes::AddServices(const std::vector<ComponentType>& types,
                                 const Supervision& supervision,
                                 const Reconfiguration& reconfiguration, HealthServicer& health) {
  absl::Status status = AddComponents(types, supervision);
  status.Update(
      admin_.Add(lifecycle::v1::BindLifecycle()).AddComponent(supervision.mailbox(), nullptr));
  status.Update(
      admin_.Add(config::v1::BindConfig()).AddComponent(reconfiguration.mailbox(), nullptr));
  for (ServedPlane* plane : all()) status.Update(plane->AddHealth(health));
  status.Update(data_.AddReflection({}, config_.max_reflection_streams));
  status.Update(admin_.AddReflection(SectionTypes(types), config_.max_reflection_streams));
  return status;
}

absl::Status Planes::AddComponents(const std::vector<ComponentType>& types,
                                   const Supervision& supervision) {
  absl::Status status;
  for (const ComponentType& type : types) {
    if (type.in_process_only) continue;
    for (const ComponentType::ServedService& served : type.services) {
      // Two types may answer the same service, each with components of its own.
      rpc::Service* service = data_.Find(served.service);
      if (service == nullptr) service = &data_.Add(served.bind());
      const ComponentTable& table = supervision.table();
      for (const size_t each : table.numbers()) {
        if (table.config(each).type != type.name) continue;
        status.Update(
            service->AddComponent(table.mailbox_of(each), type.before, table.replica_set(each)));
      }
    }
  }
  return status;
}

void Planes::AddComponent(const ComponentType& type, const std::shared_ptr<Addressee>& component,
                          const std::shared_ptr<Addressee>& set) {
  if (type.in_process_only) return;
  for (const ComponentType::ServedService& served : type.services) {
    absl::Status added = data_.Find(served.service)->AddComponent(component, type.before, set);
    // It was looked at when the host started.
    if (!added.ok()) {
      log_.Error("configuration",
                 {{"component", component->component()}, {"why", added.message()}});
    }
  }
}

void Planes::RemoveComponent(const ComponentType& type, const std::string& name) {
  if (type.in_process_only) return;
  for (const ComponentType::ServedService& served : type.services) {
    data_.Find(served.service)->RemoveComponent(name);
  }
}

absl::Status Planes::Serve(const std::vector<ComponentType>& types, const Supervision& supervision,
                           const Reconfiguration& reconfiguration, HealthServicer& health) {
  absl::Status status = AddServices(types, supervision, reconfiguration, health);
  // Not what the probe plane serves, which has nothing of its own.
  rpc::Elsewhere where;
  for (const ServedPlane* plane : {&data_, &admin_}) plane->TellWhere(where);
  for (ServedPlane* plane : all()) {
    const bool is_wanted = plane != &probe_ || plane->listens();
    if (status.ok() && is_wanted) status = plane->Serve(data_.plane(), where, acceptor_);
  }
  if (status.ok()) serve_.store(true, std::memory_order_release);
  return status;
}

void Planes::LogListening() const {
  for (const ServedPlane* plane : {&probe_, &admin_, &data_}) plane->LogListening(log_);
}

void Planes::Abandon() {
  for (ServedPlane* plane : all()) plane->StopListening();
  for (ServedPlane* plane : all()) plane->Abandon(After(time_.Now(), kGoodbye));
}

const rpc::Plane* Planes::FindStuck() const {
  if (!serve_.load(std::memory_order_acquire)) return nullptr;
  for (const ServedPlane* each : all()) {
    const rpc::Plane* const plane = each->plane();
    if (plane == nullptr) continue;
    const SteadyTime since = plane->busy_since();
    if (since != kNever && Between(since, time_.Now()) > kIngressStuckAfter) return plane;
  }
  return nullptr;
}

}  // namespace mainspring
