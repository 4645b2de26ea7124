#include "server/host_main.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/flags/flag.h"
#include "absl/flags/marshalling.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "server/config/descriptors.h"
#include "server/drain/drain_report.h"
#include "server/flags.h"
#include "server/host.h"
#include "server/observe/output.h"
#include "server/observe/protobuf_log.h"
#include "server/rpc/address.h"
#include "server/rpc/grpc_log.h"
#include "server/rpc/health_probe.h"
#include "server/signals/signals.h"
#include "server/standard_descriptors.h"
#include "server/systemd/service_notifier.h"

namespace mainspring {

// abseil finds the functions of a flag's type beside the type.

bool AbslParseFlag(absl::string_view text, LogFormat* format, std::string* error) {
  if (text == "text" || text == "json") {
    *format = text == "json" ? LogFormat::kJson : LogFormat::kText;
    return true;
  }
  *error = "it is text or json";
  return false;
}

std::string AbslUnparseFlag(LogFormat format) {
  return format == LogFormat::kJson ? "json" : "text";
}

// A time that can be waited for.
struct WaitTime {
  absl::Duration time;
};

bool AbslParseFlag(absl::string_view text, WaitTime* wait, std::string* error) {
  absl::Duration time;
  if (absl::ParseDuration(text, &time) && time >= absl::ZeroDuration() &&
      time < absl::InfiniteDuration()) {
    wait->time = time;
    return true;
  }
  *error = "it is a time such as 500ms, 5s or 1m30s";
  return false;
}

std::string AbslUnparseFlag(WaitTime wait) { return absl::FormatDuration(wait.time); }

// The same; "auto", without one, leaves it to the host.
struct AutoTime {
  std::optional<WaitTime> wait;
};

bool AbslParseFlag(absl::string_view text, AutoTime* time, std::string* error) {
  if (text == "auto") {
    time->wait.reset();
    return true;
  }
  WaitTime wait;
  if (AbslParseFlag(text, &wait, error)) {
    time->wait = wait;
    return true;
  }
  *error += ", or auto";
  return false;
}

std::string AbslUnparseFlag(AutoTime time) {
  return time.wait.has_value() ? AbslUnparseFlag(*time.wait) : "auto";
}

// Where a plane listens.
struct AddressList {
  std::vector<std::string> addresses;
};

bool AbslParseFlag(absl::string_view text, AddressList* list, std::string* error) {
  const absl::StatusOr<std::vector<rpc::Address>> parsed = rpc::Address::ParseList(text);
  if (!parsed.ok()) {
    *error = std::string(parsed.status().message());
    return false;
  }
  list->addresses.clear();
  for (const rpc::Address& each : *parsed) list->addresses.push_back(each.ToString());
  return true;
}

std::string AbslUnparseFlag(const AddressList& list) { return absl::StrJoin(list.addresses, ","); }

// What --probe asks. One that is empty was given all the same: by a script whose variable is not
// set, and it must not start a host.
struct ProbeTarget {
  std::optional<std::string> text;
};

bool AbslParseFlag(absl::string_view text, ProbeTarget* target, std::string*) {
  target->text = std::string(text);
  return true;
}

std::string AbslUnparseFlag(const ProbeTarget& target) { return target.text.value_or(""); }

}  // namespace mainspring

ABSL_FLAG(mainspring::AddressList, data_address, {{"0.0.0.0:50051"}},
          "Where the data plane listens: HOST:PORT, [IPV6]:PORT, *:PORT or unix:/PATH, several "
          "separated by commas.");
ABSL_FLAG(mainspring::AddressList, admin_address,
          (mainspring::AddressList{{"unix:admin.sock", "127.0.0.1:50052"}}),
          "Where the admin plane listens; a unix: path that does not begin with a slash is in the "
          "run directory.");
ABSL_FLAG(mainspring::AddressList, probe_address, {},
          "Where the probe plane listens, which serves health alone and ends last: for a kubelet. "
          "Nowhere when empty.");
ABSL_FLAG(mainspring::ProbeTarget, probe, {},
          "ADDRESS or ADDRESS/NAME: asks the host there for its health, or for that of NAME, and "
          "ends: 0 it serves, 1 not a target, 2 no connection, 3 no answer, 4 it does not serve.");
ABSL_FLAG(mainspring::WaitTime, probe_timeout, {absl::Seconds(1)}, "For all that --probe does.");
ABSL_FLAG(
    mainspring::AutoTime, lame_duck, {},
    "How long a drain goes on accepting, unready. auto is 5s, or 0s where standard input is a "
    "terminal.");
ABSL_FLAG(mainspring::WaitTime, drain_timeout, {absl::Seconds(35)},
          "How long a drain waits for connections and calls to end.");
ABSL_FLAG(
    mainspring::WaitTime, max_connection_age, {absl::Seconds(30)},
    "After this a client is asked to connect anew; 0s: never. Keep it below --drain-timeout.");
