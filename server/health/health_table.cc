#include "mainspring/server/health/health_table.h"

#include <algorithm>
#include <utility>

namespace mainspring {

HealthTable::HealthTable(const ComponentTable& components, std::function<bool()> host_alive)
    : components_(components),
      host_alive_(std::move(host_alive)),
      touched_(components.size()),
      health_(components.size()) {
  std::vector<const Entries::value_type*> always;
  const auto reserve = [&](const char* name, bool Meaning::*what) {
    Entries::value_type& entry = *entries_.try_emplace(name).first;
    entry.second.*what = true;
    always.push_back(&entry);
  };
  reserve("", &Meaning::readiness);
  reserve("readiness", &Meaning::readiness);
  reserve("liveness", &Meaning::liveness);
  reserve("startup", &Meaning::startup);
  MutexLock lock(mutex_);
  for (size_t i = 0; i < components.size(); ++i) {
    touched_[i] = always;
    const auto touch = [&](const Entries::value_type& entry) {
      if (std::find(touched_[i].begin(), touched_[i].end(), &entry) == touched_[i].end()) {
        touched_[i].push_back(&entry);
      }
    };
    services_.emplace_back();
    for (const std::string& name : components.services(i)) {
      Entries::value_type& service = *entries_.try_emplace(name).first;
      if (!service.second.service.has_value()) {
        service.second.service = serving_.size();
        serving_.push_back(0);
      }
      services_.back().push_back(*service.second.service);
      touch(service);
    }
    Entries::value_type& component = *entries_.try_emplace(components.name(i)).first;
    component.second.component = i;
    touch(component);
    health_[i] = {components.IsServing(i), components.HasBeenRunning(i), false};
    Count(i, true);
  }
}

std::optional<bool> HealthTable::Serves(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  const bool host_alive = host_alive_();
  MutexLock lock(mutex_);
  return IsServing(found->second, host_alive);
}

// The lock is let go between two names: nobody waits for all of them.
std::map<std::string, bool> HealthTable::All() const {
  std::map<std::string, bool> all;
  for (const auto& [name, meaning] : entries_) all.emplace(name, *Serves(name));
  return all;
}

bool HealthTable::ready() const { return *Serves("readiness"); }

bool HealthTable::alive() const { return *Serves("liveness"); }

bool HealthTable::IsServing(const Meaning& meaning, bool host_alive) const {
  if (meaning.readiness && (draining_ || essential_missing_ > 0)) return false;
  if (meaning.liveness && (!host_alive || past_limit_ > 0)) return false;
  if (meaning.startup && not_started_ > 0) return false;
  if (meaning.component.has_value() && (draining_ || !health_[*meaning.component].serving)) {
    return false;
  }
  return !meaning.service.has_value() || (!draining_ && serving_[*meaning.service] > 0);
}

HealthTable::Names HealthTable::Update(size_t component) {
  Health health;
  {
    MutexLock lock(mutex_);
    health = health_[component];
  }
  health.serving = components_.IsServing(component);
  health.started = components_.HasBeenRunning(component);
  return Change(component, health);
}

HealthTable::Names HealthTable::SetPastLimit(size_t component, bool past_limit) {
  Health health;
  {
    MutexLock lock(mutex_);
    health = health_[component];
  }
  health.past_limit = past_limit;
  return Change(component, health);
}

HealthTable::Names HealthTable::Change(size_t component, const Health& health) {
  const auto& touched = touched_[component];
  const bool host_alive = host_alive_();
  Names changed;
  MutexLock lock(mutex_);
  std::vector<bool> before;
  for (const auto* each : touched) before.push_back(IsServing(each->second, host_alive));
  Count(component, false);
  health_[component] = health;
  Count(component, true);
  for (size_t i = 0; i < touched.size(); ++i) {
    if (IsServing(touched[i]->second, host_alive) != before[i])
      changed.push_back(touched[i]->first);
  }
  return changed;
}

void HealthTable::Count(size_t component, bool in) {
  const Health& health = health_[component];
  const auto count = [in](size_t& counted) { in ? ++counted : --counted; };
  if (health.serving) {
    for (const size_t service : services_[component]) count(serving_[service]);
  }
  if (!health.serving && components_.essential(component)) count(essential_missing_);
  if (!health.started && components_.essential(component) &&
      components_.config(component).autostart) {
    count(not_started_);
  }
  if (health.past_limit) count(past_limit_);
}

void HealthTable::Drain() {
  MutexLock lock(mutex_);
  draining_ = true;
}

}  // namespace mainspring
