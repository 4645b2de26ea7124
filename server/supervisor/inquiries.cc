// The part of the supervisor that tells what there is and how it is, and ends the host.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/config/nearest_name.h"
#include "server/supervisor/describe.h"
#include "server/supervisor/page.h"
#include "server/supervisor/supervisor.h"

namespace mainspring {

namespace proto = lifecycle::v1;

namespace {

constexpr absl::Duration kDrainReport = absl::Milliseconds(100);

}  // namespace

absl::StatusOr<size_t> Supervisor::Find(const std::string& name) const {
  if (const std::optional<size_t> found = parts_.table.NumberOf(name)) return *found;
  return absl::NotFoundError(absl::StrCat(
      "no component \"", absl::CHexEscape(name.substr(0, 64)),
      "\"; there are: ", absl::StrJoin(NearestFirst(name, parts_.table.Names()), ", ")));
}

proto::Component Supervisor::DescribeOne(size_t component) const {
  proto::Component message = Describe(component, parts_.table, parts_.graph);
  message.set_restarts_left(units_[component].budget.restarts_left(context().Now()));
  return message;
}

proto::Component Supervisor::Summarize(size_t component) const {
  proto::Component message = DescribeOne(component);
  message.clear_recent_failures();
  return message;
}

void Supervisor::ListComponents(proto::ListComponentsRequest request,
                                Reply<proto::ListComponentsResponse> reply) {
  // A request may name a million.
  const std::set<int> states(request.states().begin(), request.states().end());
  const std::set<absl::string_view> types(request.types().begin(), request.types().end());
  const auto passes = [&](size_t component) {
    return (states.empty() || states.count(ToProto(state(component))) != 0) &&
           (types.empty() || types.count(parts_.table.config(component).type) != 0);
  };
  const absl::StatusOr<size_t> first = FirstOfPage(request, parts_.table);
  if (!first.ok()) return void(reply.Fail(first.status()));
  Page page(request.page_size());
  proto::ListComponentsResponse response;
  for (size_t i = *first; i < units_.size(); ++i) {
    if (!passes(i)) continue;
    proto::Component component = Summarize(i);
    if (!page.Takes(component)) {
      response.set_next_page_token(TokenOfPage(parts_.table.name(i)));
      break;
    }
    *response.add_components() = std::move(component);
  }
  proto::HostProcess& host = *response.mutable_host();
  host = DescribeProcess();
  host.set_incarnation(parts_.incarnation);
  host.set_version(parts_.version);
  *host.mutable_start_time() = ToProto(parts_.start_time);
  host.set_draining(parts_.control.draining());
  reply.Send(std::move(response));
}

void Supervisor::GetComponent(proto::GetComponentRequest request,
                              Reply<proto::GetComponentResponse> reply) {
  const absl::StatusOr<size_t> component = Find(request.name());
  if (!component.ok()) return void(reply.Fail(component.status()));
  proto::GetComponentResponse response;
  *response.mutable_component() = DescribeOne(*component);
  reply.Send(std::move(response));
}

void Supervisor::WatchComponents(proto::WatchComponentsRequest request,
                                 ReplyStream<proto::WatchComponentsResponse> replies) {
  watchers_.Add(request, std::move(replies));
}

void Supervisor::GetOperation(proto::GetOperationRequest request,
                              Reply<proto::GetOperationResponse> reply) {
  const Operation* operation = operations_.Find(request.request_id());
  if (operation == nullptr) {
    return void(reply.Fail(absl::NotFoundError(
        absl::StrCat("no operation \"", absl::CHexEscape(request.request_id().substr(0, 128)),
                     "\"; the host remembers the last thousand"))));
  }
  proto::GetOperationResponse response;
  *response.mutable_operation() = ToProto(*operation, parts_.table);
  // Equal commands that waited are one operation.
  response.mutable_operation()->set_request_id(request.request_id());
  reply.Send(std::move(response));
}

proto::DrainProgress Supervisor::Progress() const {
  proto::DrainProgress progress = parts_.control.drain_progress();
  uint64_t queued = 0;
  absl::Duration oldest;
  for (size_t i = 0; i < units_.size(); ++i) {
    const ComponentView view = parts_.table.View(i);
    queued += view.mailbox.queued_calls;
    oldest = std::max(oldest, view.oldest_call);
    if (!IsDown(view.status.state)) progress.add_components_up(view.name);
  }
  progress.set_queued_calls(queued);
  *progress.mutable_oldest_call() = ToProto(oldest);
  return progress;
}

void Supervisor::Drain(proto::DrainRequest, ReplyStream<proto::DrainResponse> replies) {
  parts_.control.drain();
  if (drain_streams_.size() >= parts_.max_watchers) {
    replies.Finish(absl::ResourceExhaustedError(
        absl::StrCat("the host drains; ", drain_streams_.size(),
                     " callers follow how far it is, and more are not accepted; use "
                     "GetDrainStatus")));
    return;
  }
  drain_streams_.push_back(std::move(replies));
  ReportDrain();
  if (!drain_timer_.has_value()) {
    drain_timer_ = context().Every(kDrainReport, [this] { ReportDrain(); });
  }
}

void Supervisor::ReportDrain() {
  proto::DrainResponse response;
  *response.mutable_progress() = Progress();
  std::erase_if(drain_streams_, [&](auto& stream) {
    // One that is full misses this report, not the next.
    return stream.Write(response) == WriteResult::kClosed;
  });
  if (drain_streams_.empty() && drain_timer_.has_value()) {
    context().Cancel(*std::exchange(drain_timer_, std::nullopt));
  }
}

void Supervisor::EndDrainStreams() {
  ReportDrain();
  for (auto& stream : drain_streams_) stream.Finish();
  drain_streams_.clear();
}

void Supervisor::GetDrainStatus(proto::GetDrainStatusRequest,
                                Reply<proto::GetDrainStatusResponse> reply) {
  proto::GetDrainStatusResponse response;
  *response.mutable_progress() = Progress();
  reply.Send(std::move(response));
}

void Supervisor::ShutdownNow(proto::ShutdownNowRequest, Reply<proto::ShutdownNowResponse> reply) {
  LogOutcome("ShutdownNow", "", "", absl::OkStatus());
  parts_.control.shut_down_now();
  reply.Send(proto::ShutdownNowResponse());
}

}  // namespace mainspring
