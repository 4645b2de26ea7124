#include "mainspring/server/reconfigure/roster.h"

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

// What the supervisor is asked, and its answer to come.
struct Question {
  SharedPtr<LocalCall<Nothing>> call{new LocalCall<Nothing>(CallOptions(), "supervisor")};
  Reply<Nothing> reply() { return Reply<Nothing>(call.get()); }
  Answer<Nothing> answer() { return Answer<Nothing>(std::move(call)); }
};

// Since it joined: one that was given up on before waits for what it needs in that state.
bool HasFailed(const ComponentStatus& status) {
  if (status.last_error.empty()) return false;
  return status.state == LifecycleState::kBackoff || status.state == LifecycleState::kFailed;
}

}  // namespace

Roster::Control Roster::ControlOf(Supervision& supervision) {
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

Roster::Roster(Context& context, const ComponentTable& table, Control control,
               std::function<bool()> draining)
    : context_(context),
      table_(table),
      control_(std::move(control)),
      draining_(std::move(draining)) {}

Task<absl::Status> Roster::Adopt(std::vector<ComponentConfig> wanted) {
  Question question;
  control_.adopt(wanted, question.reply());
  Answer<Nothing> answer = question.answer();
  const absl::StatusOr<Nothing> adopted = co_await std::move(answer);
  if (!adopted.ok()) co_return adopted.status();
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

Task<absl::Status> Roster::SeeOff(size_t component) {
  while (true) {
    const ComponentStatus status = table_.status(component);
    if (!status.wanted && IsDown(status.state)) break;
    if (draining_()) co_return absl::UnavailableError("the host drains");
    co_await context_.Sleep(kPoll);
  }
  Question question;
  control_.forget(component, question.reply());
  Answer<Nothing> answer = question.answer();
  const absl::StatusOr<Nothing> forgotten = co_await std::move(answer);
  if (forgotten.ok()) control_.end_thread(component);
  co_return forgotten.status();
}

Task<absl::Status> Roster::AwaitStarted(std::vector<std::string> names) {
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

Task<absl::Status> Roster::Pass() {
  Question question;
  control_.pass(question.reply());
  Answer<Nothing> answer = question.answer();
  const absl::StatusOr<Nothing> passed = co_await std::move(answer);
  co_return passed.status();
}

}  // namespace mainspring
