// ComponentTable: the components of a host, as anyone may see them. Who they are is fixed before
// the host starts; how they are is told by the supervisor alone, which needs no lock for its own.
#ifndef MAINSPRING_SERVER_SUPERVISOR_COMPONENT_TABLE_H_
#define MAINSPRING_SERVER_SUPERVISOR_COMPONENT_TABLE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mainspring/context.h"
#include "mainspring/mailbox.h"
#include "mainspring/mutex.h"
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

  // Before the host starts.
  void Add(const ComponentConfig& config, std::vector<std::string> services, bool essential,
           std::shared_ptr<MailboxBase> mailbox);
  void SetRunner(size_t component, const Runner& runner) { rows_[component]->runner = &runner; }

  size_t size() const { return rows_.size(); }
  const ComponentConfig& config(size_t component) const { return rows_[component]->config; }
  const std::string& name(size_t component) const { return rows_[component]->config.name; }
  // That it answers, by their full names.
  const std::vector<std::string>& services(size_t component) const {
    return rows_[component]->services;
  }
  // By configuration, or because an essential component cannot do without it.
  bool essential(size_t component) const { return rows_[component]->essential; }
  MailboxBase& mailbox(size_t component) const { return *rows_[component]->mailbox; }
  std::optional<size_t> NumberOf(absl::string_view name) const;

  // Directory.
  std::shared_ptr<MailboxBase> Find(absl::string_view name) const override;
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
    ComponentConfig config;
    std::vector<std::string> services;
    bool essential;
    std::shared_ptr<MailboxBase> mailbox;
    const Runner* runner = nullptr;
  };

  absl::Duration InMethod(const Row& row, const char* method) const;

  const TimeSource& time_;
  std::vector<std::unique_ptr<Row>> rows_;
  std::unordered_map<std::string, size_t> numbers_;
  mutable Mutex mutex_;
  std::vector<ComponentStatus> statuses_ ABSL_GUARDED_BY(mutex_);
  std::vector<Section> sections_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_COMPONENT_TABLE_H_
