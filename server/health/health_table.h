// HealthTable: the names that a host's health knows, and which of them serve.
#ifndef MAINSPRING_SERVER_HEALTH_HEALTH_TABLE_H_
#define MAINSPRING_SERVER_HEALTH_HEALTH_TABLE_H_

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mainspring/mutex.h"
#include "mainspring/server/health/health_source.h"
#include "mainspring/server/supervisor/component_table.h"

namespace mainspring {

// "" and "readiness": every essential component serves.
// "liveness": no component is past its stall limit, and the host's own threads make progress; never
// a matter of drains or dependencies.
// "startup": every essential component that starts with the host has been RUNNING once. A kubelet
// ends a host that never comes to that. Those that join later do not count.
// A service, or a component that has replicas: at least one of its components serves.
// A component: it serves: it is RUNNING, neither paused nor drained, and the host does not drain.
// Where two of these have the same name, it serves when both do. A component that joins the host
// brings its names with it, and takes them along when it leaves.
//
// Counted as components change, so that an answer costs the same however many there are.
class HealthTable final : public HealthSource {
 public:
  using Names = std::vector<std::string>;

  // `components`, which must outlive it; those that it has now are not started yet. `host_alive`
  // is called by any thread and must not block.
  HealthTable(const ComponentTable& components, std::function<bool()> host_alive);

  // HealthSource.
  std::optional<bool> Serves(const std::string& name) const override;
  std::map<std::string, bool> All() const override;

  // Any thread.
  bool ready() const;
  bool alive() const;

  // Supervisor's thread only. Each returns the names that serve now and did not, or the reverse,
  // or are known now and were not, or the reverse.
  // The component's status has changed, or what the host's configuration says of it.
  Names Update(size_t component);
  // It is past its stall limit, or no longer.
  Names SetPastLimit(size_t component, bool past_limit);

  // The host drains: nothing is ready any more, whatever components do. Any thread.
  void Drain();

 private:
  // What a name stands for: one of these, or several at once.
  struct Meaning {
    bool readiness = false;
    bool liveness = false;
    bool startup = false;
    std::optional<size_t> component;
    std::optional<size_t> service;
    bool is_hosts() const { return readiness || liveness || startup; }
  };
  using Entries = std::unordered_map<std::string, Meaning>;

  // What counts of a component.
  struct Health {
    bool serving = false;
    bool missing = false;      // from readiness
    bool not_started = false;  // of those that startup waits for
    bool past_limit = false;
  };
  struct Member {
    Health health;
    bool starts_with_host = false;
    std::vector<size_t> services;  // that it answers; none where it is not here
    // Those that may change with it; none where it is not here.
    std::vector<Entries::value_type*> touched;
  };
  struct Service {
    size_t members = 0;
    size_t serving = 0;
  };

  bool IsServing(const Meaning& meaning, bool host_alive) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  Names Change(size_t component, bool past_limit);
  // What a name stands for, that changes with the member from here on; adds it to `joined` where
  // nobody had it before.
  Meaning& Touch(const std::string& name, Member& member, Names& joined)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Each returns the names that nobody had before, or has any more.
  Names Join(size_t component) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Names Leave(size_t component) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Health HealthOf(size_t component, bool past_limit) const;
  // Counts it in, or out.
  void Count(const Member& member, bool in) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ComponentTable& components_;
  const std::function<bool()> host_alive_;

  mutable Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, size_t> service_numbers_ ABSL_GUARDED_BY(mutex_);
  std::vector<Service> services_ ABSL_GUARDED_BY(mutex_);
  std::vector<Member> members_ ABSL_GUARDED_BY(mutex_);  // by the component's number
  size_t essential_missing_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t not_started_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t past_limit_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_HEALTH_HEALTH_TABLE_H_
