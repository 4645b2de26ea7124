// The part that asks components what they think of their sections, gives them, and tells watchers
// and the log what came of it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "mainspring/proto_time.h"
#include "mainspring/push_configure.h"
#include "mainspring/server/config/message_reader.h"
#include "mainspring/server/lifecycle/request_id.h"
#include "mainspring/server/reconfigure/config.h"
#include "mainspring/text.h"

namespace mainspring {

namespace proto = config::v1;

namespace {

// For a component to look at a section, or to take it.
constexpr absl::Duration kAnswerTimeout = absl::Seconds(5);
constexpr absl::Duration kReadyPoll = absl::Milliseconds(10);

// What a component was asked, with its answer to come.
struct Asked {
  std::string component;
  Answer<Nothing> answer;
};

std::vector<Asked> Ask(const std::vector<WantedSection>& wanted, ComponentTable& table, bool apply,
                       SteadyTime deadline) {
  std::vector<Asked> asked;
  for (const WantedSection& each : wanted) {
    const size_t number = table.NumberOf(each.component).value();
    asked.push_back(
        {each.component, PushConfigure(table.mailbox(number), table.status(number).generation,
                                       each.value, apply, deadline)});
  }
  return asked;
}

absl::Status RefusedBy(const std::string& name, const absl::Status& why) {
  return absl::Status(why.code(), absl::StrCat(ItemPath("components", 0, name, /*is_first=*/true),
                                               ".config: ", std::string(why.message())));
}

}  // namespace

ComponentStatus Config::StatusOf(const std::string& component) const {
  return options_.table.status(options_.table.NumberOf(component).value());
}

Task<absl::Status> Config::Validate(const std::vector<WantedSection>& wanted) {
  std::vector<std::string> refused;
  absl::StatusCode code = absl::StatusCode::kOk;
  const auto refuse = [&](const std::string& component, const absl::Status& why) {
    const absl::Status status = RefusedBy(component, why);
    refused.emplace_back(status.message());
    if (code == absl::StatusCode::kOk) code = status.code();
  };
  std::vector<Asked> asked =
      Ask(wanted, options_.table, /*apply=*/false, After(context().Now(), kAnswerTimeout));
  for (size_t i = 0; i < asked.size(); ++i) {
    Asked& each = asked[i];
    const absl::StatusOr<Nothing> said = co_await std::move(each.answer);
    if (said.ok()) continue;
    // There is no instance. One that has failed may do so because of its section; one that was
    // stopped would be found to be wrong by its next start, when nobody looks any more: so it is
    // with what the file says, too, when the host starts.
    const ComponentStatus status = StatusOf(each.component);
    if (!absl::IsUnavailable(said.status())) {
      refuse(each.component, said.status());
    } else if (!wanted[i].is_the_files && (status.state == LifecycleState::kStopped ||
                                           status.state == LifecycleState::kStopping)) {
      refuse(each.component,
             absl::FailedPreconditionError(absl::StrCat("cannot be checked: the component is ",
                                                        Name(status.state), "; start it first")));
    }
  }
  if (refused.empty()) co_return absl::OkStatus();
  co_return absl::Status(code, absl::StrJoin(refused, "; "));
}

Task<absl::Status> Config::Give(const std::vector<WantedSection>& wanted,
                                const std::set<std::string>& restarts) {
  std::vector<WantedSection> live;
  for (const WantedSection& each : wanted) {
    options_.table.SetSection(options_.table.NumberOf(each.component).value(), each.value);
    if (restarts.count(each.component) == 0) live.push_back(each);
  }
  for (const std::string& each : restarts) {
    options_.restart(options_.table.NumberOf(each).value(), "its configuration has changed");
  }
  absl::Status first;
  std::vector<Asked> asked =
      Ask(live, options_.table, /*apply=*/true, After(context().Now(), kAnswerTimeout));
  for (Asked& each : asked) {
    const absl::StatusOr<Nothing> said = co_await std::move(each.answer);
    // Where there is no instance, the next begins with it.
    if (said.ok() || absl::IsUnavailable(said.status())) continue;
    first.Update(RefusedBy(each.component, said.status()));
  }
  co_return first;
}

Task<absl::Status> Config::AwaitReady(const std::vector<WantedSection>& wanted,
                                      SteadyTime deadline) {
  // What components have said of themselves as they took their sections is on its way there.
  Task<absl::Status> passing = roster_.Pass();
  const absl::Status heard = co_await passing;
  if (!heard.ok()) co_return heard;
  while (true) {
    const auto late = std::find_if(wanted.begin(), wanted.end(), [this](const WantedSection& each) {
      return StatusOf(each.component).wanted &&
             !options_.table.IsServing(options_.table.NumberOf(each.component).value());
    });
    if (late == wanted.end()) co_return absl::OkStatus();
    if (context().Now() >= deadline) {
      const ComponentStatus status = StatusOf(late->component);
      co_return absl::AbortedError(absl::StrCat(
          "component \"", late->component, "\" was not ready in time: ", Name(status.state), ": ",
          status.why_not_serving.empty() ? status.reason : status.why_not_serving));
    }
    co_await context().Sleep(kReadyPoll);
  }
}

void Config::TellRefused(const Order& order, const absl::Status& why) {
  const std::string request_id = BoundedText(order.revision.request_id(), kLongestRequestId);
  // A file may be wrong in many ways, each with its line.
  for (const absl::string_view each : absl::StrSplit(why.message(), '\n', absl::SkipEmpty())) {
    options_.log.Warning("config",
                         {{"outcome", "refused"},
                          {"author", order.revision.author()},
                          {"request_id", request_id},
                          {"components", absl::StrJoin(order.names, ",")},
                          {"why", absl::StrCat(absl::StatusCodeToString(why.code()), ": ", each)}});
  }
  proto::WatchConfigResponse event;
  proto::Refusal& refusal = *event.mutable_refused();
  ToProto(context().WallNow(), *refusal.mutable_time());
  refusal.set_author(order.revision.author());
  refusal.set_request_id(request_id);
  for (const std::string& name : order.names) refusal.add_names(name);
  refusal.set_code(static_cast<int>(why.code()));
  refusal.set_reason(std::string(why.message()));
  watchers_.Tell(event);
}

void Config::TellAccepted(const StoredRevision& made) {
  const Revision& revision = made.revision();
  options_.log.Info("config", {{"outcome", "accepted"},
                               {"revision", revision.number()},
                               {"author", revision.author()},
                               {"request_id", revision.request_id()},
                               {"components", absl::StrJoin(revision.names(), ",")}});
  for (const proto::FieldChange& each : made.changes()) {
    if (each.effect() != proto::EFFECT_RESTARTS_HOST) continue;
    options_.log.Warning("config", {{"path", each.path()},
                                    {"to", each.new_value()},
                                    {"warning", "holds once the host is restarted"}});
  }
  proto::WatchConfigResponse event;
  *event.mutable_accepted() = revision;
  watchers_.Tell(event);
}

}  // namespace mainspring