ABSL_FLAG(mainspring::WaitTime, max_connection_idle, {absl::Minutes(10)},
          "Likewise a client that has made no call for so long; 0s: never.");
ABSL_FLAG(mainspring::LogFormat, log_format, mainspring::LogFormat::kText, "text or json.");
ABSL_FLAG(bool, version, false, "Prints the version and ends.");
ABSL_FLAG(bool, help, false, "Prints this and ends.");

namespace mainspring {
namespace {

// The mutexes of distributions' abseil and gRPC keep a graph of all locks, for every lock that is
// taken, and abort at the first cycle that they ever saw. Set to look for cycles.
constexpr char kDetectDeadlocks[] = "MAINSPRING_DETECT_DEADLOCKS";

HostConfig ConfigFromFlags(const std::vector<ComponentType>& types) {
  HostConfig config;
  for (const ComponentType& type : types) {
    ComponentConfig component;
    component.name = type.name;
    component.type = type.name;
    config.components.push_back(component);
  }
  config.data.addresses = absl::GetFlag(FLAGS_data_address).addresses;
  config.admin.addresses = absl::GetFlag(FLAGS_admin_address).addresses;
  config.probe.addresses = absl::GetFlag(FLAGS_probe_address).addresses;
  if (const auto lame_duck = absl::GetFlag(FLAGS_lame_duck).wait; lame_duck.has_value()) {
    config.lame_duck = lame_duck->time;
  } else if (isatty(STDIN_FILENO)) {
    config.lame_duck = absl::ZeroDuration();
  }
  config.drain_timeout = absl::GetFlag(FLAGS_drain_timeout).time;
  config.data.limits.max_connection_age = absl::GetFlag(FLAGS_max_connection_age).time;
  config.data.limits.max_connection_idle = absl::GetFlag(FLAGS_max_connection_idle).time;
  // An operator's connection is kept.
  config.admin.limits.max_connection_age = absl::ZeroDuration();
  config.probe.limits.max_connection_age = absl::ZeroDuration();
  config.probe.limits.max_connection_idle = absl::Minutes(1);
  return config;
}

// Whether a passed socket is the data plane's: by name, by that of its unit, or because it has
// none, for which libsystemd says "unknown".
bool IsForData(const std::string& name) {
  return name == "data" || name == "unknown" || absl::EndsWith(name, ".socket");
}

// The sockets that the process was started with stand in for --data-address; one that is called
// "probe", for --probe-address.
absl::Status TakeSockets(HostConfig& config) {
  std::vector<PassedSocket> passed;
  if (absl::Status taken = TakePassedSockets(passed); !taken.ok()) return taken;
  for (const PassedSocket& each : passed) {
    if (each.name != "probe" && !IsForData(each.name)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "passed socket \"", absl::CHexEscape(each.name),
          "\": no plane takes it; FileDescriptorName= is data or probe, or left out for data"));
    }
    (each.name == "probe" ? config.probe : config.data).sockets.push_back(each.fd);
  }
  for (PlaneConfig* plane : {&config.data, &config.probe}) {
    if (!plane->sockets.empty()) plane->addresses.clear();
  }
  return absl::OkStatus();
}

// For `systemctl status`.
std::string Describe(const HostStatus& status) {
  if (!status.drain.empty()) return absl::StrCat("draining: ", status.drain);
  return absl::StrCat(status.ready ? "ready" : "not ready", ": ", status.running, " of ",
                      status.components, " components RUNNING");
}

int Probe(const char* program, const std::string& target) {
  rpc::SendGrpcLogTo([](rpc::GrpcSeverity, const std::string&, const std::string&) {});
  const rpc::ProbeReport report = rpc::ProbeHealth(target, absl::GetFlag(FLAGS_probe_timeout).time);
  std::FILE* out = report.result == rpc::ProbeResult::kServing ? stdout : stderr;
  std::fprintf(out, "%s: %s\n", program, report.text.c_str());
  return static_cast<int>(report.result);
}

// Puts relative unix sockets into the run directory.
absl::Status Place(std::vector<std::string>& addresses) {
  for (std::string& text : addresses) {
    absl::StatusOr<rpc::Address> address = rpc::Address::Parse(text);
    if (!address.ok()) return address.status();
    if (!address->IsRelative()) continue;
    std::string directory;
    if (absl::Status made = MakeRunDirectory(directory); !made.ok()) return made;
    address->path = absl::StrCat(directory, "/", address->path);
    text = address->ToString();
  }
  return absl::OkStatus();
}

int ExitCodeOf(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kUnavailable:
      return kExitNoAddress;
    default:
      return kExitNotStarted;
  }
}

// How long the process waits for room on standard error, and for its log to leave, once it ends.
constexpr std::chrono::milliseconds kLastWords(500);

