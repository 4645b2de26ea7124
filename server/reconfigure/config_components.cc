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
#include "mainspring/server/supervisor/stop_report.h"
#include "mainspring/text.h"

namespace mainspring {

namespace proto = config::v1;

namespace {

// For a component to look at a section, or to take it.
constexpr absl::Duration kAnswerTimeout = absl::Seconds(5);
constexpr absl::Duration kReadyPoll = absl::Milliseconds(10);
// The rest is in what GetConfig and DiffConfig say.
constexpr int kMostChangesTold = 100;
constexpr char kWhyRestarted[] = "its configuration has changed";

}  // namespace

absl::Status Config::RefusedBy(const std::string& section, const absl::Status& why) {
  return absl::Status(why.code(),
                      absl::StrCat(ItemPath("components", 0, section, /*is_first=*/true),
                                   ".config: ", std::string(why.message())));
}

// Those that have it are asked side by side.
std::vector<Config::Asking> Config::Ask(const std::vector<WantedSection>& wanted, bool apply) {
  const SteadyTime deadline = After(context().Now(), kAnswerTimeout);
  std::vector<Asking> asked;
  for (const WantedSection& each : wanted) {
    for (const size_t number : NumbersOf(each.component)) {
      asked.push_back(
          {&each, number,
           PushConfigure(options_.table.mailbox(number), options_.table.status(number).generation,
                         each.value, apply, deadline)});
    }
  }
  return asked;
}

Task<absl::Status> Config::Validate(const std::vector<WantedSection>& wanted) {
  // Several replicas refuse in the same words.
  std::vector<std::string> refused;
  absl::StatusCode code = absl::StatusCode::kOk;
  const auto refuse = [&](const std::string& section, const absl::Status& why) {
    const absl::Status status = RefusedBy(section, why);
    if (std::find(refused.begin(), refused.end(), status.message()) != refused.end()) return;
    refused.emplace_back(status.message());
    if (code == absl::StatusCode::kOk) code = status.code();
  };
  std::vector<Asking> asked = Ask(wanted, /*apply=*/false);
  for (Asking& each : asked) {
    const absl::StatusOr<Configured> said = co_await std::move(each.answer);
    if (said.ok()) continue;
    // There is no instance. One that has failed may do so because of its section; one that was
    // stopped would be found to be wrong by its next start, when nobody looks any more: so it is
    // with what the file says, too, when the host starts.
    const ComponentStatus status = options_.table.status(each.component);
    if (!absl::IsUnavailable(said.status())) {
      refuse(each.section->component, said.status());
    } else if (!each.section->is_the_files && (status.state == LifecycleState::kStopped ||
                                               status.state == LifecycleState::kStopping)) {
      refuse(each.section->component,
             absl::FailedPreconditionError(absl::StrCat("cannot be checked: the component is ",
                                                        Name(status.state), "; start it first")));
    }
  }
  if (refused.empty()) co_return absl::OkStatus();
  co_return absl::Status(code, absl::StrJoin(refused, "; "));
}

Task<absl::Status> Config::Give(const std::vector<WantedSection>& wanted,
                                const std::set<std::string>& restarts,
                                const std::set<std::string>& spared) {
  std::vector<WantedSection> live;
  for (const WantedSection& each : wanted) {
    for (const size_t number : NumbersOf(each.component)) {
      options_.table.SetSection(number, each.value);
    }
    if (restarts.count(each.component) == 0) live.push_back(each);
  }
  for (const std::string& each : restarts) {
    std::vector<size_t> numbers = NumbersOf(each);
    std::erase_if(numbers,
                  [&](size_t number) { return spared.count(options_.table.name(number)) != 0; });
    if (numbers.size() > 1) {
      Task<> restarting = RestartInTurn(numbers);
      co_await restarting;
    } else if (!numbers.empty()) {
      options_.restart(numbers.front(), kWhyRestarted);
    }
  }
  absl::Status first;
  std::vector<Asking> asked = Ask(live, /*apply=*/true);
  for (Asking& each : asked) {
    const absl::StatusOr<Configured> said = co_await std::move(each.answer);
    // Where there is no instance, the next begins with it.
    if (said.ok() || absl::IsUnavailable(said.status())) continue;
    first.Update(RefusedBy(each.section->component, said.status()));
  }
  co_return first;
}

// So that there is always one that serves. One that does not come back is not waited for.
Task<> Config::RestartInTurn(std::vector<size_t> replicas) {
  for (const size_t each : replicas) {
    const ComponentStatus before = options_.table.status(each);
    if (!before.wanted) continue;
    const ComponentConfig& config = options_.table.config(each);
    const SteadyTime deadline =
        After(context().Now(), config.stop_timeout + config.start_timeout + kStopGrace);
    options_.restart(each, kWhyRestarted);
    while (context().Now() < deadline && !options_.draining()) {
      const ComponentStatus status = options_.table.status(each);
      if (status.generation > before.generation && status.state != LifecycleState::kStarting) break;
      co_await context().Sleep(kReadyPoll);
    }
  }
}

Task<absl::Status> Config::AwaitReady(const std::set<std::string>& names, SteadyTime deadline) {
  // What components have said of themselves as they took their sections is on its way there.
  Task<absl::Status> passing = membership_.Pass();
  const absl::Status heard = co_await passing;
  if (!heard.ok()) co_return heard;
  const ComponentTable& table = options_.table;
  while (true) {
    std::optional<size_t> late;
    for (const std::string& name : names) {
      for (const size_t number : NumbersOf(name)) {
        if (table.status(number).wanted && !table.IsServing(number)) late = number;
      }
    }
    if (!late.has_value()) co_return absl::OkStatus();
    if (context().Now() >= deadline) {
      const ComponentStatus status = table.status(*late);
      co_return absl::AbortedError(absl::StrCat(
          "component \"", table.name(*late), "\" was not ready in time: ", Name(status.state), ": ",
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
  const std::vector<std::string> later = AfterRestart();
  for (int i = 0; i < std::min(made.changes_size(), kMostChangesTold); ++i) {
    const proto::FieldChange& each = made.changes(i);
    const bool is_later = std::find(later.begin(), later.end(), each.path()) != later.end();
    const bool restarts = each.effect() == proto::EFFECT_RESTARTS_COMPONENT;
    options_.log.Info("config_change", {{"component", each.name()},
                                        {"path", each.path()},
                                        {"from", BoundedText(each.old_value())},
                                        {"to", BoundedText(each.new_value())},
                                        {"holds", is_later   ? "once the host is restarted"
                                                  : restarts ? "now, by a restart of the component"
                                                             : "now"}});
  }
  TellAfterRestart();
  proto::WatchConfigResponse event;
  *event.mutable_accepted() = revision;
  watchers_.Tell(event);
}

std::vector<std::string> Config::AfterRestart() const {
  std::vector<std::string> paths;
  for (const proto::FieldChange& each : Compare(options_.host.config(), host_.config()).fields) {
    if (each.effect() == proto::EFFECT_RESTARTS_HOST) paths.push_back(each.path());
  }
  return paths;
}

void Config::TellAfterRestart() const {
  const std::vector<std::string> paths = AfterRestart();
  if (paths.empty()) return;
  options_.log.Warning("config", {{"paths", absl::StrJoin(paths, ", ")},
                                  {"warning", "holds once the host is restarted"}});
  // What holds now is a part of each.
  HostConfig now = host_.config();
  now.data = options_.host.config().data;
  now.admin = options_.host.config().admin;
  now.probe = options_.host.config().probe;
  for (const Contradiction& each : FindContradictions(now)) {
    options_.log.Warning("config", {{"path", each.paths.front()},
                                    {"warning", absl::StrCat("until then: ", each.what)}});
  }
}

}  // namespace mainspring
