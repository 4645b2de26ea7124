// HostConfig: everything about a host that its operator decides. Each field is one of
// mainspring.host.v1.HostConfig too, the form that it has in a file: see host_config_message.h.
#ifndef MAINSPRING_SERVER_CONFIG_HOST_CONFIG_H_
#define MAINSPRING_SERVER_CONFIG_HOST_CONFIG_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "mainspring/mailbox.h"
#include "mainspring/server/config/problems.h"
#include "mainspring/server/config/restart_policy.h"
#include "mainspring/server/observe/event_log.h"
#include "mainspring/server/rpc/plane_limits.h"

namespace google::protobuf {
class Message;
}

namespace mainspring {

struct Dependency {
  std::string component;
  // The dependent stops with it and comes back with it. Otherwise it is started after it, and told
  // when it comes and goes.
  bool hard = true;
};

// What the host itself calls its supervisor; no component may.
inline constexpr char kSupervisorName[] = "supervisor";

struct ComponentConfig {
  // 1 to 63 of a-z, 0-9, ".", "_" and "-"; not "host", "supervisor", "liveness", "readiness" or
  // "startup", which the host's own health has.
  std::string name;
  // The name of its component type.
  std::string type;
  // Its section, where its class is Configurable: that message. Null: with each field's default.
  std::shared_ptr<const google::protobuf::Message> config;
  // Whether the host is ready only while this component is RUNNING, and drains once it is FAILED.
  bool essential = true;
  // Whether the host starts it; otherwise an operator does.
  bool autostart = true;
  std::vector<Dependency> depends_on;
  // So many components of this section, worker-0 to worker-3 for 4 of "worker", which are called as
  // one by its name. Nothing: one, called so itself.
  std::optional<int> replicas;
  // Of one of those, once they are told apart: "worker". Empty: it is none.
  std::string replica_of;
  RestartPolicy restart;
  // What an exception from a method costs. Elsewhere, in Start, timers and callbacks, it costs the
  // instance.
  OnException on_exception = OnException::kFailCall;
  MailboxOptions mailbox;
  absl::Duration start_timeout = absl::Seconds(30);
  // From the request to stop: first the queue is answered, then Stop() runs.
  absl::Duration stop_timeout = absl::Seconds(5);
  // When an operator stops, restarts or drains it: for so long, before the stop timeout begins, it
  // is not healthy and takes calls still, so that clients who watch its health go elsewhere first.
  // Only where somebody watches a name that changes with it: its own, its service's, or the host's
  // readiness. Whoever asks now and then instead is not waited for. Zero: never. Not when it fails,
  // nor when the host stops.
  absl::Duration lame_duck = absl::Milliseconds(500);
  // A component that is inside one call, timer, callback, Start or Stop for longer than this is
  // named in the log and in its status; past the limit, it fails liveness.
  absl::Duration stall_warning = absl::Seconds(10);
  absl::Duration stall_limit = absl::Seconds(60);
};

struct PlaneConfig {
  // See rpc::Address: "HOST:PORT", "[IPV6]:PORT", "*:PORT" or "unix:/PATH"; port 0 is any that is
  // free. "[::]:PORT" is for IPv4 as well, unless an IPv4 address with that port is among them.
  std::vector<std::string> addresses;
  // Descriptors of sockets that listen already, which the host takes over.
  std::vector<int> sockets;
  // Allows a plaintext admin plane where others than this machine can reach it.
  bool insecure = false;
  rpc::PlaneLimits limits;
};

struct HostConfig {
  std::vector<ComponentConfig> components;
  // One more component of that type, called so too where `name` is left out. What it returns is
  // there until the next is added: config.Add("clock").essential = false.
  ComponentConfig& Add(std::string type, std::string name = "");
  // The one of that name; null: there is none.
  ComponentConfig* Find(absl::string_view name);
  const ComponentConfig* Find(absl::string_view name) const;

  PlaneConfig data;
  PlaneConfig admin;
  // Health alone, for whoever probes the host; ends last. Off without an address.
  PlaneConfig probe;
  size_t max_health_watchers = 1000;
  // Open at one time, of each plane; an idle one costs its place, and one that is not read an
  // answer.
  size_t max_reflection_streams = 64;
  size_t max_lifecycle_watchers = 1000;
  // For what components have to do that blocks; started as they are needed.
  size_t blocking_threads = 8;
  // How many changes of states the host remembers, for watches that go on; one at least.
  size_t event_history = 10'000;

  // The drain, phase by phase: see server/README.md.
  absl::Duration lame_duck = absl::Seconds(5);
  // Of closing and finishing together.
  absl::Duration drain_timeout = absl::Seconds(35);
  // The exit guard ends the process this long after all phases should have been over.
  absl::Duration exit_margin = absl::Seconds(5);
  // After so long whoever stops the host kills it. Infinite: nobody is known to.
  absl::Duration grace_period = absl::InfiniteDuration();

  LogFormat log_format = LogFormat::kText;

  // Whether a change of the file that this is from is carried out by itself, and not on SIGHUP
  // alone.
  bool watch_file = false;

  // Where accepted changes of the configuration are kept; empty: nowhere, they last as long as the
  // host runs.
  std::string state_dir;
};

// Adds all that is wrong with it, by the paths that fields have in a file: a name is missing, used
// twice or not allowed; a plane has no address or one that is none, an address is given twice, or
// the admin plane is open to other machines; a number or a time is out of its bounds.
void FindProblems(const HostConfig& config, Problems& problems);
// Adds unix sockets that have not got their whole paths yet.
void CheckPaths(const HostConfig& config, Problems& problems);

// What each value allows and all together do not mean: a problem where a file says them, and a
// warning where flags and defaults do. The configuration is valid.
struct Contradiction {
  // Of the values that are to be changed for it, one of them; each makes it a problem of the file.
  std::vector<std::string> paths;
  std::string what;
};
std::vector<Contradiction> FindContradictions(const HostConfig& config);

// The components that there are, each replica one. Who needs several replicas in common is started
// after them, and told of each; none of them takes it down. Of more than there may be, so many.
std::vector<ComponentConfig> Replicated(const std::vector<ComponentConfig>& components);
// The name of one of those in the configuration.
const std::string& ConfiguredName(const ComponentConfig& component);
// "worker-2".
std::string ReplicaName(const std::string& configured, int replica);

// Of a component, by its name where it has one that is its alone: "components[clock]".
std::string ComponentPath(const std::vector<ComponentConfig>& components, size_t component);

// Where sockets of a host are put: $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/mainspring, else
// /run/mainspring for root, else /tmp/mainspring-UID. Made with mode 0700 if it is not there.
// UNAVAILABLE: it cannot be made, belongs to somebody else, or others may write there.
absl::Status MakeRunDirectory(std::string& path);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_HOST_CONFIG_H_
