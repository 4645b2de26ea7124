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
Components Both(const Components& one, const Components& other) {
  Components both = one;
  for (const ComponentConfig& each : other) {
    if (!Has(one, each.name)) both.push_back(each);
  }
  return both;
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

// It is written before anybody is told, and accepted once all have taken it: a kill, or a refusal,
// before then leaves nothing, so that nothing that cannot start is there at the next start.
Task<absl::Status> Config::Carry(const Order& order, const Transaction& transaction) {
  absl::Status done = store_.Prepare(transaction.made);
  if (!done.ok()) co_return done;
  bool given = false;
  Task<absl::Status> entering = Enter(order, transaction, given);
  done = co_await entering;
  if (done.ok()) done = store_.Commit();
  if (done.ok()) {
    Task<absl::Status> finishing = Finish(transaction);
    done = co_await finishing;
  }
  if (done.ok()) co_return done;
  store_.Discard();
  if (store_.latest() != nullptr &&
      store_.latest()->revision().number() == transaction.made.revision().number()) {
    const absl::Status removed = store_.RemoveLatest();
    if (!removed.ok())
      options_.log.Error("config", {{"removed", "no"}, {"why", removed.message()}});
  }
  Task<absl::Status> putting_back = PutBack(transaction, given);
  const absl::Status put_back = co_await putting_back;
  std::string now = "; the configuration is what it was";
  if (!put_back.ok() && !options_.draining()) {
    options_.log.Error("config", {{"put_back", "no"}, {"why", put_back.message()}});
    now = absl::StrCat("; and not all could be put back: ", std::string(put_back.message()));
  }
  co_return absl::Status(absl::IsInvalidArgument(done) ? absl::StatusCode::kAborted : done.code(),
                         absl::StrCat(std::string(done.message()), now));
}

// Who comes is there before who goes has gone.
Task<absl::Status> Config::Enter(const Order& order, const Transaction& transaction, bool& given) {
  absl::Status done;
  // Who has just come has it all, and who is about to go needs none of it.
  std::set<std::string> spared;
  if (transaction.changes.changes_components()) {
    const Components before = ComponentsOf(host_.config(), sections_);
    const Components after = ComponentsOf(transaction.host->config(), transaction.next);
    const Components kept = Kept(before, after);
    // A drain that begins now has to wait for all of them.
    HostConfig both = transaction.host->config();
    both.components = Both(both.components, host_.config().components);
    options_.on_change(both);
    Task<absl::Status> adopting = AdoptInPlaceOf(kept, before, Both(after, kept));
    done = co_await adopting;
    if (!done.ok()) co_return done;
    std::vector<std::string> joining;
    for (const ComponentConfig& each : after) {
      if (!Has(kept, each.name)) joining.push_back(each.name);
    }
    spared.insert(joining.begin(), joining.end());
    for (const ComponentConfig& each : kept) {
      if (!Has(after, each.name)) spared.insert(each.name);
    }
    Task<absl::Status> starting = membership_.AwaitStarted(std::move(joining));
    done = co_await starting;
    if (!done.ok()) co_return done;
  }
  given = true;
  Task<absl::Status> giving = Give(transaction.wanted, transaction.restarts, spared);
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

// All that can be.
Task<absl::Status> Config::PutBack(const Transaction& transaction, bool given) {
  absl::Status done;
  if (transaction.changes.changes_components()) {
    const Components before = ComponentsOf(host_.config(), sections_);
    const Components after = ComponentsOf(transaction.host->config(), transaction.next);
    Task<absl::Status> adopting = AdoptInPlaceOf(Kept(before, after), before, before);
    done = co_await adopting;
    options_.on_change(host_.config());
  }
  // Nobody has been asked for anything before.
  if (!given) co_return done;
  const std::set<std::string> nobody;
  Task<absl::Status> giving = Give(transaction.before, transaction.restarts, nobody);
  const absl::Status taken = co_await giving;
  done.Update(taken);
  co_return done;
}

// Who has the name of another that comes goes first.
Task<absl::Status> Config::AdoptInPlaceOf(std::vector<ComponentConfig> kept,
                                          const std::vector<ComponentConfig>& before,
                                          std::vector<ComponentConfig> after) {
  if (kept.size() != before.size()) {
    Task<absl::Status> removing = membership_.Adopt(std::move(kept));
    const absl::Status removed = co_await removing;
    if (!removed.ok()) co_return removed;
  }
  Task<absl::Status> adopting = membership_.Adopt(std::move(after));
  const absl::Status adopted = co_await adopting;
  co_return adopted;
}

}  // namespace mainspring
