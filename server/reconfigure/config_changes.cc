// The part that changes the configuration: one change at a time, each a coroutine from being read
// to being answered, in which every step that can fail comes before the first that cannot be
// undone.
#include <algorithm>
#include <functional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/proto_time.h"
#include "mainspring/push_configure.h"
#include "mainspring/server/reconfigure/config.h"

namespace mainspring {

namespace proto = config::v1;

namespace {

// For a component to look at a section, or to take it.
constexpr absl::Duration kAnswerTimeout = absl::Seconds(5);
constexpr absl::Duration kLongestReadyWithin = absl::Minutes(5);
constexpr absl::Duration kReadyPoll = absl::Milliseconds(10);
constexpr size_t kLongestRequestId = 128;

absl::Status CheckRequestId(const std::string& request_id) {
  const bool printable = std::all_of(request_id.begin(), request_id.end(), [](char each) {
    return absl::ascii_isprint(static_cast<unsigned char>(each));
  });
  if (printable && request_id.size() <= kLongestRequestId) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("request_id: up to ", kLongestRequestId, " printable characters are allowed"));
}

absl::StatusOr<absl::Duration> ReadyWithin(const proto::UpdateConfigRequest& request) {
  if (!request.has_ready_within()) return absl::ZeroDuration();
  const absl::StatusOr<absl::Duration> time = FromProto(request.ready_within());
  if (time.ok() && *time > absl::ZeroDuration() && *time <= kLongestReadyWithin) return time;
  return absl::InvalidArgumentError("ready_within: is more than 0s and up to 5m");
}

// Of what a request asks for, whoever sends it and however often.
template <class Request>
uint64_t Fingerprint(Request request) {
  request.clear_request_id();
  request.clear_expected_revision();
  return std::hash<std::string>()(absl::StrCat(request.GetTypeName(), request.SerializeAsString()));
}

std::string AuthorOf(const CallContext& call) {
  const std::string principal = call.Principal();
  return principal.empty() ? call.Peer() : principal;
}

}  // namespace

void Config::ValidateConfig(proto::ValidateConfigRequest request,
                            Reply<proto::ValidateConfigResponse> reply) {
  const absl::StatusOr<std::vector<WantedSection>> wanted =
      ReadChanges(request.changes(), sections_);
  if (!wanted.ok()) co_return reply.Fail(wanted.status());
  Task<absl::Status> asked = Ask(*wanted, /*apply=*/false);
  const absl::Status said = co_await asked;
  if (!said.ok()) co_return reply.Fail(said);
  reply.Send(proto::ValidateConfigResponse());
}

void Config::UpdateConfig(proto::UpdateConfigRequest request,
                          Reply<proto::UpdateConfigResponse> reply) {
  Order order;
  order.revision.set_author(AuthorOf(reply.context()));
  order.revision.set_request_id(request.request_id());
  order.fingerprint = Fingerprint(request);
  if (request.has_expected_revision()) order.expected_revision = request.expected_revision();
  for (const proto::Change& change : request.changes()) order.names.push_back(change.name());
  order.read = [this, &request] { return ReadChanges(request.changes(), sections_); };
  absl::StatusOr<StoredRevision> made;
  const absl::StatusOr<absl::Duration> ready_within = ReadyWithin(request);
  if (ready_within.ok()) {
    order.ready_within = *ready_within;
    Task<absl::StatusOr<StoredRevision>> making = Make(order);
    made = co_await making;
  } else {
    made = ready_within.status();
  }
  Conclude(order, made, reply);
}

void Config::RollbackConfig(proto::RollbackConfigRequest request,
                            Reply<proto::RollbackConfigResponse> reply) {
  Order order;
  order.revision.set_author(AuthorOf(reply.context()));
  order.revision.set_request_id(request.request_id());
  order.revision.set_rollback_to(request.revision());
  order.fingerprint = Fingerprint(request);
  if (request.has_expected_revision()) order.expected_revision = request.expected_revision();
  order.read = [this, number = request.revision()] { return SectionsOf(number); };
  Task<absl::StatusOr<StoredRevision>> making = Make(order);
  const absl::StatusOr<StoredRevision> made = co_await making;
  Conclude(order, made, reply);
}

template <class Response>
void Config::Conclude(const Order& order, const absl::StatusOr<StoredRevision>& made,
                      Reply<Response>& reply) {
  if (!made.ok()) {
    TellRefused(order, made.status());
    return reply.Fail(made.status());
  }
  Response response;
  response.set_revision(made->revision().number());
  *response.mutable_changes() = made->changes();
  reply.Send(std::move(response));
}

