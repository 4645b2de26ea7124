#include "mainspring/server/planes/served_plane.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "grpc/health/v1/health.binding.pb.h"
#include "grpc/reflection/v1/reflection.binding.pb.h"
#include "grpc/reflection/v1alpha/reflection.binding.pb.h"

namespace mainspring {

ServedPlane::ServedPlane(std::string name, const PlaneConfig& config)
    : name_(std::move(name)), config_(config) {}

absl::Status ServedPlane::Listen() {
  const auto cannot = [this](const char* what, const absl::Status& why) {
    return absl::Status(why.code(), absl::StrCat("plane \"", name_, "\": cannot ", what, " ",
                                                 std::string(why.message())));
  };
  auto listeners = rpc::Listener::Listen(config_.addresses);
  if (!listeners.ok()) return cannot("listen on", listeners.status());
  for (const int socket : config_.sockets) {
    auto adopted = rpc::Listener::Adopt(socket);
    if (!adopted.ok()) return cannot("take over", adopted.status());
    listeners->push_back(*std::move(adopted));
  }
  listeners_ = *std::move(listeners);
  return absl::OkStatus();
}

rpc::Service& ServedPlane::Add(std::unique_ptr<rpc::Service> service) {
  services_.push_back(std::move(service));
  return *services_.back();
}

rpc::Service* ServedPlane::Find(const std::string& name) const {
  const auto found = std::find_if(services_.begin(), services_.end(),
                                  [&](const auto& each) { return each->name() == name; });
  return found == services_.end() ? nullptr : found->get();
}

absl::Status ServedPlane::AddHealth(HealthServicer& health) {
  rpc::Service& service = Add(grpc::health::v1::BindHealth());
  service.ReservePlaces();
  return service.SetServicer(health);
}

absl::Status ServedPlane::AddReflection(const std::vector<std::string>& messages,
                                        size_t max_streams) {
  rpc::Service& v1 = Add(grpc::reflection::v1::BindServerReflection());
  rpc::Service& v1alpha = Add(grpc::reflection::v1alpha::BindServerReflection());
  std::vector<std::string> names = {v1.name(), v1alpha.name()};
  for (const auto& service : services_) {
    if (service.get() != &v1 && service.get() != &v1alpha) names.push_back(service->name());
  }
  reflection_ = std::make_unique<Reflection>(
      std::move(names), messages, max_streams,
      [this](const std::string& service) { return Find(service)->is_answered(); });
  absl::Status status = v1.SetServicer(reflection_->v1);
  status.Update(v1alpha.SetServicer(reflection_->v1alpha));
  return status;
}

void ServedPlane::TellWhere(rpc::Elsewhere& where) const {
  const std::string place =
      absl::StrCat("the ", name_, " plane ",
                   absl::StrJoin(listeners_, ", ", [](std::string* out, const auto& listener) {
                     absl::StrAppend(out, listener->address());
                   }));
  for (const auto& service : services_) {
    std::string& places = where[service->name()];
    absl::StrAppend(&places, places.empty() ? "" : " and ", place);
  }
}

absl::Status ServedPlane::Serve(const rpc::Plane* leader, const rpc::Elsewhere& elsewhere,
                                rpc::Acceptor& acceptor) {
  std::vector<rpc::Service*> services;
  for (const auto& service : services_) services.push_back(service.get());
  auto plane = rpc::Plane::Start(name_, std::exchange(listeners_, {}), config_.limits, services,
                                 leader, elsewhere);
  if (!plane.ok()) return plane.status();
  plane_ = *std::move(plane);
  acceptor.Add(plane_->door());
  return absl::OkStatus();
}

void ServedPlane::Abandon(SteadyTime deadline) {
  if (plane_ == nullptr) return;
  plane_->door().Close();
  plane_->Cut(absl::UnavailableError("the host has gone"));
  plane_->Shutdown(deadline);
}

void ServedPlane::LogListening(EventLog& log) const {
  if (plane_ == nullptr) return;
  for (const std::string& address : plane_->addresses()) {
    log.Info("listening", {{"plane", name_}, {"address", address}});
  }
}

}  // namespace mainspring
