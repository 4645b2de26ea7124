// The part that tells what there is and how it is, and ends the host.
#include "mainspring/server/lifecycle/lifecycle.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/proto_time.h"
#include "mainspring/server/config/nearest_name.h"
#include "mainspring/server/lifecycle/describe.h"
#include "mainspring/server/lifecycle/page.h"

namespace mainspring {

namespace proto = lifecycle::v1;

namespace {

constexpr absl::Duration kDrainReport = absl::Milliseconds(100);

}  // namespace

Lifecycle::Lifecycle(Context& context, Options options)
    : LifecycleComponent(context),
      options_(std::move(options)),
      log_(options_.supervisor.log),
      history_(options_.event_history),
      supervisor_(context, options_.supervisor, *this),
      commands_(context, supervisor_, log_, options_.incarnation, options_.host.draining),
      drains_(context, supervisor_, table(), log_,
              [this](size_t component) { return DescribeOne(component); }),
      watchers_(
          history_, options_.incarnation, options_.max_watchers,
          [this] { return this->context().Now(); },
          [this] {
            std::vector<proto::Component> components;
            for (const size_t each : table().numbers()) components.push_back(Summarize(each));
            return components;
          }) {}

absl::Status Lifecycle::Start() {
  supervisor_.Begin();
  return absl::OkStatus();
}

void Lifecycle::EndPauses() {
  for (const size_t each : table().numbers()) supervisor_.Resume(each, "the host drains");
}

void Lifecycle::OnStateChange(size_t component, LifecycleState from, LifecycleChange change) {
  const ComponentStatus& status = supervisor_.status(component);
  history_.Add({0, status.since, table().name(component), status.generation, from, status.state,
                status.reason});
  if (from == LifecycleState::kRunning) {
    drains_.Abort(component, status.state == LifecycleState::kBackoff
                                 ? "failed meanwhile; it stays drained, so ask again"
                                 : "is no longer draining");
  }
  commands_.OnStateChange(component, change);
  watchers_.Publish();
}

void Lifecycle::OnTrafficChange(size_t component, TrafficChange change, const std::string& why) {
  const ComponentStatus& status = supervisor_.status(component);
  history_.Add({0, context().WallNow(), table().name(component), status.generation, status.state,
                status.state, why, change});
  watchers_.Publish();
  if (change == TrafficChange::kUndrain) drains_.Abort(component, "is no longer draining");
}

absl::StatusOr<size_t> Lifecycle::Find(const std::string& name) const {
  if (const std::optional<size_t> found = table().NumberOf(name)) return *found;
  // Several are found by one name where calls go.
  if (table().Find(name) != nullptr) {
    return absl::NotFoundError(absl::StrCat(
        "\"", name, "\" has several replicas; name one: ", absl::StrJoin(table().Names(), ", ")));
  }
  return absl::NotFoundError(
      absl::StrCat("no component \"", absl::CHexEscape(name.substr(0, 64)),
                   "\"; there are: ", absl::StrJoin(NearestFirst(name, table().Names()), ", ")));
}

proto::Component Lifecycle::DescribeOne(size_t component) const {
  proto::Component message = Describe(component, table(), supervisor_.engine().graph());
  message.set_restarts_left(supervisor_.engine().restarts_left(component, context().Now()));
  return message;
}

proto::Component Lifecycle::Summarize(size_t component) const {
  proto::Component message = DescribeOne(component);
  message.clear_recent_failures();
  return message;
}

void Lifecycle::ListComponents(proto::ListComponentsRequest request,
                               Reply<proto::ListComponentsResponse> reply) {
  // A request may name a million.
  const std::set<int> states(request.states().begin(), request.states().end());
  const std::set<absl::string_view> types(request.types().begin(), request.types().end());
  const auto passes = [&](size_t component) {
    return table().is_here(component) &&
           (states.empty() || states.count(ToProto(supervisor_.status(component).state)) != 0) &&
           (types.empty() || types.count(table().config(component).type) != 0);
  };
  const absl::StatusOr<size_t> first = FirstOfPage(request, table());
  if (!first.ok()) return void(reply.Fail(first.status()));
  Page page(request.page_size());
  proto::ListComponentsResponse response;
  for (size_t i = *first; i < table().size(); ++i) {
    if (!passes(i)) continue;
    proto::Component component = Summarize(i);
    if (!page.Takes(component)) {
      response.set_next_page_token(TokenOfPage(table().name(i)));
      break;
    }
    *response.add_components() = std::move(component);
  }
  proto::HostProcess& host = *response.mutable_host();
  host = DescribeProcess();
  host.set_incarnation(options_.incarnation);
  host.set_version(options_.version);
  ToProto(options_.start_time, *host.mutable_start_time());
  host.set_draining(options_.host.draining());
  reply.Send(std::move(response));
}

void Lifecycle::GetComponent(proto::GetComponentRequest request,
                             Reply<proto::GetComponentResponse> reply) {
  const absl::StatusOr<size_t> component = Find(request.name());
  if (!component.ok()) return void(reply.Fail(component.status()));
  proto::GetComponentResponse response;
  *response.mutable_component() = DescribeOne(*component);
  reply.Send(std::move(response));
}

void Lifecycle::WatchComponents(proto::WatchComponentsRequest request,
                                ReplyStream<proto::WatchComponentsResponse> replies) {
  watchers_.Add(request, std::move(replies));
}

void Lifecycle::GetOperation(proto::GetOperationRequest request,
                             Reply<proto::GetOperationResponse> reply) {
  const Operation* operation = commands_.Find(request.request_id());
  if (operation == nullptr) {
    return void(reply.Fail(absl::NotFoundError(
        absl::StrCat("no operation \"", absl::CHexEscape(request.request_id().substr(0, 128)),
                     "\"; the host remembers the last thousand"))));
  }
  proto::GetOperationResponse response;
  *response.mutable_operation() = ToProto(*operation, table());
  // Equal commands that waited are one operation.
  response.mutable_operation()->set_request_id(request.request_id());
  reply.Send(std::move(response));
}

proto::DrainProgress Lifecycle::Progress() const {
  proto::DrainProgress progress = options_.host.drain_progress();
  uint64_t queued = 0;
  absl::Duration oldest;
  for (const ComponentView& view : table().Views()) {
    queued += view.mailbox.queued_calls;
    oldest = std::max(oldest, view.oldest_call);
    if (!IsDown(view.status.state)) progress.add_components_up(view.name);
  }
  progress.set_queued_calls(queued);
  ToProto(oldest, *progress.mutable_oldest_call());
  return progress;
}

void Lifecycle::Drain(proto::DrainRequest, ReplyStream<proto::DrainResponse> replies) {
  options_.host.drain();
  if (drain_streams_.size() >= options_.max_watchers) {
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

void Lifecycle::ReportDrain() {
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

void Lifecycle::EndDrainStreams() {
  ReportDrain();
  for (auto& stream : drain_streams_) stream.Finish();
  drain_streams_.clear();
}

void Lifecycle::GetDrainStatus(proto::GetDrainStatusRequest,
                               Reply<proto::GetDrainStatusResponse> reply) {
  proto::GetDrainStatusResponse response;
  *response.mutable_progress() = Progress();
  reply.Send(std::move(response));
}

void Lifecycle::ShutdownNow(proto::ShutdownNowRequest, Reply<proto::ShutdownNowResponse> reply) {
  log_.Write("ShutdownNow", "", "", absl::OkStatus());
  options_.host.shut_down_now();
  reply.Send(proto::ShutdownNowResponse());
}

}  // namespace mainspring