absl::StatusOr<std::vector<WantedSection>> Config::SectionsOf(uint64_t revision) const {
  const StoredRevision* const stored = store_.Find(revision);
  if (stored == nullptr && revision != 0) {
    return absl::NotFoundError(absl::StrCat("revision ", revision, " is not remembered"));
  }
  std::vector<WantedSection> wanted;
  for (size_t i = 0; i < sections_.size(); ++i) {
    const SectionInForce& section = sections_.at(i);
    if (section.prototype == nullptr) continue;
    WantedSection& each = wanted.emplace_back(
        WantedSection{i, section.file_value, /*keep_over_file=*/false, /*is_the_files=*/true});
    if (stored == nullptr) continue;
    for (const auto& then : stored->sections()) {
      if (then.name() != section.name) continue;
      const std::shared_ptr<google::protobuf::Message> value(section.prototype->New());
      if (!then.value().UnpackTo(value.get())) {
        return absl::FailedPreconditionError(absl::StrCat(
            "component \"", section.name, "\" takes another section than it did then"));
      }
      each = {i, value, then.keep_over_file()};
    }
  }
  return wanted;
}

Task<absl::StatusOr<proto::StoredRevision>> Config::Make(const Order& order) {
  const absl::Status right = CheckRequestId(order.revision.request_id());
  if (!right.ok()) co_return right;
  Answer<Nothing> turn = turns_.Take();
  const absl::StatusOr<Nothing> taken = co_await std::move(turn);
  if (!taken.ok()) co_return taken.status();
  const absl::Cleanup give = [this] { turns_.Give(); };
  if (const StoredRevision* known = FindRequest(order.revision.request_id())) {
    if (known->fingerprint() == order.fingerprint) co_return *known;
    co_return absl::AlreadyExistsError(absl::StrCat("request_id \"", order.revision.request_id(),
                                                    "\" is that of revision ",
                                                    known->revision().number()));
  }
  const absl::Status admitted = Admit(order);
  if (!admitted.ok()) co_return admitted;
  absl::StatusOr<std::vector<WantedSection>> read = order.read();
  if (!read.ok()) co_return read.status();
  const std::vector<WantedSection> wanted = Different(*std::move(read), sections_);
  if (wanted.empty()) {
    StoredRevision same;
    *same.mutable_revision() = Latest();
    co_return same;
  }
  Task<absl::StatusOr<StoredRevision>> change = Change(order, wanted);
  absl::StatusOr<StoredRevision> made = co_await change;
  if (made.ok()) TellAccepted(*made);
  co_return made;
}

Task<absl::StatusOr<proto::StoredRevision>> Config::Change(
    const Order& order, const std::vector<WantedSection>& wanted) {
  Task<absl::Status> validating = Ask(wanted, /*apply=*/false);
  const absl::Status valid = co_await validating;
  if (!valid.ok()) co_return valid;
  std::vector<SectionInForce> before;
  for (const WantedSection& each : wanted) before.push_back(sections_.at(each.component));
  StoredRevision made = Record(order, wanted);
  PutInForce(wanted, made.revision().number());
  sections_.Store(made);
  // Blocks this component alone, and nobody is answered before.
  absl::Status done = store_.Append(made);
  if (!done.ok()) {
    for (size_t i = 0; i < wanted.size(); ++i) sections_.at(wanted[i].component) = before[i];
    co_return done;
  }
  for (const WantedSection& each : wanted) options_.table.SetSection(each.component, each.value);
  Task<absl::Status> applying = Ask(wanted, /*apply=*/true);
  done = co_await applying;
  if (done.ok() && order.ready_within > absl::ZeroDuration()) {
    Task<absl::Status> waiting = AwaitReady(wanted, After(context().Now(), order.ready_within));
    done = co_await waiting;
  }
  if (done.ok()) co_return made;
  Task<void> putting_back = PutBack(before, wanted);
  co_await putting_back;
  co_return absl::AbortedError(
      absl::StrCat(std::string(done.message()), "; the sections are what they were"));
}

absl::Status Config::Admit(const Order& order) const {
  if (options_.draining()) return absl::UnavailableError("the host drains");
  const uint64_t latest = Latest().number();
  if (!order.expected_revision.has_value() || *order.expected_revision == latest) {
    return absl::OkStatus();
  }
  return absl::AbortedError(absl::StrCat("expected_revision is ", *order.expected_revision,
                                         ", and the latest is ", latest));
}

const proto::StoredRevision* Config::FindRequest(const std::string& request_id) const {
  if (request_id.empty()) return nullptr;
  const auto found = std::find_if(
      store_.all().begin(), store_.all().end(),
      [&](const StoredRevision& each) { return each.revision().request_id() == request_id; });
  return found == store_.all().end() ? nullptr : &*found;
}

