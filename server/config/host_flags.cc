#include "mainspring/server/config/host_flags.h"

#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/marshalling.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "mainspring/server/config/flags.h"
#include "mainspring/server/rpc/address.h"

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

// A text that may be given empty.
struct GivenText {
  std::optional<std::string> text;
};

bool AbslParseFlag(absl::string_view text, GivenText* given, std::string*) {
  given->text = std::string(text);
  return true;
}

std::string AbslUnparseFlag(const GivenText& given) { return given.text.value_or(""); }

}  // namespace mainspring

ABSL_FLAG(std::string, config, "",
          "The configuration file, which the other flags go over; --print-schema describes it.");
ABSL_FLAG(
    std::string, state_dir, "",
    "The directory in which changes of the configuration are kept that were accepted while the "
    "host ran.");
ABSL_FLAG(
    bool, check, false,
    "Looks whether the configuration is right, tells everything that is wrong with it, and ends: "
    "0, or 78.");
ABSL_FLAG(bool, print_config, false,
          "Prints the configuration, defaults too, and where each value comes from, and ends.");
ABSL_FLAG(bool, print_schema, false,
          "Prints a configuration file with all that it may have, explained, and ends.");
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
ABSL_FLAG(mainspring::GivenText, probe, {},
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

// The settings that flags are.
constexpr struct {
  const char* flag;
  const char* path;
} kSettings[] = {
    {"data_address", "planes.data.addresses"},
    {"admin_address", "planes.admin.addresses"},
    {"probe_address", "planes.probe.addresses"},
    {"lame_duck", "drain.lame_duck"},
    {"drain_timeout", "drain.timeout"},
    {"max_connection_age", "planes.data.limits.max_connection_age"},
    {"max_connection_idle", "planes.data.limits.max_connection_idle"},
    {"log_format", "log.format"},
    {"state_dir", "state_dir"},
};

absl::Duration DefaultLameDuck() {
  return isatty(STDIN_FILENO) ? absl::ZeroDuration() : HostConfig().lame_duck;
}

}  // namespace

absl::StatusOr<HostFlags> HostFlags::Parse(int argc, char** argv) {
  const absl::StatusOr<std::set<std::string>> given = ParseFlags(argc, argv);
  if (!given.ok()) return given.status();
  HostFlags flags;
  flags.help = absl::GetFlag(FLAGS_help);
  flags.version = absl::GetFlag(FLAGS_version);
  flags.check = absl::GetFlag(FLAGS_check);
  flags.print_config = absl::GetFlag(FLAGS_print_config);
  flags.print_schema = absl::GetFlag(FLAGS_print_schema);
  flags.config = absl::GetFlag(FLAGS_config);
  flags.probe = absl::GetFlag(FLAGS_probe).text;
  flags.probe_timeout = absl::GetFlag(FLAGS_probe_timeout).time;
  for (const auto& setting : kSettings) {
    if (given->count(setting.flag) == 0) continue;
    flags.given.emplace(setting.path,
                        absl::StrCat("--", absl::StrReplaceAll(setting.flag, {{"_", "-"}})));
  }
  if (given->count("config") != 0 && flags.config.empty()) {
    return absl::InvalidArgumentError("flag --config: a path is missing");
  }
  return flags;
}

void SetDefaults(HostConfig& config) {
  config.data.addresses = {"0.0.0.0:50051"};
  config.admin.addresses = {"unix:admin.sock", "127.0.0.1:50052"};
  config.lame_duck = DefaultLameDuck();
  // systemd lists several, separated by colons; the first is ours.
  if (const char* state = std::getenv("STATE_DIRECTORY")) {
    config.state_dir =
        std::string(absl::string_view(state).substr(0, absl::string_view(state).find(':')));
  }
  // An operator's connection is kept.
  config.admin.limits.max_connection_age = absl::ZeroDuration();
  config.probe.limits.max_connection_age = absl::ZeroDuration();
  config.probe.limits.max_connection_idle = absl::Minutes(1);
}

void ApplyFlags(const HostFlags& flags, HostConfig& config) {
  const auto set = [&](const char* path, auto& setting, const auto& value) {
    if (flags.given.count(path) != 0) setting = value;
  };
  set("planes.data.addresses", config.data.addresses, absl::GetFlag(FLAGS_data_address).addresses);
  set("planes.admin.addresses", config.admin.addresses,
      absl::GetFlag(FLAGS_admin_address).addresses);
  set("planes.probe.addresses", config.probe.addresses,
      absl::GetFlag(FLAGS_probe_address).addresses);
  const std::optional<WaitTime> lame_duck = absl::GetFlag(FLAGS_lame_duck).wait;
  set("drain.lame_duck", config.lame_duck,
      lame_duck.has_value() ? lame_duck->time : DefaultLameDuck());
  set("drain.timeout", config.drain_timeout, absl::GetFlag(FLAGS_drain_timeout).time);
  set("planes.data.limits.max_connection_age", config.data.limits.max_connection_age,
      absl::GetFlag(FLAGS_max_connection_age).time);
  set("planes.data.limits.max_connection_idle", config.data.limits.max_connection_idle,
      absl::GetFlag(FLAGS_max_connection_idle).time);
  set("log.format", config.log_format, absl::GetFlag(FLAGS_log_format));
  set("state_dir", config.state_dir, absl::GetFlag(FLAGS_state_dir));
}

}  // namespace mainspring
