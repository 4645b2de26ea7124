// The part that changes the configuration: one change at a time, each a coroutine from being read
// to being answered. What is in force for whoever asks changes at its end, and in one step.
#include <algorithm>
#include <functional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "mainspring/proto_time.h"
#include "mainspring/server/config/bounds.h"
#include "mainspring/server/lifecycle/request_id.h"
#include "mainspring/server/reconfigure/config.h"
#include "mainspring/text.h"

namespace mainspring {

namespace proto = config::v1;

namespace {

absl::StatusOr<HostConfig> Load(const ConfigSource& source) { return source.load(); }

constexpr absl::Duration kLongestReadyWithin = absl::Minutes(5);

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

// A dozen names will do for whoever is told.
constexpr size_t kMostNames = 12;

}  // namespace

void Config::ValidateConfig(proto::ValidateConfigRequest request,
                            Reply<proto::ValidateConfigResponse> reply) {
  Answer<Nothing> turn = turns_.Take();
  const absl::StatusOr<Nothing> taken = co_await std::move(turn);
  if (!taken.ok()) co_return reply.Fail(taken.status());
  const absl::Cleanup give = [this] { turns_.Give(); };
  const absl::StatusOr<std::vector<WantedSection>> wanted =
      ReadChanges(request.changes(), sections_);
  if (!wanted.ok()) co_return reply.Fail(wanted.status());
  Task<absl::Status> validating = Validate(*wanted);
  const absl::Status said = co_await validating;
  if (!said.ok()) co_return reply.Fail(said);
  reply.Send(proto::ValidateConfigResponse());
}

std::string Config::AuthorOf(const CallContext& call) {
  const std::string principal = call.Principal();
  return principal.empty() ? call.Peer() : principal;
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
  for (const auto& [name, section] : sections_.all()) {
    if (section.prototype == nullptr) continue;
    WantedSection& each = wanted.emplace_back(
        WantedSection{name, section.file_value, /*keep_over_file=*/false, /*is_the_files=*/true});
    if (stored == nullptr) continue;
    for (const auto& then : stored->sections()) {
      if (then.name() != name) continue;
      const std::shared_ptr<google::protobuf::Message> value(section.prototype->New());
      if (!then.value().UnpackTo(value.get())) {
        return absl::FailedPreconditionError(
            absl::StrCat("component \"", name, "\" takes another section than it did then"));
      }
      Problems problems;
      CheckBounds(*value, name, problems);
      if (!problems.empty()) return problems.status();
      each = {name, value, then.keep_over_file()};
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
  std::optional<HostConfig> host;
  absl::StatusOr<std::vector<WantedSection>> read;
  if (order.read != nullptr) {
    read = order.read();
  } else {
    Answer<HostConfig> loading = context().RunBlocking(&Load, options_.source);
    absl::StatusOr<HostConfig> loaded = co_await std::move(loading);
    if (!loaded.ok()) co_return loaded.status();
    read = SectionsOfFile(*loaded);
    host = *std::move(loaded);
  }
  if (!read.ok()) co_return read.status();
  const Transaction transaction = Begin(order, Different(*std::move(read), sections_), host);
  if (transaction.made.changes().empty() && transaction.wanted.empty()) {
    // Of a section that a revision holds over the file, what that says is known from here on.
    sections_ = transaction.next;
    if (host.has_value()) host_ = *host;
    StoredRevision same;
    *same.mutable_revision() = Latest();
    co_return same;
  }
  Task<absl::Status> validating = Validate(transaction.wanted);
  const absl::Status valid = co_await validating;
  if (!valid.ok()) co_return valid;
  Task<absl::Status> carrying = Carry(order, transaction);
  const absl::Status carried = co_await carrying;
  if (!carried.ok()) co_return carried;
  sections_ = transaction.next;
  if (transaction.host.has_value()) host_ = *transaction.host;
  SetWatch();
  TellAccepted(transaction.made);
  co_return transaction.made;
}

// A change that holds over the file stays; both are told of.
std::vector<WantedSection> Config::SectionsOfFile(const HostConfig& config) const {
  std::vector<WantedSection> wanted;
  const auto tell = [this](const std::string& name, const SectionInForce& section,
                           const char* what) {
    if (section.is_the_files) return;
    options_.log.Warning("config",
                         {{"component", name}, {"revision", section.revision}, {"warning", what}});
  };
  std::set<std::string> names;
  for (const ComponentConfig& each : config.components) {
    const auto known = sections_.all().find(each.name);
    if (known == sections_.all().end() || known->second.type != each.type) continue;
    names.insert(each.name);
    const SectionInForce& section = known->second;
    if (IsSame(section.file_value.get(), each.config.get())) continue;
    if (section.keep_over_file) {
      tell(each.name, section, "the file says something else than it did; the revision holds");
      continue;
    }
    tell(each.name, section, "the file says something else than it did, and holds from here on");
    wanted.push_back({each.name, each.config, /*keep_over_file=*/false, /*is_the_files=*/true});
  }
  for (const auto& [name, section] : sections_.all()) {
    if (names.count(name) == 0) tell(name, section, "the component goes, and its section with it");
  }
  return wanted;
}

Config::Transaction Config::Begin(const Order& order, std::vector<WantedSection> wanted,
                                  const std::optional<HostConfig>& host) const {
  Transaction transaction{.wanted = std::move(wanted),
                          .before = {},
                          .restarts = {},
                          .next = sections_,
                          .made = {},
                          .host = host,
                          .changes = {}};
  Revision& revision = *transaction.made.mutable_revision();
  revision = order.revision;
  revision.set_number(store_.next_number());
  ToProto(context().WallNow(), *revision.mutable_time());
  transaction.made.set_fingerprint(order.fingerprint);
  std::set<std::string> names;
  if (host.has_value()) {
    transaction.changes = Compare(host_, *host);
    transaction.next.SetFile(*host);
    names = transaction.changes.names;
    transaction.restarts.insert(transaction.changes.restarting.begin(),
                                transaction.changes.restarting.end());
    for (const proto::FieldChange& each : transaction.changes.fields) {
      *transaction.made.add_changes() = each;
    }
  }
  for (const WantedSection& each : transaction.wanted) {
    const SectionInForce& before = sections_.at(each.component);
    names.insert(each.component);
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
  for (const std::string& each : names) revision.add_names(each);
  transaction.next.Store(transaction.made);
  return transaction;
}

// What is durable is in force after a kill: so first the revision, then the components. One that is
// on trial is the other way round, for it is not accepted before they are ready.
Task<absl::Status> Config::Carry(const Order& order, const Transaction& transaction) {
  const bool is_on_trial = order.ready_within > absl::ZeroDuration();
  absl::Status done;
  if (!is_on_trial) done = store_.Append(transaction.made);
  // Nobody was told of it yet.
  if (!done.ok()) co_return done;
  bool given = false;
  Task<absl::Status> entering = Enter(order, transaction, given);
  done = co_await entering;
  if (done.ok() && is_on_trial) done = store_.Append(transaction.made);
  if (done.ok()) {
    Task<absl::Status> finishing = Finish(transaction);
    done = co_await finishing;
  }
  if (done.ok()) co_return done;
  if (store_.latest() != nullptr &&
      store_.latest()->revision().number() == transaction.made.revision().number()) {
    const absl::Status removed = store_.RemoveLatest();
    if (!removed.ok())
      options_.log.Error("config", {{"removed", "no"}, {"why", removed.message()}});
  }
  Task<absl::Status> putting_back = PutBack(transaction, given);
  const absl::Status put_back = co_await putting_back;
  if (!put_back.ok() && !options_.draining())
    options_.log.Error("config", {{"put_back", "no"}, {"why", put_back.message()}});
  co_return absl::Status(
      absl::IsInvalidArgument(done) ? absl::StatusCode::kAborted : done.code(),
      absl::StrCat(std::string(done.message()), "; the configuration is what it was"));
}

namespace {

using Components = std::vector<ComponentConfig>;

bool Has(const Components& components, const std::string& name) {
  return std::any_of(components.begin(), components.end(),
                     [&](const ComponentConfig& each) { return each.name == name; });
}

// The components of `one`, and those of `other` that it does not have.
Components Both(Components one, const Components& other) {
  const size_t size = one.size();
  for (const ComponentConfig& each : other) {
    const auto end = one.begin() + static_cast<ptrdiff_t>(size);
    const bool is_there =
        std::any_of(one.begin(), end, [&](const auto& known) { return known.name == each.name; });
    if (!is_there) one.push_back(each);
  }
  return one;
}

// Those of `before` that are there afterwards too, of the same type, and replicas of the same.
Components Kept(Components before, const Components& after) {
  std::erase_if(before, [&](const ComponentConfig& each) {
    return std::any_of(after.begin(), after.end(), [&](const ComponentConfig& other) {
      return each.name == other.name &&
             (each.type != other.type || each.replica_of != other.replica_of);
    });
  });
  return before;
}

// All there are, with the sections that they have.
Components ComponentsOf(const HostConfig& config, const SectionsInForce& sections) {
  Components components = Replicated(config.components);
  for (ComponentConfig& each : components) each.config = sections.at(ConfiguredName(each)).value;
  return components;
}

}  // namespace

// Who comes is there before who goes has gone.
Task<absl::Status> Config::Enter(const Order& order, const Transaction& transaction, bool& given) {
  const HostChanges& changes = transaction.changes;
  absl::Status done;
  if (changes.changes_components()) {
    const Components before = ComponentsOf(host_, sections_);
    const Components after = ComponentsOf(*transaction.host, transaction.next);
    const Components kept = Kept(before, after);
    if (kept.size() != before.size()) {
      Task<absl::Status> removing = roster_.Adopt(kept);
      done = co_await removing;
      if (!done.ok()) co_return done;
    }
    // A drain that begins now has to wait for all of them.
    HostConfig both = *transaction.host;
    both.components = Both(both.components, host_.components);
    options_.on_change(both);
    Task<absl::Status> adopting = roster_.Adopt(Both(after, kept));
    done = co_await adopting;
    if (!done.ok()) co_return done;
    std::vector<std::string> joining;
    for (const ComponentConfig& each : after) {
      if (!Has(kept, each.name)) joining.push_back(each.name);
    }
    Task<absl::Status> starting = roster_.AwaitStarted(std::move(joining));
    done = co_await starting;
    if (!done.ok()) co_return done;
  }
  given = true;
  Task<absl::Status> giving = Give(transaction.wanted, transaction.restarts);
  done = co_await giving;
  if (!done.ok() || order.ready_within == absl::ZeroDuration()) co_return done;
  Task<absl::Status> waiting =
      AwaitReady(transaction.wanted, After(context().Now(), order.ready_within));
  done = co_await waiting;
  co_return done;
}

Task<absl::Status> Config::Finish(const Transaction& transaction) {
  if (!transaction.host.has_value()) co_return absl::OkStatus();
  if (transaction.changes.changes_components()) {
    Task<absl::Status> adopting = roster_.Adopt(ComponentsOf(*transaction.host, transaction.next));
    const absl::Status adopted = co_await adopting;
    if (!adopted.ok()) co_return adopted;
  }
  options_.on_change(*transaction.host);
  co_return absl::OkStatus();
}

Task<absl::Status> Config::PutBack(const Transaction& transaction, bool given) {
  absl::Status done;
  if (transaction.changes.changes_components()) {
    const Components before = ComponentsOf(host_, sections_);
    const Components kept = Kept(before, ComponentsOf(*transaction.host, transaction.next));
    if (kept.size() != before.size()) {
      Task<absl::Status> removing = roster_.Adopt(kept);
      done = co_await removing;
      if (!done.ok()) co_return done;
    }
    Task<absl::Status> adopting = roster_.Adopt(before);
    done = co_await adopting;
    options_.on_change(host_);
    if (!done.ok()) co_return done;
  }
  // Nobody has been asked for anything yet.
  if (!given) co_return done;
  Task<absl::Status> giving = Give(transaction.before, transaction.restarts);
  done = co_await giving;
  co_return done;
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

}  // namespace mainspring