int Complain(const char* program, const absl::Status& error) {
  Output(STDERR_FILENO)
      .Write(absl::StrCat(program, ": ", std::string(error.message()), "\n"),
             std::chrono::steady_clock::now() + kLastWords);
  return ExitCodeOf(error);
}

Severity SeverityOf(rpc::GrpcSeverity severity) {
  switch (severity) {
    case rpc::GrpcSeverity::kDebug:
      return Severity::kDebug;
    case rpc::GrpcSeverity::kInfo:
      return Severity::kInfo;
    case rpc::GrpcSeverity::kError:
      return Severity::kWarning;
  }
  return Severity::kWarning;
}

// Both libraries log what clients do wrong, and gRPC why it is about to abort.
void SendLibraryLogsTo(EventLog& log) {
  rpc::SendGrpcLogTo(
      [&log](rpc::GrpcSeverity severity, const std::string& where, const std::string& text) {
        log.WriteLimited(where, SeverityOf(severity), "grpc", {{"where", where}, {"text", text}});
        if (absl::StartsWith(text, "assertion failed")) {
          log.Flush(std::chrono::steady_clock::now() + kLastWords);
        }
      });
  SendProtobufLogTo(log);
}

// A host that runs until it was drained, with all that its process has once.
int RunHost(const char* program, std::vector<ComponentType> types, HostConfig config,
            EventLog& log) {
  SendLibraryLogsTo(log);
  ServiceNotifier notifier;
  World world;
  world.log = &log;
  world.on_drain = [&notifier] { notifier.Stopping(); };
  DrainTrigger trigger;
  Host host(std::move(types), std::move(config), std::move(world));
  // It looks at the host.
  const absl::Cleanup end_notifier = [&notifier] { notifier.End(); };
  Signals signals([&](int signal) {
    // Acted on first, then told.
    if (signal == SIGTERM || signal == SIGINT) {
      const char* const name = signal == SIGTERM ? "SIGTERM" : "SIGINT";
      trigger.Pull(name);
      host.AbandonStart();
      log.Info("signal", {{"signal", name}});
    } else if (signal == SIGUSR1) {
      host.LogStates();
    } else {
      if (notifier.Reloading()) notifier.Ready();
      log.Info("signal", {{"signal", "SIGHUP"}, {"ignored", "there is no configuration file"}});
    }
  });
  absl::Status started = signals.Start();
  if (started.ok()) {
    started = notifier.Start([&host] {
      const HostStatus status = host.Status();
      return ServiceNotifier::View{status.alive, Describe(status)};
    });
  }
  if (started.ok()) started = host.Start(trigger);
  if (!started.ok()) return Complain(program, started);
  // One that was stopped meanwhile goes on to its drain.
  if (trigger.pulls() == 0) notifier.Ready();
  return host.Run(trigger);
}

}  // namespace

int HostMain(int argc, char** argv, std::vector<ComponentType> types) {
  return HostMain(argc, argv, std::move(types), [](HostConfig&) {});
}

int HostMain(int argc, char** argv, std::vector<ComponentType> types,
             const std::function<void(HostConfig&)>& adjust) {
  OpenStandardDescriptors();
  if (std::getenv(kDetectDeadlocks) == nullptr) {
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  }
  Signals::Block();
  const char* program = program_invocation_short_name;
  if (absl::Status parsed = ParseFlags(argc, argv); !parsed.ok()) return Complain(program, parsed);
  if (absl::GetFlag(FLAGS_help)) {
    std::printf("%s hosts components and serves them over gRPC.\n\n%s", program,
                FlagsHelp().c_str());
    return kExitClean;
  }
  if (absl::GetFlag(FLAGS_version)) {
    std::printf("%s %s\n", program, MAINSPRING_VERSION);
    return kExitClean;
  }

  if (const auto target = absl::GetFlag(FLAGS_probe).text; target.has_value()) {
    return Probe(program, *target);
  }

  HostConfig config = ConfigFromFlags(types);
  adjust(config);
  absl::Status placed = TakeSockets(config);
  for (PlaneConfig* plane : {&config.data, &config.admin, &config.probe}) {
    placed.Update(Place(plane->addresses));
  }
  if (!placed.ok()) return Complain(program, placed);

  absl::StatusOr<std::unique_ptr<EventLog>> made = EventLog::Start(absl::GetFlag(FLAGS_log_format));
  if (!made.ok()) return Complain(program, made.status());
  // Threads of gRPC's log for as long as there is a process.
  EventLog& log = *made->release();
  const size_t descriptors = RaiseDescriptorLimit();
  if (FitConnections(descriptors, config)) {
    log.Warning("limits", {{"descriptors", descriptors},
                           {"data_connections", config.data.limits.max_connections},
                           {"admin_connections", config.admin.limits.max_connections},
                           {"probe_connections", config.probe.limits.max_connections}});
  }
  const int code = RunHost(program, std::move(types), std::move(config), log);
  log.Flush(std::chrono::steady_clock::now() + kLastWords);
  return code;
}

}  // namespace mainspring
