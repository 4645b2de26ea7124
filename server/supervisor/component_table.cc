#include "mainspring/server/supervisor/component_table.h"

#include <algorithm>
#include <utility>

namespace mainspring {

void ComponentTable::Add(const ComponentConfig& config, std::vector<std::string> services,
                         bool essential, std::shared_ptr<MailboxBase> mailbox) {
  numbers_.emplace(config.name, rows_.size());
  rows_.push_back(
      std::make_unique<Row>(Row{config, std::move(services), essential, std::move(mailbox)}));
  MutexLock lock(mutex_);
  statuses_.emplace_back();
  sections_.push_back(config.config);
}

std::optional<size_t> ComponentTable::NumberOf(absl::string_view name) const {
  const auto found = numbers_.find(std::string(name));
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

std::shared_ptr<MailboxBase> ComponentTable::Find(absl::string_view name) const {
  const std::optional<size_t> number = NumberOf(name);
  return number.has_value() ? rows_[*number]->mailbox : nullptr;
}

std::vector<std::string> ComponentTable::Names() const {
  std::vector<std::string> names;
  for (const auto& row : rows_) names.push_back(row->config.name);
  return names;
}

void ComponentTable::Publish(size_t component, const ComponentStatus& status) {
  MutexLock lock(mutex_);
  statuses_[component] = status;
}

ComponentView ComponentTable::View(size_t component) const {
  const Row& row = *rows_[component];
  ComponentView view;
  view.name = row.config.name;
  view.type = row.config.type;
  view.services = row.services;
  view.essential = row.essential;
  {
    MutexLock lock(mutex_);
    view.status = statuses_[component];
  }
  view.mailbox = row.mailbox->stats();
  view.mailbox_capacity = row.config.mailbox.max_calls;
  const SteadyTime oldest = row.mailbox->oldest_call();
  if (oldest != kNever) {
    view.oldest_call = std::max(Between(oldest, time_.Now()), absl::ZeroDuration());
  }
  if (const char* method = row.mailbox->thread_status().doing(); method != nullptr) {
    view.method = method;
    view.in_method = InMethod(row, method);
    view.stalled = view.in_method > row.config.stall_warning;
    view.past_limit = view.in_method > row.config.stall_limit;
  }
  if (row.runner != nullptr) {
    view.thread_id = row.runner->thread_id();
    view.cpu_time = row.runner->cpu_time();
  }
  return view;
}

std::vector<ComponentView> ComponentTable::Views() const {
  std::vector<ComponentView> views;
  views.reserve(rows_.size());
  for (size_t i = 0; i < rows_.size(); ++i) views.push_back(View(i));
  return views;
}

LifecycleState ComponentTable::state(size_t component) const {
  MutexLock lock(mutex_);
  return statuses_[component].state;
}

ComponentStatus ComponentTable::status(size_t component) const {
  MutexLock lock(mutex_);
  return statuses_[component];
}

Section ComponentTable::section(size_t component) const {
  MutexLock lock(mutex_);
  return sections_[component];
}

void ComponentTable::SetSection(size_t component, Section section) {
  MutexLock lock(mutex_);
  // What was there goes without the lock.
  sections_[component].swap(section);
}

bool ComponentTable::IsServing(size_t component) const {
  MutexLock lock(mutex_);
  const ComponentStatus& status = statuses_[component];
  return status.state == LifecycleState::kRunning && !status.draining && !status.paused &&
         !status.leaving && status.serving;
}

bool ComponentTable::HasBeenRunning(size_t component) const {
  MutexLock lock(mutex_);
  return statuses_[component].has_been_running;
}

absl::Duration ComponentTable::InMethod(const Row& row, const char* method) const {
  if (method == nullptr) return absl::ZeroDuration();
  return std::max(Between(row.mailbox->thread_status().since(), time_.Now()), absl::ZeroDuration());
}

}  // namespace mainspring
