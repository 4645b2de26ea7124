#include "mainspring/server/host_main.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "clients/probe/health_probe.h"
#include "mainspring/server/config/descriptors.h"
#include "mainspring/server/config/flags.h"
#include "mainspring/server/config/host_flags.h"
#include "mainspring/server/config/probe_target.h"
#include "mainspring/server/config/revision_store.h"
#include "mainspring/server/configuration.h"
#include "mainspring/server/drain/drain_report.h"
#include "mainspring/server/host.h"
#include "mainspring/server/observe/output.h"
#include "mainspring/server/observe/protobuf_log.h"
#include "mainspring/server/observe/standard_descriptors.h"
#include "mainspring/server/rpc/address.h"
#include "mainspring/server/rpc/grpc_log.h"
#include "mainspring/server/signals/signals.h"
#include "mainspring/server/systemd/service_notifier.h"
#include "mainspring/text.h"

namespace mainspring {

namespace {

// The mutexes of distributions' abseil and gRPC keep a graph of all locks, for every lock that is
// taken, and abort at the first cycle that they ever saw. Set to look for cycles.
constexpr char kDetectDeadlocks[] = "MAINSPRING_DETECT_DEADLOCKS";

// Whether a passed socket is the data plane's: by name, by that of its unit, or because it has
// none, for which libsystemd says "unknown".
bool IsForData(const std::string& name) {
  return name == "data" || name == "unknown" || absl::EndsWith(name, ".socket");
}

// The sockets that the process was started with stand in for --data-address; one that is called
// "probe", for --probe-address.
absl::Status TakeSockets(const std::vector<PassedSocket>& passed, HostConfig& config) {
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

ProbeReport Ask(const std::string& text, absl::Duration timeout) {
  const absl::StatusOr<ProbeTarget> target = ProbeTarget::Parse(text);
  if (!target.ok()) return {ProbeResult::kBadTarget, std::string(target.status().message())};
  return ProbeHealth(target->address, target->name, timeout);
}

int Probe(const char* program, const std::string& target, absl::Duration timeout) {
  rpc::SendGrpcLogTo([](rpc::GrpcSeverity, const std::string&, const std::string&) {});
  const ProbeReport report = Ask(target, timeout);
  std::FILE* out = report.result == ProbeResult::kServing ? stdout : stderr;
  std::fprintf(out, "%s: %s\n", program, BoundedText(report.text).c_str());
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

// What the process brings along to what the file says.
absl::Status Place(const std::vector<PassedSocket>& passed, HostConfig& config) {
  absl::Status placed = TakeSockets(passed, config);
  for (PlaneConfig* plane : {&config.data, &config.admin, &config.probe}) {
    placed.Update(Place(plane->addresses));
  }
  return placed;
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

// What is wrong with the configuration, with a line for each where a file says it.
int Complain(const char* program, const Configuration& configuration) {
  const std::string report = configuration.Report();
  Output(STDERR_FILENO)
      .Write(configuration.has_file() ? report : absl::StrCat(program, ": ", report),
             std::chrono::steady_clock::now() + kLastWords);
  return configuration.has_file() ? kExitConfig : kExitUsage;
}

// For --check.
int Approve(const char* program, const Configuration& configuration) {
  for (const std::string& warning : configuration.Warnings()) {
    std::fprintf(stderr, "%s: warning: %s\n", program, warning.c_str());
  }
  std::printf("%s: the configuration is right\n", program);
  return kExitClean;
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
            ConfigSource source, EventLog& log) {
  SendLibraryLogsTo(log);
  ServiceNotifier notifier;
  World world;
  world.log = &log;
  world.on_drain = [&notifier] { notifier.Stopping(); };
  DrainTrigger trigger;
  Host host(std::move(types), std::move(config), std::move(world));
  host.SetSource(std::move(source));
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
      log.Info("signal", {{"signal", "SIGHUP"}});
      const bool is_told = notifier.Reloading();
      host.Reload("SIGHUP", std::shared_ptr<void>(nullptr, [&notifier, is_told](void*) {
                    if (is_told) notifier.Ready();
                  }));
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

// What holds of the host's own configuration: the file's, or a revision's; and where it is from.
// Why that cannot be read, the host finds out again.
RestoredHost Restore(const LoadedConfig& file, const ConfigSource& source,
                     std::vector<std::string>& complaints, std::string& told) {
  RestoredHost restored{.host = HostInForce(file), .store = std::nullopt};
  if (file.config.state_dir.empty()) return restored;
  absl::StatusOr<RevisionStore> store = RevisionStore::Open(file.config.state_dir, complaints);
  if (!store.ok()) return restored;
  if (store->latest() != nullptr) {
    restored.host = RestoreHost(file, *store->latest(), source.read, told);
  }
  restored.store = *std::move(store);
  return restored;
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
  const absl::StatusOr<HostFlags> flags = HostFlags::Parse(argc, argv);
  if (!flags.ok()) return Complain(program, flags.status());
  if (flags->help) {
    std::printf("%s hosts components and serves them over gRPC.\n\n%s", program,
                FlagsHelp().c_str());
    return kExitClean;
  }
  if (flags->version) {
    std::printf("%s %s\n", program, MAINSPRING_VERSION);
    return kExitClean;
  }
  if (flags->probe.has_value()) return Probe(program, *flags->probe, flags->probe_timeout);
  if (flags->print_schema) {
    std::printf("%s", ConfigSchema(types, adjust).c_str());
    return kExitClean;
  }

  const std::string first_state = FileState(flags->config);
  const Configuration configuration = Configuration::Load(types, adjust, *flags);
  if (!configuration.ok()) return Complain(program, configuration);
  if (flags->check) return Approve(program, configuration);
  if (flags->print_config) {
    std::printf("%s", configuration.Show().c_str());
    return kExitClean;
  }
  std::vector<PassedSocket> passed;
  if (absl::Status taken = TakePassedSockets(passed); !taken.ok()) return Complain(program, taken);
  const size_t descriptors = RaiseDescriptorLimit();
  // As this process can have it.
  const auto fit = [=](LoadedConfig loaded) -> absl::StatusOr<LoadedConfig> {
    if (absl::Status placed = Place(passed, loaded.config); !placed.ok()) return placed;
    FitConnections(descriptors, loaded.config);
    return loaded;
  };
  ConfigSource source;
  source.first_state = first_state;
  source.state = [path = flags->config] { return FileState(path); };
  source.load = [=]() -> absl::StatusOr<LoadedConfig> {
    if (flags->config.empty()) {
      return absl::FailedPreconditionError("there is no configuration file; --config names one");
    }
    std::error_code error;
    if (!std::filesystem::is_regular_file(flags->config, error)) {
      return absl::FailedPreconditionError(
          absl::StrCat(flags->config, ": is no file now, and is not read again"));
    }
    const Configuration again = Configuration::Load(types, adjust, *flags);
    if (!again.ok()) return absl::InvalidArgumentError(again.Report());
    // As a file has that somebody is about to write.
    if (again.blank()) {
      return absl::FailedPreconditionError(
          absl::StrCat(flags->config, ": is empty; {} is a host as it is by default"));
    }
    return fit(again.loaded());
  };
  source.read = [=](const host::v1::HostConfig& said) -> absl::StatusOr<LoadedConfig> {
    const Configuration made = Configuration::Of(types, adjust, *flags, said);
    if (!made.ok()) return absl::InvalidArgumentError(made.Report());
    return fit(made.loaded());
  };
  const absl::StatusOr<LoadedConfig> file = fit(configuration.loaded());
  if (!file.ok()) return Complain(program, file.status());
  std::vector<std::string> complaints;
  std::string told;
  RestoredHost restored = Restore(*file, source, complaints, told);
  const HostConfig config = restored.host.config();

  absl::StatusOr<std::unique_ptr<EventLog>> made = EventLog::Start(config.log_format);
  if (!made.ok()) return Complain(program, made.status());
  // Threads of gRPC's log for as long as there is a process.
  EventLog& log = *made->release();
  for (const std::string& each : complaints) log.Error("configuration", {{"set_aside", each}});
  if (!told.empty()) log.Warning("configuration", {{"warning", told}});
  if (HostConfig wished = configuration.config(); FitConnections(descriptors, wished)) {
    log.Warning("limits", {{"descriptors", descriptors},
                           {"data_connections", config.data.limits.max_connections},
                           {"admin_connections", config.admin.limits.max_connections},
                           {"probe_connections", config.probe.limits.max_connections}});
  }
  source.restored = std::make_shared<RestoredHost>(std::move(restored));
  const int code = RunHost(program, std::move(types), config, std::move(source), log);
  log.Flush(std::chrono::steady_clock::now() + kLastWords);
  return code;
}

}  // namespace mainspring
