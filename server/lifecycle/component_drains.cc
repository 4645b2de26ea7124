#include "mainspring/server/lifecycle/component_drains.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/return_address.h"
#include "mainspring/server/lifecycle/operations.h"

namespace mainspring {
namespace {

// How often a component is asked whether it is done.
constexpr absl::Duration kPoll = absl::Milliseconds(10);

}  // namespace

ComponentDrains::ComponentDrains(Context& context, const Supervisor& supervisor,
                                 const ComponentTable& table, CommandLog log, DescribeOne describe)
    : context_(context),
      supervisor_(supervisor),
      table_(table),
      log_(log),
      describe_(std::move(describe)) {}

absl::Status ComponentDrains::Admit(size_t component) {
  std::vector<DrainReply>& replies = waits_[component].replies;
  std::erase_if(replies, [](const auto& each) { return each.cancelled(); });
  if (replies.size() < Operations::kMostCallers) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(replies.size(), " callers wait for the drain of \"", table_.name(component),
                   "\", and more are not accepted; ask GetComponent how far it is"));
}

void ComponentDrains::Add(size_t component, DrainReply reply) {
  waits_[component].replies.push_back(std::move(reply));
}

void ComponentDrains::OnClosed(size_t component) {
  Wait& wait = waits_[component];
  if (wait.asking == 0) AskWhetherDrained(component, wait.asking = ++last_asking_);
}

// Asked on the component's own thread, between two calls, where its counts are exact.
void ComponentDrains::AskWhetherDrained(size_t component, uint64_t asking) {
  Wait& wait = waits_[component];
  if (wait.asking != asking) return;
  std::erase_if(wait.replies, [](const auto& reply) { return reply.cancelled(); });
  if (wait.replies.empty()) {
    wait.asking = 0;
    return;
  }
  MailboxBase& mailbox = table_.mailbox(component);
  const ReturnAddress here = ReturnAddress::Current();
  mailbox.Post(supervisor_.status(component).generation, [this, component, asking, &mailbox, here] {
    const MailboxStats stats = mailbox.stats();
    const bool drained = stats.queued_calls == 0 && stats.in_flight == 0;
    here.Post([this, component, asking, drained] { OnAsked(component, asking, drained); });
  });
}

void ComponentDrains::OnAsked(size_t component, uint64_t asking, bool drained) {
  Wait& wait = waits_[component];
  if (wait.asking != asking) return;
  if (!drained) {
    context_.After(kPoll, [this, component, asking] { AskWhetherDrained(component, asking); });
    return;
  }
  wait.asking = 0;
  for (DrainReply& reply : std::exchange(wait.replies, {})) {
    lifecycle::v1::DrainComponentResponse response;
    *response.mutable_component() = describe_(component);
    reply.Send(std::move(response));
  }
  log_.Write(kCommand, table_.name(component), "", absl::OkStatus());
}

void ComponentDrains::Abort(size_t component, const char* why) {
  Wait& wait = waits_[component];
  wait.asking = 0;
  if (wait.replies.empty()) return;
  const absl::Status aborted =
      absl::AbortedError(absl::StrCat("component \"", table_.name(component), "\" ", why));
  for (DrainReply& reply : std::exchange(wait.replies, {})) reply.Fail(aborted);
  log_.Write(kCommand, table_.name(component), "", aborted);
}

}  // namespace mainspring
