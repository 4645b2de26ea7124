#include "mainspring/server/reconfigure/membership.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/answer.h"
#include "mainspring/local_call.h"
#include "mainspring/server/lifecycle/supervision.h"

namespace mainspring {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(10);
// Beside what components have to start.
constexpr absl::Duration kStartMargin = absl::Seconds(1);

// Since it joined: one that was given up on before waits for what it needs in that state.
bool HasFailed(const ComponentStatus& status) {
  if (status.last_error.empty()) return false;
  return status.state == LifecycleState::kBackoff || status.state == LifecycleState::kFailed;
}

}  // namespace

Membership::Control Membership::ControlOf(Supervision& supervision) {
  return {
      .adopt = [&supervision](
                   const std::vector<ComponentConfig>& wanted,
                   Reply<Nothing> reply) { supervision.Adopt(wanted, std::move(reply)); },
      .forget = [&supervision](
                    size_t component,
                    Reply<Nothing> reply) { supervision.Forget(component, std::move(reply)); },
      .end_thread = [&supervision](size_t component) { supervision.EndThread(component); },
      .pass = [&supervision](Reply<Nothing> reply) { supervision.Pass(std::move(reply)); },
  };
}

Membership::Membership(Context& context, const ComponentTable& table, Control control,
                       std::function<bool()> draining)
    : context_(context),
      table_(table),
      control_(std::move(control)),
      draining_(std::move(draining)) {}

Task<absl::Status> Membership::Adopt(std::vector<ComponentConfig> wanted) {
  Task<absl::Status> adopting =
      Ask([&](Reply<Nothing> reply) { control_.adopt(wanted, std::move(reply)); });
  const absl::Status adopted = co_await adopting;
  if (!adopted.ok()) co_return adopted;
  for (const size_t each : table_.numbers()) {
    const bool stays = std::any_of(wanted.begin(), wanted.end(), [&](const auto& config) {
      return config.name == table_.name(each);
    });
    if (stays) continue;
    Task<absl::Status> seeing_off = SeeOff(each);
    const absl::Status gone = co_await seeing_off;
    if (!gone.ok()) co_return gone;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> Membership::SeeOff(size_t component) {
  while (true) {
    const ComponentStatus status = table_.status(component);
    if (!status.wanted && IsDown(status.state)) break;
    if (draining_()) co_return absl::UnavailableError("the host drains");
    co_await context_.Sleep(kPoll);
  }
  Task<absl::Status> forgetting =
      Ask([&](Reply<Nothing> reply) { control_.forget(component, std::move(reply)); });
  const absl::Status forgotten = co_await forgetting;
  if (forgotten.ok()) control_.end_thread(component);
  co_return forgotten;
}

Task<absl::Status> Membership::AwaitStarted(std::vector<std::string> names) {
  absl::Duration longest = kStartMargin;
  for (const std::string& name : names) {
    longest += table_.config(table_.NumberOf(name).value()).start_timeout;
  }
  const SteadyTime deadline = After(context_.Now(), longest);
  std::vector<std::string> failed;
  for (const std::string& name : names) {
    const size_t component = table_.NumberOf(name).value();
    while (true) {
      const ComponentStatus status = table_.status(component);
      if (status.state == LifecycleState::kRunning || !status.wanted) break;
      if (HasFailed(status) || context_.Now() >= deadline) {
        if (!table_.essential(component)) break;
        failed.push_back(absl::StrCat(
            "component \"", name,
            "\" did not start: ", status.last_error.empty() ? status.reason : status.last_error));
        break;
      }
      if (draining_()) co_return absl::UnavailableError("the host drains");
      co_await context_.Sleep(kPoll);
    }
  }
  if (failed.empty()) co_return absl::OkStatus();
  co_return absl::AbortedError(absl::StrJoin(failed, "; "));
}

Task<absl::Status> Membership::Pass() { return Ask(control_.pass); }

Task<absl::Status> Membership::Ask(std::function<void(Reply<Nothing> reply)> question) {
  SharedPtr<LocalCall<Nothing>> call(new LocalCall<Nothing>(CallOptions(), "supervisor"));
  question(Reply<Nothing>(call.get()));
  Answer<Nothing> answer(std::move(call));
  const absl::StatusOr<Nothing> said = co_await std::move(answer);
  co_return said.status();
}

}  // namespace mainspring
