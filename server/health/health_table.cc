#include "mainspring/server/health/health_table.h"

#include <algorithm>
#include <utility>

namespace mainspring {

HealthTable::HealthTable(const ComponentTable& components, std::function<bool()> host_alive)
    : components_(components), host_alive_(std::move(host_alive)) {
  MutexLock lock(mutex_);
  for (const char* name : {"", "readiness"}) entries_[name].readiness = true;
  entries_["liveness"].liveness = true;
  entries_["startup"].startup = true;
  for (const size_t each : components.numbers()) {
    Join(each);
    Member& member = members_[each];
    member.starts_with_host = components.config(each).autostart;
    member.health = HealthOf(each, /*past_limit=*/false);
    Count(member, true);
  }
}

HealthTable::Meaning& HealthTable::Touch(const std::string& name, Member& member, Names& joined) {
  const auto [entry, is_new] = entries_.try_emplace(name);
  if (is_new) joined.push_back(name);
  auto& touched = member.touched;
  if (std::find(touched.begin(), touched.end(), &*entry) == touched.end()) {
    touched.push_back(&*entry);
  }
  return entry->second;
}

HealthTable::Names HealthTable::Join(size_t component) {
  Names joined;
  if (members_.size() <= component) members_.resize(component + 1);
  Member& member = members_[component];
  for (const char* name : {"", "readiness", "liveness", "startup"}) Touch(name, member, joined);
  // Several replicas serve by their name as they do by that of a service.
  Names services = components_.services(component);
  if (const auto set = components_.replica_set(component)) services.push_back(set->component());
  for (const std::string& name : services) {
    const size_t service = service_numbers_.emplace(name, services_.size()).first->second;
    if (service == services_.size()) services_.emplace_back();
    ++services_[service].members;
    member.services.push_back(service);
    Touch(name, member, joined).service = service;
  }
  Touch(components_.name(component), member, joined).component = component;
  return joined;
}

HealthTable::Names HealthTable::Leave(size_t component) {
  Names left;
  Member& member = members_[component];
  for (const size_t service : std::exchange(member.services, {})) --services_[service].members;
  for (Entries::value_type* entry : std::exchange(member.touched, {})) {
    Meaning& meaning = entry->second;
    if (meaning.component == component) meaning.component.reset();
    if (meaning.service.has_value() && services_[*meaning.service].members == 0) {
      meaning.service.reset();
    }
    if (!meaning.is_hosts() && !meaning.component.has_value() && !meaning.service.has_value()) {
      left.push_back(entry->first);
      entries_.erase(left.back());
    }
  }
  member = Member();
  return left;
}

std::optional<bool> HealthTable::Serves(const std::string& name) const {
  const bool host_alive = host_alive_();
  MutexLock lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  return IsServing(found->second, host_alive);
}

// The lock is let go between two names: nobody waits for all of them.
std::map<std::string, bool> HealthTable::All() const {
  Names names;
  {
    MutexLock lock(mutex_);
    for (const auto& [name, meaning] : entries_) names.push_back(name);
  }
  std::map<std::string, bool> all;
  for (const std::string& name : names) {
    if (const std::optional<bool> serves = Serves(name)) all.emplace(name, *serves);
  }
  return all;
}

bool HealthTable::ready() const { return *Serves("readiness"); }

bool HealthTable::alive() const { return *Serves("liveness"); }

bool HealthTable::IsServing(const Meaning& meaning, bool host_alive) const {
  if (meaning.readiness && (draining_ || essential_missing_ > 0)) return false;
  if (meaning.liveness && (!host_alive || past_limit_ > 0)) return false;
  if (meaning.startup && not_started_ > 0) return false;
  if (meaning.component.has_value() &&
      (draining_ || !members_[*meaning.component].health.serving)) {
    return false;
  }
  return !meaning.service.has_value() || (!draining_ && services_[*meaning.service].serving > 0);
}

HealthTable::Names HealthTable::Update(size_t component) {
  bool past_limit = false;
  {
    MutexLock lock(mutex_);
    if (component < members_.size()) past_limit = members_[component].health.past_limit;
  }
  return Change(component, past_limit);
}

HealthTable::Names HealthTable::SetPastLimit(size_t component, bool past_limit) {
  return Change(component, past_limit);
}

HealthTable::Health HealthTable::HealthOf(size_t component, bool past_limit) const {
  Health health;
  const bool is_essential = components_.essential(component);
  health.serving = components_.IsServing(component);
  health.missing = is_essential && !health.serving;
  health.not_started = is_essential && !components_.HasBeenRunning(component);
  health.past_limit = past_limit;
  return health;
}

HealthTable::Names HealthTable::Change(size_t component, bool past_limit) {
  const bool is_here = components_.is_here(component);
  const Health health = HealthOf(component, past_limit);
  const bool host_alive = host_alive_();
  Names changed;
  MutexLock lock(mutex_);
  const bool was_here = component < members_.size() && !members_[component].touched.empty();
  if (!was_here && !is_here) return changed;
  if (!was_here) changed = Join(component);
  const size_t known = changed.size();
  Member& member = members_[component];
  std::vector<bool> before;
  for (const auto* each : member.touched) before.push_back(IsServing(each->second, host_alive));
  Count(member, false);
  member.health = is_here ? health : Health();
  Count(member, true);
  for (size_t i = 0; i < member.touched.size(); ++i) {
    const auto& [name, meaning] = *member.touched[i];
    const auto joined = changed.begin() + static_cast<ptrdiff_t>(known);
    if (IsServing(meaning, host_alive) != before[i] &&
        std::find(changed.begin(), joined, name) == joined) {
      changed.push_back(name);
    }
  }
  if (is_here) return changed;
  for (std::string& each : Leave(component)) {
    if (std::find(changed.begin(), changed.end(), each) == changed.end()) {
      changed.push_back(std::move(each));
    }
  }
  return changed;
}

void HealthTable::Count(const Member& member, bool in) {
  const Health& health = member.health;
  const auto count = [in](size_t& counted) { in ? ++counted : --counted; };
  if (health.serving) {
    for (const size_t service : member.services) count(services_[service].serving);
  }
  if (health.missing) count(essential_missing_);
  if (health.not_started && member.starts_with_host) count(not_started_);
  if (health.past_limit) count(past_limit_);
}

void HealthTable::Drain() {
  MutexLock lock(mutex_);
  draining_ = true;
}

}  // namespace mainspring
