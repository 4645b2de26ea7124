// The part that carries a change out, and puts all back where that does not go well.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/server/reconfigure/config.h"

namespace mainspring {

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

// Who comes is there before who goes has gone.
Task<absl::Status> Config::Enter(const Order& order, const Transaction& transaction, bool& given) {
  const HostChanges& changes = transaction.changes;
  absl::Status done;
  if (changes.changes_components()) {
    const Components before = ComponentsOf(host_.config(), sections_);
    const Components after = ComponentsOf(transaction.host->config(), transaction.next);
    const Components kept = Kept(before, after);
    if (kept.size() != before.size()) {
      Task<absl::Status> removing = membership_.Adopt(kept);
      done = co_await removing;
      if (!done.ok()) co_return done;
    }
    // A drain that begins now has to wait for all of them.
    HostConfig both = transaction.host->config();
    both.components = Both(both.components, host_.config().components);
    options_.on_change(both);
    Task<absl::Status> adopting = membership_.Adopt(Both(after, kept));
    done = co_await adopting;
    if (!done.ok()) co_return done;
    std::vector<std::string> joining;
    for (const ComponentConfig& each : after) {
      if (!Has(kept, each.name)) joining.push_back(each.name);
    }
    Task<absl::Status> starting = membership_.AwaitStarted(std::move(joining));
    done = co_await starting;
    if (!done.ok()) co_return done;
  }
  given = true;
  Task<absl::Status> giving = Give(transaction.wanted, transaction.restarts);
  done = co_await giving;
  if (!done.ok() || order.ready_within == absl::ZeroDuration()) co_return done;
  const auto& changed = transaction.made.revision().names();
  const std::set<std::string> names(changed.begin(), changed.end());
  Task<absl::Status> waiting = AwaitReady(names, After(context().Now(), order.ready_within));
  done = co_await waiting;
  co_return done;
}

Task<absl::Status> Config::Finish(const Transaction& transaction) {
  if (!transaction.host.has_value()) co_return absl::OkStatus();
  if (transaction.changes.changes_components()) {
    Task<absl::Status> adopting =
        membership_.Adopt(ComponentsOf(transaction.host->config(), transaction.next));
    const absl::Status adopted = co_await adopting;
    if (!adopted.ok()) co_return adopted;
  }
  options_.on_change(transaction.host->config());
  co_return absl::OkStatus();
}

Task<absl::Status> Config::PutBack(const Transaction& transaction, bool given) {
  absl::Status done;
  if (transaction.changes.changes_components()) {
    const Components before = ComponentsOf(host_.config(), sections_);
    const Components kept =
        Kept(before, ComponentsOf(transaction.host->config(), transaction.next));
    if (kept.size() != before.size()) {
      Task<absl::Status> removing = membership_.Adopt(kept);
      done = co_await removing;
      if (!done.ok()) co_return done;
    }
    Task<absl::Status> adopting = membership_.Adopt(before);
    done = co_await adopting;
    options_.on_change(host_.config());
    if (!done.ok()) co_return done;
  }
  // Nobody has been asked for anything yet.
  if (!given) co_return done;
  Task<absl::Status> giving = Give(transaction.before, transaction.restarts);
  done = co_await giving;
  co_return done;
}

}  // namespace mainspring
