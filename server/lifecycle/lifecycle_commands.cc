// The part that operators change things with.
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/server/lifecycle/describe.h"
#include "mainspring/server/lifecycle/lifecycle.h"
#include "mainspring/server/lifecycle/request_id.h"

namespace mainspring {

namespace proto = lifecycle::v1;

template <class Response>
void Lifecycle::Refuse(const char* command, const std::string& component, const absl::Status& why,
                       Reply<Response>& reply) {
  log_.Write(command, component, "", why);
  reply.Fail(why);
}

template <class Response>
void Lifecycle::AnswerDone(const char* command, size_t component, Reply<Response>& reply) {
  log_.Write(command, table().name(component), "", absl::OkStatus());
  Response response;
  *response.mutable_component() = DescribeOne(component);
  reply.Send(std::move(response));
}

template <class Response>
void Lifecycle::Give(Command command, const auto& request, Reply<Response> reply) {
  const absl::StatusOr<size_t> component = Find(request.name());
  absl::Status valid = component.status();
  valid.Update(CheckRequestId(request.request_id()));
  if (!valid.ok()) {
    log_.Write(Name(command), request.name(), request.request_id(), valid);
    return void(reply.Fail(valid));
  }
  Order order{command,      *component,        request.request_id(),
              std::nullopt, request.dry_run(), request.cascade()};
  if (request.has_expected_generation()) order.expected_generation = request.expected_generation();
  const uint64_t caller = commands_.NewCaller();
  reply.OnCancel([this, caller] { commands_.Leave(caller); });
  commands_.Submit(
      std::move(order), caller,
      [this, request_id = request.request_id(),
       reply = std::move(reply)](const Operation& operation) mutable {
        if (!operation.status.ok()) return void(reply.Fail(OwnCopy(operation.status)));
        Response response;
        // It may be the answer to another command as well, which asked for the same.
        response.set_request_id(request_id.empty() ? operation.order.request_id : request_id);
        for (const Step& step : operation.steps()) *response.add_steps() = ToProto(step, table());
        *response.mutable_component() = DescribeOne(operation.order.component);
        reply.Send(std::move(response));
      });
}

void Lifecycle::StartComponent(proto::StartComponentRequest request,
                               Reply<proto::StartComponentResponse> reply) {
  Give(Command::kStart, request, std::move(reply));
}

void Lifecycle::StopComponent(proto::StopComponentRequest request,
                              Reply<proto::StopComponentResponse> reply) {
  Give(Command::kStop, request, std::move(reply));
}

void Lifecycle::RestartComponent(proto::RestartComponentRequest request,
                                 Reply<proto::RestartComponentResponse> reply) {
  Give(Command::kRestart, request, std::move(reply));
}

template <class Response>
std::optional<size_t> Lifecycle::FindRunning(const char* command, const auto& request,
                                             Reply<Response>& reply,
                                             bool (*also_allowed)(const ComponentStatus& status)) {
  const absl::StatusOr<size_t> component = Find(request.name());
  absl::Status takes = component.status();
  if (takes.ok()) takes = CheckTakesTraffic(*component, request, also_allowed);
  if (takes.ok()) return *component;
  Refuse(command, request.name(), takes, reply);
  return std::nullopt;
}

absl::Status Lifecycle::CheckTakesTraffic(
    size_t component, const auto& request,
    bool (*also_allowed)(const ComponentStatus& status)) const {
  absl::Status takes = commands_.CheckObeys();
  takes.Update(supervisor_.CheckStays(component));
  if (request.has_expected_generation()) {
    takes.Update(commands_.CheckGeneration(component, request.expected_generation()));
  }
  if (!takes.ok()) return takes;
  const ComponentStatus& status = supervisor_.status(component);
  if (status.state == LifecycleState::kRunning ||
      (also_allowed != nullptr && also_allowed(status))) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat("component \"", request.name(), "\" is ",
                                                    Name(status.state), ": ", status.reason,
                                                    "; this is for one that is RUNNING"));
}

void Lifecycle::PauseComponent(proto::PauseComponentRequest request,
                               Reply<proto::PauseComponentResponse> reply) {
  constexpr char kCommand[] = "PauseComponent";
  const std::optional<size_t> component = FindRunning(kCommand, request, reply);
  if (!component.has_value()) return;
  if (drains_.IsAwaited(*component)) {
    return Refuse(
        kCommand, request.name(),
        absl::FailedPreconditionError(absl::StrCat(
            "component \"", request.name(), "\" is draining, and somebody waits for its queue")),
        reply);
  }
  supervisor_.Pause(*component, "asked to pause");
  AnswerDone(kCommand, *component, reply);
}

void Lifecycle::ResumeComponent(proto::ResumeComponentRequest request,
                                Reply<proto::ResumeComponentResponse> reply) {
  constexpr char kCommand[] = "ResumeComponent";
  const std::optional<size_t> component = FindRunning(kCommand, request, reply);
  if (!component.has_value()) return;
  supervisor_.Resume(*component, "asked to resume");
  AnswerDone(kCommand, *component, reply);
}

void Lifecycle::DrainComponent(proto::DrainComponentRequest request,
                               Reply<proto::DrainComponentResponse> reply) {
  const std::optional<size_t> component = FindRunning(ComponentDrains::kCommand, request, reply);
  if (!component.has_value()) return;
  absl::Status admitted = drains_.Admit(*component);
  if (supervisor_.status(*component).paused) {
    admitted = absl::FailedPreconditionError(absl::StrCat(
        "component \"", request.name(), "\" is paused, so its queue stays; resume it first"));
  }
  if (!admitted.ok()) {
    return Refuse(ComponentDrains::kCommand, request.name(), admitted, reply);
  }
  drains_.Add(*component, std::move(reply));
  supervisor_.Drain(*component, "asked to drain");
}

// A drain outlasts failures, and ends when somebody says so: also of one that does not run.
void Lifecycle::UndrainComponent(proto::UndrainComponentRequest request,
                                 Reply<proto::UndrainComponentResponse> reply) {
  constexpr char kCommand[] = "UndrainComponent";
  const std::optional<size_t> component = FindRunning(
      kCommand, request, reply, [](const ComponentStatus& status) { return status.draining; });
  if (!component.has_value()) return;
  supervisor_.Undrain(*component, "asked to undrain");
  AnswerDone(kCommand, *component, reply);
}

}  // namespace mainspring
