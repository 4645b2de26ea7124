// Host: components, side by side in one process, with their gRPC planes, health and drain.
//
//   Host host({ClockType<Clock>("clock")}, config, world);
//   absl::Status started = host.Start();
//   ...
//   int exit_code = host.Run(trigger);   // until the trigger is pulled and the drain is over
//
// It is no singleton and keeps nothing global: a process may have several, one after another or at
// once. What a process has once, signals and flags, is host_main.h's.
#ifndef MAINSPRING_SERVER_HOST_H_
#define MAINSPRING_SERVER_HOST_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/server/config/config_source.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/drain/drain_trigger.h"
#include "mainspring/server/rpc/component_type.h"
#include "mainspring/server/world/world.h"

namespace mainspring {

// A configuration with one component of each type, called as its type, with what it DependsOn.
HostConfig OneOfEach(const std::vector<ComponentType>& types);

// How a host is, at one moment.
struct HostStatus {
  bool alive = true;   // as "liveness" of its health
  bool ready = false;  // as "readiness"
  size_t components = 0;
  size_t running = 0;  // of those
  std::string drain;   // the phase that it is in; empty: it does not drain
};

// Used by one thread, but for what says otherwise.
class Host {
 public:
  Host(std::vector<ComponentType> types, HostConfig config, World world);
  // Drains first what was started and not run. Blocks.
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Binds all addresses, begins to start the components, and lets connections in, which have waited
  // until then; when it returns OK, each component that is essential is RUNNING. After an error
  // nothing is left running. The process ends by force, see drain.h, where the trigger is pulled a
  // third time meanwhile, or where the planes do not come up within half a minute: gRPC hangs where
  // it cannot have what it needs. INVALID_ARGUMENT: the configuration. UNAVAILABLE: an address
  // cannot be bound; the text says which and why. ABORTED: an essential component did not start.
  // RESOURCE_EXHAUSTED: no more threads or descriptors.
  absl::Status Start(DrainTrigger& trigger);
  // The same, with nobody to pull.
  absl::Status Start();

  // Gives a Start that is not over up: it returns OK, and Run drains at once. Any thread.
  void AbandonStart();

  // Waits for the trigger, drains, and returns the process's exit code: see drain_report.h. The
  // exit line is printed then. Once, after Start.
  int Run(DrainTrigger& trigger);

  // From where its configuration is read again. Before Start.
  void SetSource(ConfigSource source);
  // Reads it again, and carries out what differs, or nothing where any of it is refused: see
  // reconfigure/config.h. Of a host that starts, once that is over. `author` is who wants it;
  // `done` is let go when it is over, on any thread. Does not block. Any thread.
  void Reload(std::string author, std::shared_ptr<void> done = nullptr);

  // Where the planes listen, with the ports that were chosen. After Start.
  const std::vector<std::string>& data_addresses() const;
  const std::vector<std::string>& admin_addresses() const;

  // Any thread, from the making on.
  HostStatus Status() const;

  // Logs the state of every component, as far as there are any. Any thread, from the making on.
  void LogStates() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_HOST_H_
