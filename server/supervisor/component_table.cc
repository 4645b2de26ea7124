#include "mainspring/server/supervisor/component_table.h"

#include <algorithm>
#include <utility>

namespace mainspring {

size_t ComponentTable::Add(const ComponentConfig& config, std::vector<std::string> services,
                           std::shared_ptr<MailboxBase> mailbox,
                           std::shared_ptr<AnyReplicaSet> set) {
  MutexLock lock(mutex_);
  const auto [number, is_new] = numbers_.emplace(config.name, rows_.size());
  if (is_new) rows_.emplace_back(config.name);
  Row& row = rows_[number->second];
  row.is_here = true;
  row.config = std::make_shared<ComponentConfig>(config);
  row.services = std::move(services);
  row.essential = config.essential;
  row.mailbox = std::move(mailbox);
  row.section = config.config;
  row.set = nullptr;
  if (set != nullptr) {
    row.set = sets_.try_emplace({config.replica_of, config.type}, std::move(set)).first->second;
    row.set->Add(row.mailbox);
    row.set->SetStandIn(nullptr);
    const Row* const single = RowOf(config.replica_of);
    if (single != nullptr && !single->is_here) single->mailbox->SetStandIn(row.set);
  } else if (const auto replicas = SetOf(config.name, config.type);
             replicas != nullptr && replicas->empty()) {
    replicas->SetStandIn(row.mailbox);
  }
  row.mailbox->SetStandIn(nullptr);
  const ComponentStatus before = std::exchange(row.status, {});
  row.status.generation = before.generation;
  return number->second;
}

void ComponentTable::BeginLeaving(size_t component) {
  MutexLock lock(mutex_);
  const Row& row = rows_[component];
  if (row.set == nullptr) {
    const auto replicas = SetOf(row.name, row.config->type);
    row.mailbox->SetStandIn(replicas == nullptr || replicas->empty() ? nullptr : replicas);
  } else if (const Row* const single = RowOf(row.config->replica_of);
             single != nullptr && single->is_here) {
    row.set->SetStandIn(single->mailbox);
  }
}

const ComponentTable::Row* ComponentTable::RowOf(const std::string& name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? nullptr : &rows_[found->second];
}

std::shared_ptr<AnyReplicaSet> ComponentTable::SetOf(const std::string& name,
                                                     const std::string& type) const {
  const auto found = sets_.find({name, type});
  return found == sets_.end() ? nullptr : found->second;
}

void ComponentTable::Remove(size_t component) {
  MutexLock lock(mutex_);
  Row& row = rows_[component];
  row.is_here = false;
  row.mailbox->SetServes(false);
  if (row.set != nullptr) row.set->Remove(*row.mailbox);
}

void ComponentTable::Configure(size_t component, const ComponentConfig& config) {
  auto copy = std::make_shared<const ComponentConfig>(config);
  // What was there goes without the lock.
  MutexLock lock(mutex_);
  rows_[component].config.swap(copy);
}

void ComponentTable::SetEssential(size_t component, bool essential) {
  MutexLock lock(mutex_);
  rows_[component].essential = essential;
}

void ComponentTable::SetRunner(size_t component, const Runner* runner) {
  MutexLock lock(mutex_);
  rows_[component].runner = runner;
}

size_t ComponentTable::size() const {
  MutexLock lock(mutex_);
  return rows_.size();
}

bool ComponentTable::is_here(size_t component) const {
  MutexLock lock(mutex_);
  return rows_[component].is_here;
}

std::vector<size_t> ComponentTable::numbers() const {
  std::vector<size_t> numbers;
  MutexLock lock(mutex_);
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].is_here) numbers.push_back(i);
  }
  return numbers;
}