bool Config::HasInstance(size_t component, uint64_t generation) const {
  const ComponentStatus status = options_.table.status(component);
  return status.generation == generation &&
         (status.state == LifecycleState::kRunning || status.state == LifecycleState::kStarting);
}

Task<absl::Status> Config::Ask(const std::vector<WantedSection>& wanted, bool apply) {
  struct Asked {
    size_t component;
    uint64_t generation;
    Answer<Nothing> answer;
  };
  std::vector<Asked> asked;
  const SteadyTime deadline = After(context().Now(), kAnswerTimeout);
  for (const WantedSection& each : wanted) {
    const uint64_t generation = options_.table.status(each.component).generation;
    if (!HasInstance(each.component, generation)) continue;
    asked.push_back({each.component, generation,
                     PushConfigure(options_.table.mailbox(each.component), generation, each.value,
                                   apply, deadline)});
  }
  absl::Status first;
  for (Asked& each : asked) {
    const absl::StatusOr<Nothing> said = co_await std::move(each.answer);
    if (said.ok()) continue;
    // It has gone meanwhile: the next instance begins with what is in force then.
    if (absl::IsUnavailable(said.status()) && !HasInstance(each.component, each.generation)) {
      continue;
    }
    first.Update(absl::Status(said.status().code(),
                              absl::StrCat("components[", options_.table.name(each.component),
                                           "].config: ", std::string(said.status().message()))));
  }
  co_return first;
}

Task<absl::Status> Config::AwaitReady(const std::vector<WantedSection>& wanted,
                                      SteadyTime deadline) {
  while (true) {
    const auto late = std::find_if(wanted.begin(), wanted.end(), [this](const WantedSection& each) {
      return options_.table.status(each.component).wanted &&
             !options_.table.IsServing(each.component);
    });
    if (late == wanted.end()) co_return absl::OkStatus();
    if (context().Now() >= deadline) {
      const ComponentStatus status = options_.table.status(late->component);
      co_return absl::AbortedError(
          absl::StrCat("component \"", options_.table.name(late->component),
                       "\" was not ready in time: ", Name(status.state), ": ",
                       status.why_not_serving.empty() ? status.reason : status.why_not_serving));
    }
    co_await context().Sleep(kReadyPoll);
  }
}

proto::StoredRevision Config::Record(const Order& order,
                                     const std::vector<WantedSection>& wanted) const {
  StoredRevision made;
  Revision& revision = *made.mutable_revision();
  revision = order.revision;
  revision.set_number(store_.next_number());
  ToProto(context().WallNow(), *revision.mutable_time());
  for (const WantedSection& each : wanted) revision.add_names(sections_.at(each.component).name);
  for (proto::FieldChange& change : Compare(wanted, sections_)) {
    *made.add_changes() = std::move(change);
  }
  made.set_fingerprint(order.fingerprint);
  return made;
}

void Config::PutInForce(const std::vector<WantedSection>& wanted, uint64_t revision) {
  for (const WantedSection& each : wanted) {
    SectionInForce& section = sections_.at(each.component);
    section.value = each.value;
    section.revision = each.is_the_files ? 0 : revision;
    section.keep_over_file = each.keep_over_file;
  }
}

Task<void> Config::PutBack(const std::vector<SectionInForce>& before,
                           const std::vector<WantedSection>& wanted) {
  std::vector<WantedSection> as_it_was;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const size_t component = wanted[i].component;
    sections_.at(component) = before[i];
    options_.table.SetSection(component, before[i].value);
    as_it_was.push_back({component, before[i].value});
  }
  if (const absl::Status removed = store_.RemoveLatest(); !removed.ok()) {
    options_.log.Error("config", {{"removed", "no"}, {"why", removed.message()}});
  }
  Task<absl::Status> applying = Ask(as_it_was, /*apply=*/true);
  const absl::Status applied = co_await applying;
  if (!applied.ok()) options_.log.Error("config", {{"put_back", "no"}, {"why", applied.message()}});
}

void Config::TellRefused(const Order& order, const absl::Status& why) {
  options_.log.Warning("config", {{"outcome", "refused"},
                                  {"author", order.revision.author()},
                                  {"request_id", order.revision.request_id()},
                                  {"components", absl::StrJoin(order.names, ",")},
                                  {"why", why.ToString()}});
  proto::WatchConfigResponse event;
  proto::Refusal& refusal = *event.mutable_refused();
  ToProto(context().WallNow(), *refusal.mutable_time());
  refusal.set_author(order.revision.author());
  refusal.set_request_id(order.revision.request_id());
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
  proto::WatchConfigResponse event;
  *event.mutable_accepted() = revision;
  watchers_.Tell(event);
}

}  // namespace mainspring
