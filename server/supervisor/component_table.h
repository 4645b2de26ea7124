// ComponentTable: the components of a host, as anyone may see them. Each has a number, which it
// keeps: one that has left the configuration leaves it to nobody but a later one of its name. Who
// they are, and how they are, is told on the supervisor's thread alone.
#ifndef MAINSPRING_SERVER_SUPERVISOR_COMPONENT_TABLE_H_
#define MAINSPRING_SERVER_SUPERVISOR_COMPONENT_TABLE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mainspring/context.h"
#include "mainspring/mailbox.h"
#include "mainspring/mutex.h"
#include "mainspring/replica_set.h"
#include "mainspring/runner.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/supervisor/state.h"

namespace mainspring {

struct FailureRecord {
  absl::Time time;
  std::string during;
  std::string error;
  std::string request_id;
};

// How a component is.
struct ComponentStatus {
  LifecycleState state = LifecycleState::kStopped;
  absl::Time since = absl::InfinitePast();
  std::string reason = "not started";
  uint64_t generation = 0;
  bool has_been_running = false;
  bool wanted = false;
  bool paused = false;
  bool draining = false;
  bool serving = true;  // as the instance says
  std::string why_not_serving;
  bool leaving = false;  // is to be stopped, and takes calls until those who follow health know
  bool removed = false;  // is no more in the configuration, and goes once it is down
  std::string last_error;
  std::vector<FailureRecord> failures;               // the last few
  absl::Time next_restart = absl::InfiniteFuture();  // in BACKOFF
};

// One component, as it was when it was asked for.
struct ComponentView {
  std::string name;
  std::string type;
  std::vector<std::string> services;
  bool essential = false;
  ComponentStatus status;
  MailboxStats mailbox;
  size_t mailbox_capacity = 0;
  absl::Duration oldest_call;  // how long it has waited
  // What its thread is in: an rpc's method, "construction", "Start", "Stop", "destruction", "a
  // timer", "a callback", "DependencyChanged"; empty: nothing.
  std::string method;
  absl::Duration in_method;  // for how long
  bool stalled = false;      // longer than its stall warning
  bool past_limit = false;   // longer than its stall limit
  int thread_id = 0;
  absl::Duration cpu_time;
};

// Any thread, unless a method says otherwise.
class ComponentTable final : public Directory {
 public:
  explicit ComponentTable(const TimeSource& time) : time_(time) {}

  // Supervisor's thread only, or before there is one. A component of that name, which is not here;
  // what is known of one that was is forgotten, but for its generation. Its number.
  // A ref to one that has become several, or to several that have become one, reaches what has
  // joined under that name.
  // `set`: what replicas are found by together, where none is here yet.
  size_t Add(const ComponentConfig& config, std::vector<std::string> services,
             std::shared_ptr<MailboxBase> mailbox, std::shared_ptr<AnyReplicaSet> set = nullptr);
  // It is about to go: where there are others by then that are called so, they take what it does
  // not take any more.
  void BeginLeaving(size_t component);
  void Remove(size_t component);
  // Its settings from here on: name and type stay.
  void Configure(size_t component, const ComponentConfig& config);
  void SetEssential(size_t component, bool essential);
  // Null: it has none any more.
  void SetRunner(size_t component, const Runner* runner);

  // One more than the highest number.
  size_t size() const;
  bool is_here(size_t component) const;
  // Of those that are.
  std::vector<size_t> numbers() const;
  std::optional<size_t> NumberOf(absl::string_view name) const;
  // The number of the one of that name that was here last.
  std::optional<size_t> LastNumberOf(absl::string_view name) const;

  const std::string& name(size_t component) const { return row(component).name; }
  // What these two refer to is replaced by Configure and Add: supervisor's thread only, or where
  // neither can be under way.
  const ComponentConfig& config(size_t component) const { return *row(component).config; }
  MailboxBase& mailbox(size_t component) const { return *row(component).mailbox; }
  std::shared_ptr<MailboxBase> mailbox_of(size_t component) const;
  // That it answers, by their full names.
  std::vector<std::string> services(size_t component) const;
  // Those that its replicas are called by together; null: it is none.
  std::shared_ptr<AnyReplicaSet> replica_set(size_t component) const;
  // By configuration, or because an essential component cannot do without it.
  bool essential(size_t component) const;

  // Directory.
  std::shared_ptr<Addressee> Find(absl::string_view name) const override;
  std::vector<std::string> Names() const override;

  ComponentView View(size_t component) const;
  std::vector<ComponentView> Views() const;
  // Cheaper than a view.
  LifecycleState state(size_t component) const;
  ComponentStatus status(size_t component) const;
  // RUNNING, and takes calls and serves them; has been RUNNING once.
  bool IsServing(size_t component) const;
  bool HasBeenRunning(size_t component) const;

  // The section that its next instance begins with.
  Section section(size_t component) const;
  void SetSection(size_t component, Section section);

  // How it is from here on. Supervisor's thread only.
  void Publish(size_t component, const ComponentStatus& status);

 private:
  struct Row {
    explicit Row(std::string name) : name(std::move(name)) {}

    const std::string name;
    bool is_here = true;
    std::shared_ptr<const ComponentConfig> config;
    std::vector<std::string> services;
    bool essential = false;
    std::shared_ptr<MailboxBase> mailbox;
    std::shared_ptr<AnyReplicaSet> set;
    const Runner* runner = nullptr;
    ComponentStatus status;
    Section section;
  };

  // It stays where it is.
  const Row& row(size_t component) const {
    MutexLock lock(mutex_);
    return rows_[component];
  }

  static bool IsServing(const Row& row);
  // Null: there is none, and there was none.
  const Row* RowOf(const std::string& name) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<AnyReplicaSet> SetOf(const std::string& name, const std::string& type) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const TimeSource& time_;
  mutable Mutex mutex_;
  std::deque<Row> rows_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, size_t> numbers_ ABSL_GUARDED_BY(mutex_);
  // By the type too: whoever has kept one reaches the replicas that come later.
  std::map<std::pair<std::string, std::string>, std::shared_ptr<AnyReplicaSet>> sets_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_COMPONENT_TABLE_H_
