#include "mainspring/server/lifecycle/describe.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_join.h"
#include "mainspring/proto_time.h"
#include "mainspring/text.h"

namespace mainspring {

namespace proto = lifecycle::v1;

proto::Component::State ToProto(LifecycleState state) {
  switch (state) {
    case LifecycleState::kStopped:
      return proto::Component::STOPPED;
    case LifecycleState::kStarting:
      return proto::Component::STARTING;
    case LifecycleState::kRunning:
      return proto::Component::RUNNING;
    case LifecycleState::kStopping:
      return proto::Component::STOPPING;
    case LifecycleState::kBackoff:
      return proto::Component::BACKOFF;
    case LifecycleState::kFailed:
      return proto::Component::FAILED;
  }
  return proto::Component::STATE_UNSPECIFIED;
}

proto::Event::Kind ToProto(TrafficChange change) {
  switch (change) {
    case TrafficChange::kPause:
      return proto::Event::PAUSE;
    case TrafficChange::kResume:
      return proto::Event::RESUME;
    case TrafficChange::kDrain:
      return proto::Event::DRAIN;
    case TrafficChange::kUndrain:
      return proto::Event::UNDRAIN;
    case TrafficChange::kUnserve:
      return proto::Event::NOT_SERVING;
    case TrafficChange::kServe:
      return proto::Event::SERVING;
    case TrafficChange::kAdd:
      return proto::Event::ADDED;
    case TrafficChange::kRemove:
      return proto::Event::REMOVED;
  }
  return proto::Event::KIND_UNSPECIFIED;
}

proto::Event ToProto(const LifecycleEvent& event) {
  proto::Event message;
  message.set_sequence(event.sequence);
  ToProto(event.time, *message.mutable_time());
  message.set_component(event.component);
  message.set_generation(event.generation);
  message.set_from(ToProto(event.from));
  message.set_to(ToProto(event.to));
  message.set_reason(event.reason);
  message.set_kind(event.traffic.has_value() ? ToProto(*event.traffic) : proto::Event::STATE);
  return message;
}

proto::Step ToProto(const Step& step, const ComponentTable& table) {
  proto::Step message;
  message.set_action(step.action == Step::Action::kStop ? proto::Step::STOP : proto::Step::START);
  message.set_component(table.name(step.component));
  message.set_done(step.done);
  return message;
}

proto::Operation ToProto(const Operation& operation, const ComponentTable& table) {
  proto::Operation message;
  message.set_request_id(operation.order.request_id);
  switch (operation.order.command) {
    case Command::kStart:
      message.set_command(proto::Operation::START);
      break;
    case Command::kStop:
      message.set_command(proto::Operation::STOP);
      break;
    case Command::kRestart:
      message.set_command(proto::Operation::RESTART);
      break;
  }
  message.set_component(table.name(operation.order.component));
  for (const Step& step : operation.steps()) *message.add_steps() = ToProto(step, table);
  ToProto(operation.start_time, *message.mutable_start_time());
  if (!operation.ended) {
    message.set_phase(proto::Operation::UNDER_WAY);
    return message;
  }
  message.set_phase(operation.status.ok() ? proto::Operation::SUCCEEDED : proto::Operation::FAILED);
  message.set_status(absl::StatusCodeToString(operation.status.code()));
  message.set_error(BoundedText(operation.status.message()));
  ToProto(operation.end_time, *message.mutable_end_time());
  message.set_generation(operation.generation);
  return message;
}

namespace {

void AddEdges(const std::vector<DependencyGraph::Edge>& edges, const ComponentTable& table,
              google::protobuf::RepeatedPtrField<proto::Dependency>& messages) {
  for (const DependencyGraph::Edge& edge : edges) {
    proto::Dependency& message = *messages.Add();
    message.set_component(table.name(edge.component));
    message.set_hard(edge.hard);
  }
}

void DescribeStatus(const ComponentStatus& status, proto::Component& message) {
  message.set_state(ToProto(status.state));
  if (status.since != absl::InfinitePast()) ToProto(status.since, *message.mutable_since());
  message.set_reason(status.reason);
  message.set_generation(status.generation);
  message.set_last_error(status.last_error);
  for (const FailureRecord& failure : status.failures) {
    proto::Failure& record = *message.add_recent_failures();
    ToProto(failure.time, *record.mutable_time());
    record.set_during(failure.during);
    record.set_error(failure.error);
    record.set_request_id(failure.request_id);
  }
  if (status.state == LifecycleState::kBackoff) {
    ToProto(status.next_restart, *message.mutable_next_restart_time());
  }
  message.set_wanted(status.wanted);
  message.set_paused(status.paused);
  message.set_draining(status.draining);
  message.set_not_serving(!status.serving);
  message.set_not_serving_reason(status.why_not_serving);
}

void DescribeMailbox(const ComponentView& view, proto::Mailbox& message) {
  message.set_queued(static_cast<uint32_t>(view.mailbox.queued_calls));
  message.set_capacity(static_cast<uint32_t>(view.mailbox_capacity));
  message.set_queued_bytes(view.mailbox.queued_bytes);
  ToProto(view.oldest_call, *message.mutable_oldest_age());
  message.set_handled(view.mailbox.handled);
  message.set_failed(view.mailbox.failed);
  message.set_rejected(view.mailbox.rejected);
  message.set_expired(view.mailbox.expired);
  message.set_cancelled(view.mailbox.cancelled);
  message.set_in_flight(view.mailbox.in_flight);
}

}  // namespace

proto::Component Describe(size_t component, const ComponentTable& table,
                          const DependencyGraph& graph) {
  const ComponentView view = table.View(component);
  proto::Component message;
  message.set_name(view.name);
  message.set_type(view.type);
  message.set_service(absl::StrJoin(view.services, ", "));
  message.set_essential(view.essential);
  DescribeStatus(view.status, message);
  AddEdges(graph.dependencies(component), table, *message.mutable_depends_on());
  AddEdges(graph.dependents(component), table, *message.mutable_dependents());
  DescribeMailbox(view, *message.mutable_mailbox());
  proto::Thread& thread = *message.mutable_thread();
  thread.set_id(view.thread_id);
  ToProto(view.cpu_time, *thread.mutable_cpu_time());
  thread.set_method(view.method);
  ToProto(view.in_method, *thread.mutable_in_method());
  thread.set_stalled(view.stalled);
  return message;
}

proto::HostProcess DescribeProcess() {
  proto::HostProcess message;
  message.set_pid(getpid());
  std::error_code ignored;
  const auto count = [&](const char* directory) {
    uint32_t entries = 0;
    for (std::filesystem::directory_iterator each(directory, ignored), end; each != end;
         each.increment(ignored)) {
      ++entries;
    }
    return entries;
  };
  message.set_threads(count("/proc/self/task"));
  // Without the one that reads the directory.
  const uint32_t descriptors = count("/proc/self/fd");
  message.set_open_descriptors(descriptors == 0 ? 0 : descriptors - 1);
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  message.set_resident_bytes(pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  return message;
}

}  // namespace mainspring
