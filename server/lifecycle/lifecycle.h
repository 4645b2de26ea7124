// Lifecycle: the component whose request enum is mainspring.lifecycle.v1.Lifecycle. It has the
// host's supervisor and gives it its thread; operators' commands become operations over it, and
// what happens becomes events for whoever watches.
#ifndef MAINSPRING_SERVER_LIFECYCLE_LIFECYCLE_H_
#define MAINSPRING_SERVER_LIFECYCLE_LIFECYCLE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/lifecycle/v1/lifecycle.component.pb.h"
#include "mainspring/server/lifecycle/command_log.h"
#include "mainspring/server/lifecycle/commands.h"
#include "mainspring/server/lifecycle/component_drains.h"
#include "mainspring/server/lifecycle/event_history.h"
#include "mainspring/server/lifecycle/host_control.h"
#include "mainspring/server/lifecycle/watchers.h"
#include "mainspring/server/supervisor/supervisor.h"

namespace mainspring {

class Lifecycle final : public lifecycle::v1::LifecycleComponent, private SupervisorObserver {
 public:
  struct Options {
    Supervisor::Options supervisor;
    HostControl host;
    // Tells this host's sequence numbers from those of its next start.
    std::string incarnation;
    std::string version;
    absl::Time start_time;
    size_t event_history;
    size_t max_watchers;
  };

  Lifecycle(Context& context, Options options);

  absl::Status Start() override;

  // Its thread only.
  Supervisor& supervisor() { return supervisor_; }
  // The host drains: what waits in paused components is served.
  void EndPauses();
  // The drain is over: ends the streams that report it.
  void EndDrainStreams();

  // The requests: see lifecycle.proto.
  void ListComponents(lifecycle::v1::ListComponentsRequest request,
                      Reply<lifecycle::v1::ListComponentsResponse> reply) override;
  void GetComponent(lifecycle::v1::GetComponentRequest request,
                    Reply<lifecycle::v1::GetComponentResponse> reply) override;
  void StartComponent(lifecycle::v1::StartComponentRequest request,
                      Reply<lifecycle::v1::StartComponentResponse> reply) override;
  void StopComponent(lifecycle::v1::StopComponentRequest request,
                     Reply<lifecycle::v1::StopComponentResponse> reply) override;
  void RestartComponent(lifecycle::v1::RestartComponentRequest request,
                        Reply<lifecycle::v1::RestartComponentResponse> reply) override;
  void PauseComponent(lifecycle::v1::PauseComponentRequest request,
                      Reply<lifecycle::v1::PauseComponentResponse> reply) override;
  void ResumeComponent(lifecycle::v1::ResumeComponentRequest request,
                       Reply<lifecycle::v1::ResumeComponentResponse> reply) override;
  void DrainComponent(lifecycle::v1::DrainComponentRequest request,
                      Reply<lifecycle::v1::DrainComponentResponse> reply) override;
  void UndrainComponent(lifecycle::v1::UndrainComponentRequest request,
                        Reply<lifecycle::v1::UndrainComponentResponse> reply) override;
  void WatchComponents(lifecycle::v1::WatchComponentsRequest request,
                       ReplyStream<lifecycle::v1::WatchComponentsResponse> replies) override;
  void GetOperation(lifecycle::v1::GetOperationRequest request,
                    Reply<lifecycle::v1::GetOperationResponse> reply) override;
  void Drain(lifecycle::v1::DrainRequest request,
             ReplyStream<lifecycle::v1::DrainResponse> replies) override;
  void GetDrainStatus(lifecycle::v1::GetDrainStatusRequest request,
                      Reply<lifecycle::v1::GetDrainStatusResponse> reply) override;
  void ShutdownNow(lifecycle::v1::ShutdownNowRequest request,
                   Reply<lifecycle::v1::ShutdownNowResponse> reply) override;

 private:
  // SupervisorObserver.
  void OnStateChange(size_t component, LifecycleState from, LifecycleChange change) override;
  void OnTrafficChange(size_t component, TrafficChange change, const std::string& why) override;
  void OnClosed(size_t component) override { drains_.OnClosed(component); }
  void OnSettled(const std::vector<size_t>& moved) override { commands_.OnSettled(moved); }
  void OnEnding() override { commands_.OnEnding(); }

  const ComponentTable& table() const { return options_.supervisor.table; }
  // The component of that name; NOT_FOUND names those that are nearest.
  absl::StatusOr<size_t> Find(const std::string& name) const;
  lifecycle::v1::Component DescribeOne(size_t component) const;
  // Without its recent failures.
  lifecycle::v1::Component Summarize(size_t component) const;
  lifecycle::v1::DrainProgress Progress() const;
  void ReportDrain();

  // lifecycle_commands.cc
  template <class Response>
  void Give(Command command, const auto& request, Reply<Response> reply);
  // The component of which calls are to be held back or not, where it has the generation that was
  // expected and is RUNNING, or `also_allowed`; logs and fails the reply where it is not.
  template <class Response>
  std::optional<size_t> FindRunning(const char* command, const auto& request,
                                    Reply<Response>& reply,
                                    bool (*also_allowed)(const ComponentStatus& status) = nullptr);
  absl::Status CheckTakesTraffic(size_t component, const auto& request,
                                 bool (*also_allowed)(const ComponentStatus& status)) const;
  template <class Response>
  void AnswerDone(const char* command, size_t component, Reply<Response>& reply);
  template <class Response>
  void Refuse(const char* command, const std::string& component, const absl::Status& why,
              Reply<Response>& reply);

  const Options options_;
  const CommandLog log_;
  EventHistory history_;
  Supervisor supervisor_;
  Commands commands_;
  ComponentDrains drains_;
  Watchers watchers_;
  std::vector<ReplyStream<lifecycle::v1::DrainResponse>> drain_streams_;
  std::optional<TimerId> drain_timer_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_LIFECYCLE_H_
