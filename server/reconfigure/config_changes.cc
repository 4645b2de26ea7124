// The part that changes the configuration: one change at a time, each a coroutine from being read
// to being answered. What is in force for whoever asks changes at its end, and in one step.
#include <algorithm>
#include <functional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/proto_time.h"
#include "mainspring/push_configure.h"
#include "mainspring/server/config/bounds.h"
#include "mainspring/server/config/message_reader.h"
#include "mainspring/server/lifecycle/request_id.h"
#include "mainspring/server/reconfigure/config.h"
#include "mainspring/text.h"

namespace mainspring {

namespace proto = config::v1;

namespace {

// For a component to look at a section, or to take it.
constexpr absl::Duration kAnswerTimeout = absl::Seconds(5);
constexpr absl::Duration kLongestReadyWithin = absl::Minutes(5);
constexpr absl::Duration kReadyPoll = absl::Milliseconds(10);

absl::StatusOr<absl::Duration> ReadyWithin(const proto::UpdateConfigRequest& request) {
  if (!request.has_ready_within()) return absl::ZeroDuration();
  const absl::StatusOr<absl::Duration> time = FromProto(request.ready_within());
  if (time.ok() && *time > absl::ZeroDuration() && *time <= kLongestReadyWithin) return time;
  return absl::InvalidArgumentError("ready_within: is more than 0s and up to 5m");
}

// Of what a request asks for, whoever sends it and however often: FNV-1a with 64 bits
// (Fowler, Noll and Vo, 1991), since it is written down.
template <class Request>
uint64_t Fingerprint(Request request) {
  request.clear_request_id();
  request.clear_expected_revision();
  uint64_t hash = 0xcbf29ce484222325;
  for (const char each : absl::StrCat(request.GetTypeName(), request.SerializeAsString())) {
    hash = (hash ^ static_cast<unsigned char>(each)) * 0x100000001b3;
  }
  return hash;
}

std::string AuthorOf(const CallContext& call) {
  const std::string principal = call.Principal();
  return principal.empty() ? call.Peer() : principal;
}

// A dozen names will do for whoever is told.
constexpr size_t kMostNames = 12;

absl::Status RefusedBy(const std::string& name, const absl::Status& why) {
  return absl::Status(why.code(), absl::StrCat(ItemPath("components", 0, name, /*is_first=*/true),
                                               ".config: ", std::string(why.message())));
}

}  // namespace

void Config::ValidateConfig(proto::ValidateConfigRequest request,
                            Reply<proto::ValidateConfigResponse> reply) {
  const absl::StatusOr<std::vector<WantedSection>> wanted =
      ReadChanges(request.changes(), sections_);
  if (!wanted.ok()) co_return reply.Fail(wanted.status());
  Task<absl::Status> validating = Validate(*wanted);
  const absl::Status said = co_await validating;
  if (!said.ok()) co_return reply.Fail(said);
  reply.Send(proto::ValidateConfigResponse());
}

template <class Asked, class Response>
Config::Order Config::OrderOf(const Asked& request, const Reply<Response>& reply) const {
  Order order;
  order.revision.set_author(AuthorOf(reply.context()));
  order.revision.set_request_id(request.request_id());
  order.fingerprint = Fingerprint(request);
  if (request.has_expected_revision()) order.expected_revision = request.expected_revision();
  order.is_cancelled = [&reply] { return reply.cancelled(); };
  return order;
}

void Config::UpdateConfig(proto::UpdateConfigRequest request,
                          Reply<proto::UpdateConfigResponse> reply) {
  Order order = OrderOf(request, reply);
  for (const proto::Change& change : request.changes()) {
    if (order.names.size() < kMostNames) order.names.push_back(BoundedText(change.name(), 64));
  }
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
  Order order = OrderOf(request, reply);
  order.revision.set_rollback_to(request.revision());
  order.read = [this, &request]() -> absl::StatusOr<std::vector<WantedSection>> {
    if (request.has_revision()) return SectionsOf(request.revision());
    return absl::InvalidArgumentError("revision: missing; 0 is what the file says");
  };
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
    return absl::NotFoundError(
        absl::StrCat("revision ", revision, " is not remembered; there are: 0, what the file says",
                     store_.latest() == nullptr
                         ? ""
                         : absl::StrCat(", and ", store_.all().front().revision().number(), " to ",
                                        Latest().number())));
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
      Problems problems;
      CheckBounds(*value, section.name, problems);
      if (!problems.empty()) return problems.status();
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
  if (order.is_cancelled()) co_return absl::CancelledError("nobody waits for it any more");
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
  std::vector<WantedSection> wanted = Different(*std::move(read), sections_);
  if (wanted.empty()) {
    StoredRevision same;
    *same.mutable_revision() = Latest();
    co_return same;
  }
  Task<absl::Status> validating = Validate(wanted);
  const absl::Status valid = co_await validating;
  if (!valid.ok()) co_return valid;
  const Transaction transaction = Begin(order, std::move(wanted));
  Task<absl::Status> carrying = Carry(order, transaction);
  const absl::Status carried = co_await carrying;
  if (!carried.ok()) co_return carried;
  sections_ = transaction.next;
  TellAccepted(transaction.made);
  co_return transaction.made;
}

// What is durable is in force after a kill: so first the revision, then the components. One that is
// on trial is the other way round, for it is not accepted before they are ready.
Task<absl::Status> Config::Carry(const Order& order, const Transaction& transaction) {
  const bool is_on_trial = order.ready_within > absl::ZeroDuration();
  absl::Status done;
  if (!is_on_trial) done = store_.Append(transaction.made);
  // Nobody was told of it yet.
  if (!done.ok()) co_return done;
  Task<absl::Status> giving = Give(transaction.wanted, transaction.restarts);
  done = co_await giving;
  if (done.ok() && is_on_trial) {
    Task<absl::Status> waiting =
        AwaitReady(transaction.wanted, After(context().Now(), order.ready_within));
    done = co_await waiting;
    if (done.ok()) done = store_.Append(transaction.made);
  }
  if (done.ok()) co_return done;
  if (store_.latest() != nullptr &&
      store_.latest()->revision().number() == transaction.made.revision().number()) {
    const absl::Status removed = store_.RemoveLatest();
    if (!removed.ok())
      options_.log.Error("config", {{"removed", "no"}, {"why", removed.message()}});
  }
  Task<absl::Status> putting_back = Give(transaction.before, transaction.restarts);
  const absl::Status put_back = co_await putting_back;
  if (!put_back.ok())
    options_.log.Error("config", {{"put_back", "no"}, {"why", put_back.message()}});
  co_return absl::Status(
      absl::IsInvalidArgument(done) ? absl::StatusCode::kAborted : done.code(),
      absl::StrCat(std::string(done.message()), "; the sections are what they were"));
}

Config::Transaction Config::Begin(const Order& order, std::vector<WantedSection> wanted) const {
  Transaction transaction{
      .wanted = std::move(wanted), .before = {}, .restarts = {}, .next = sections_, .made = {}};
  Revision& revision = *transaction.made.mutable_revision();
  revision = order.revision;
  revision.set_number(store_.next_number());
  ToProto(context().WallNow(), *revision.mutable_time());
  transaction.made.set_fingerprint(order.fingerprint);
  for (const WantedSection& each : transaction.wanted) {
    const SectionInForce& before = sections_.at(each.component);
    revision.add_names(before.name);
    transaction.before.push_back({each.component, before.value});
    for (proto::FieldChange& change : Compare({each}, sections_)) {
      if (change.effect() != proto::EFFECT_LIVE) transaction.restarts.insert(each.component);
      *transaction.made.add_changes() = std::move(change);
    }
    SectionInForce& next = transaction.next.at(each.component);
    next.value = each.value;
    next.revision = revision.number();
    next.is_the_files = each.is_the_files;
    next.keep_over_file = each.keep_over_file;
  }
  transaction.next.Store(transaction.made);
  return transaction;
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

namespace {

// What a component was asked, with its answer to come.
struct Asked {
  size_t component;
  Answer<Nothing> answer;
};

std::vector<Asked> Ask(const std::vector<WantedSection>& wanted, ComponentTable& table, bool apply,
                       SteadyTime deadline) {
  std::vector<Asked> asked;
  for (const WantedSection& each : wanted) {
    asked.push_back({each.component, PushConfigure(table.mailbox(each.component),
                                                   table.status(each.component).generation,
                                                   each.value, apply, deadline)});
  }
  return asked;
}

}  // namespace

Task<absl::Status> Config::Validate(const std::vector<WantedSection>& wanted) {
  std::vector<std::string> refused;
  absl::StatusCode code = absl::StatusCode::kOk;
  const auto refuse = [&](size_t component, const absl::Status& why) {
    const absl::Status status = RefusedBy(options_.table.name(component), why);
    refused.emplace_back(status.message());
    if (code == absl::StatusCode::kOk) code = status.code();
  };
  std::vector<Asked> asked =
      Ask(wanted, options_.table, /*apply=*/false, After(context().Now(), kAnswerTimeout));
  for (Asked& each : asked) {
    const absl::StatusOr<Nothing> said = co_await std::move(each.answer);
    if (said.ok()) continue;
    // There is no instance. One that has failed may do so because of its section; one that was
    // stopped would be found to be wrong by its next start, when nobody looks any more.
    const ComponentStatus status = options_.table.status(each.component);
    if (!absl::IsUnavailable(said.status())) {
      refuse(each.component, said.status());
    } else if (status.state == LifecycleState::kStopped ||
               status.state == LifecycleState::kStopping) {
      refuse(each.component,
             absl::FailedPreconditionError(absl::StrCat("cannot be checked: the component is ",
                                                        Name(status.state), "; start it first")));
    }
  }
  if (refused.empty()) co_return absl::OkStatus();
  co_return absl::Status(code, absl::StrJoin(refused, "; "));
}

Task<absl::Status> Config::Give(const std::vector<WantedSection>& wanted,
                                const std::set<size_t>& restarts) {
  std::vector<WantedSection> live;
  for (const WantedSection& each : wanted) {
    options_.table.SetSection(each.component, each.value);
    if (restarts.count(each.component) == 0) {
      live.push_back(each);
    } else {
      options_.restart(each.component, "its section has changed");
    }
  }
  absl::Status first;
  std::vector<Asked> asked =
      Ask(live, options_.table, /*apply=*/true, After(context().Now(), kAnswerTimeout));
  for (Asked& each : asked) {
    const absl::StatusOr<Nothing> said = co_await std::move(each.answer);
    // Where there is no instance, the next begins with it.
    if (said.ok() || absl::IsUnavailable(said.status())) continue;
    first.Update(RefusedBy(options_.table.name(each.component), said.status()));
  }
  co_return first;
}

Task<absl::Status> Config::AwaitReady(const std::vector<WantedSection>& wanted,
                                      SteadyTime deadline) {
  // What components have said of themselves as they took their sections is on its way there.
  SharedPtr<LocalCall<Nothing>> call(new LocalCall<Nothing>(CallOptions(), "supervisor"));
  options_.pass_supervisor(Reply<Nothing>(call.get()));
  Answer<Nothing> passed(std::move(call));
  const absl::StatusOr<Nothing> heard = co_await std::move(passed);
  if (!heard.ok()) co_return heard.status();
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

void Config::TellRefused(const Order& order, const absl::Status& why) {
  options_.log.Warning("config",
                       {{"outcome", "refused"},
                        {"author", order.revision.author()},
                        {"request_id", BoundedText(order.revision.request_id(), kLongestRequestId)},
                        {"components", absl::StrJoin(order.names, ",")},
                        {"why", why.ToString()}});
  proto::WatchConfigResponse event;
  proto::Refusal& refusal = *event.mutable_refused();
  ToProto(context().WallNow(), *refusal.mutable_time());
  refusal.set_author(order.revision.author());
  refusal.set_request_id(BoundedText(order.revision.request_id(), kLongestRequestId));
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
