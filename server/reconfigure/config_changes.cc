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

template <class Asked>
absl::Status Config::WhatIf(const Asked& request, Order& order) {
  if (!request.of_file()) order.changes = &request.changes();
  if (!request.of_file() || request.changes().empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("changes: with of_file there are none");
}

// Both look at what a change would be, and make none.
void Config::ValidateConfig(proto::ValidateConfigRequest request,
                            Reply<proto::ValidateConfigResponse> reply) {
  Answer<Nothing> turn = turns_.Take();
  const absl::StatusOr<Nothing> taken = co_await std::move(turn);
  if (!taken.ok()) co_return reply.Fail(taken.status());
  const absl::Cleanup give = [this] { turns_.Give(); };
  Order order;
  absl::Status asked = Admit(order);
  if (asked.ok()) asked = WhatIf(request, order);
  if (!asked.ok()) co_return reply.Fail(asked);
  Task<absl::StatusOr<Wanted>> reading = Read(order);
  absl::StatusOr<Wanted> wanted = co_await reading;
  if (!wanted.ok()) co_return reply.Fail(wanted.status());
  const Transaction transaction = Begin(order, *std::move(wanted));
  const absl::Status sound = CheckEssential(transaction);
  if (!sound.ok()) co_return reply.Fail(sound);
  Task<absl::Status> validating = Validate(transaction.wanted);
  const absl::Status said = co_await validating;
  if (!said.ok()) co_return reply.Fail(said);
  reply.Send(proto::ValidateConfigResponse());
}

void Config::DiffConfig(proto::DiffConfigRequest request, Reply<proto::DiffConfigResponse> reply) {
  Answer<Nothing> turn = turns_.Take();
  const absl::StatusOr<Nothing> taken = co_await std::move(turn);
  if (!taken.ok()) co_return reply.Fail(taken.status());
  const absl::Cleanup give = [this] { turns_.Give(); };
  Order order;
  const absl::Status asked = WhatIf(request, order);
  if (!asked.ok()) co_return reply.Fail(asked);
  Task<absl::StatusOr<Wanted>> reading = Read(order);
  absl::StatusOr<Wanted> wanted = co_await reading;
  if (!wanted.ok()) co_return reply.Fail(wanted.status());
  proto::DiffConfigResponse response;
  *response.mutable_changes() = Begin(order, *std::move(wanted)).made.changes();
  reply.Send(std::move(response));
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
  order.changes = &request.changes();
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
  absl::StatusOr<StoredRevision> made;
  if (request.has_revision()) {
    order.revision.set_rollback_to(request.revision());
    Task<absl::StatusOr<StoredRevision>> making = Make(order);
    made = co_await making;
  } else {
    made = absl::InvalidArgumentError("revision: missing; 0 is what the file says");
  }
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
  Task<absl::StatusOr<StoredRevision>> making = MakeNow(order);
  absl::StatusOr<StoredRevision> made = co_await making;
  co_return made;
}

Task<absl::StatusOr<proto::StoredRevision>> Config::MakeNow(const Order& order) {
  const absl::Status admitted = Admit(order);
  if (!admitted.ok()) co_return admitted;
  Task<absl::StatusOr<Wanted>> reading = Read(order);
  absl::StatusOr<Wanted> wanted = co_await reading;
  if (!wanted.ok()) co_return wanted.status();
  for (const std::string& each : wanted->warnings) {
    options_.log.Warning("config", {{"warning", each}});
  }
  wanted->sections = Different(std::move(wanted->sections), sections_);
  const Transaction transaction = Begin(order, *std::move(wanted));
  if (transaction.made.changes().empty() && transaction.wanted.empty() &&
      !IsHeldOtherwise(transaction.host)) {
    // What the file says of what a revision holds over it is known from here on.
    sections_ = transaction.next;
    if (transaction.host.has_value()) host_ = *transaction.host;
    StoredRevision same;
    *same.mutable_revision() = Latest();
    co_return same;
  }
  const absl::Status sound = CheckEssential(transaction);
  if (!sound.ok()) co_return sound;
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

Config::Transaction Config::Begin(const Order& order, Wanted wanted) const {
  Transaction transaction{.wanted = std::move(wanted.sections),
                          .before = {},
                          .restarts = {},
                          .next = sections_,
                          .made = {},
                          .host = std::move(wanted.host),
                          .changes = {}};
  Revision& revision = *transaction.made.mutable_revision();
  revision = order.revision;
  revision.set_number(store_.next_number());
  ToProto(context().WallNow(), *revision.mutable_time());
  transaction.made.set_fingerprint(order.fingerprint);
  std::set<std::string> names;
  if (transaction.host.has_value()) {
    transaction.changes = Compare(host_.config(), transaction.host->config());
    transaction.next.SetFile(transaction.host->config());
    names = transaction.changes.names;
    transaction.restarts.insert(transaction.changes.restarting.begin(),
                                transaction.changes.restarting.end());
    for (const proto::FieldChange& each : transaction.changes.fields) {
      *transaction.made.add_changes() = each;
    }
    if (!transaction.changes.fields.empty() || IsHeldOtherwise(transaction.host)) {
      transaction.host->revision = revision.number();
    }
  }
  const auto enter = [&](const WantedSection& wanted) {
    SectionInForce& next = transaction.next.at(wanted.component);
    next.value = wanted.value;
    next.revision = revision.number();
    next.is_the_files = wanted.is_the_files;
    next.keep_over_file = wanted.keep_over_file;
  };
  // One that joins, or another in the place of one, begins with it: nobody is there to be asked.
  std::erase_if(transaction.wanted, [&](const WantedSection& each) {
    const auto known = sections_.all().find(each.component);
    if (known != sections_.all().end() &&
        known->second.type == transaction.next.at(each.component).type) {
      return false;
    }
    enter(each);
    return true;
  });
  for (const WantedSection& each : transaction.wanted) {
    names.insert(each.component);
    transaction.before.push_back({each.component, sections_.at(each.component).value});
    for (proto::FieldChange& change : Compare({each}, sections_)) {
      if (change.effect() != proto::EFFECT_LIVE) transaction.restarts.insert(each.component);
      *transaction.made.add_changes() = std::move(change);
    }
    enter(each);
  }
  for (const std::string& each : names) revision.add_names(each);
  transaction.next.Store(transaction.made);
  if (transaction.host.has_value())
    transaction.host->Store(transaction.made);
  else
    host_.Store(transaction.made);
  return transaction;
}

// The host drains when an essential component fails, and not when one that has becomes so.
absl::Status Config::CheckEssential(const Transaction& transaction) const {
  if (!transaction.host.has_value()) return absl::OkStatus();
  for (const ComponentConfig& before : host_.config().components) {
    const ComponentConfig* const then = transaction.host->config().Find(before.name);
    if (before.essential || then == nullptr || !then->essential) continue;
    for (const size_t number : NumbersOf(before.name)) {
      if (options_.table.state(number) != LifecycleState::kFailed) continue;
      return absl::FailedPreconditionError(
          absl::StrCat("component \"", options_.table.name(number),
                       "\" is FAILED, and cannot become essential; start it first"));
    }
  }
  return absl::OkStatus();
}

// Whether it would hold at the next start where it does not now, or the other way round.
bool Config::IsHeldOtherwise(const std::optional<HostInForce>& host) const {
  return host.has_value() &&
         (host->is_the_files != host_.is_the_files || host->keep_over_file != host_.keep_over_file);
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