std::optional<size_t> ComponentTable::LastNumberOf(absl::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = numbers_.find(std::string(name));
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

std::optional<size_t> ComponentTable::NumberOf(absl::string_view name) const {
  const std::optional<size_t> number = LastNumberOf(name);
  return number.has_value() && is_here(*number) ? number : std::nullopt;
}

std::vector<std::string> ComponentTable::services(size_t component) const {
  MutexLock lock(mutex_);
  return rows_[component].services;
}

bool ComponentTable::essential(size_t component) const {
  MutexLock lock(mutex_);
  return rows_[component].essential;
}

std::shared_ptr<Addressee> ComponentTable::Find(absl::string_view name) const {
  const std::optional<size_t> number = NumberOf(name);
  if (number.has_value()) return mailbox_of(*number);
  MutexLock lock(mutex_);
  for (const auto& [key, set] : sets_) {
    if (key.first == name && !set->empty()) return set;
  }
  return nullptr;
}

std::shared_ptr<AnyReplicaSet> ComponentTable::replica_set(size_t component) const {
  MutexLock lock(mutex_);
  return rows_[component].set;
}

std::shared_ptr<MailboxBase> ComponentTable::mailbox_of(size_t component) const {
  MutexLock lock(mutex_);
  return rows_[component].mailbox;
}

std::vector<std::string> ComponentTable::Names() const {
  std::vector<std::string> names;
  for (const size_t each : numbers()) names.push_back(name(each));
  return names;
}

void ComponentTable::Publish(size_t component, const ComponentStatus& status) {
  MutexLock lock(mutex_);
  Row& row = rows_[component];
  row.status = status;
  row.mailbox->SetServes(IsServing(row));
}

ComponentView ComponentTable::View(size_t component) const {
  ComponentView view;
  std::shared_ptr<const ComponentConfig> config;
  std::shared_ptr<MailboxBase> mailbox;
  {
    MutexLock lock(mutex_);
    const Row& row = rows_[component];
    config = row.config;
    mailbox = row.mailbox;
    view.services = row.services;
    view.essential = row.essential;
    view.status = row.status;
    if (row.runner != nullptr) {
      view.thread_id = row.runner->thread_id();
      view.cpu_time = row.runner->cpu_time();
    }
  }
  view.name = config->name;
  view.type = config->type;
  view.mailbox = mailbox->stats();
  view.mailbox_capacity = config->mailbox.max_calls;
  const SteadyTime oldest = mailbox->oldest_call();
  if (oldest != kNever) {
    view.oldest_call = std::max(Between(oldest, time_.Now()), absl::ZeroDuration());
  }
  const ThreadStatus& thread = mailbox->thread_status();
  if (const char* method = thread.doing(); method != nullptr) {
    view.method = method;
    view.in_method = std::max(Between(thread.since(), time_.Now()), absl::ZeroDuration());
    view.stalled = view.in_method > config->stall_warning;
    view.past_limit = view.in_method > config->stall_limit;
  }
  return view;
}

std::vector<ComponentView> ComponentTable::Views() const {
  std::vector<ComponentView> views;
  for (const size_t each : numbers()) views.push_back(View(each));
  return views;
}

LifecycleState ComponentTable::state(size_t component) const {
  MutexLock lock(mutex_);
  return rows_[component].status.state;
}

ComponentStatus ComponentTable::status(size_t component) const {
  MutexLock lock(mutex_);
  return rows_[component].status;
}

Section ComponentTable::section(size_t component) const {
  MutexLock lock(mutex_);
  return rows_[component].section;
}

void ComponentTable::SetSection(size_t component, Section section) {
  MutexLock lock(mutex_);
  // What was there goes without the lock.
  rows_[component].section.swap(section);
}

bool ComponentTable::IsServing(const Row& row) {
  const ComponentStatus& status = row.status;
  return row.is_here && status.state == LifecycleState::kRunning && !status.draining &&
         !status.paused && !status.leaving && status.serving;
}

bool ComponentTable::IsServing(size_t component) const {
  MutexLock lock(mutex_);
  return IsServing(rows_[component]);
}

bool ComponentTable::HasBeenRunning(size_t component) const {
  MutexLock lock(mutex_);
  return rows_[component].status.has_been_running;
}

}  // namespace mainspring
