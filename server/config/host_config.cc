#include "mainspring/server/config/host_config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "mainspring/server/rpc/address.h"

namespace mainspring {
namespace {

using rpc::Address;

// What is wrong, one after another.
class Errors {
 public:
  template <class... Parts>
  void Add(const Parts&... parts) {
    errors_.push_back(absl::StrCat(parts...));
  }
  absl::Status status() const {
    if (errors_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(errors_, "; "));
  }

 private:
  std::vector<std::string> errors_;
};

constexpr size_t kLongestName = 63;
// Names of the host's own that health and the log know.
constexpr absl::string_view kReservedNames[] = {"host", "liveness", "readiness", "startup",
                                                kSupervisorName};

bool IsName(absl::string_view name) {
  return name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char each) {
           return absl::ascii_islower(static_cast<unsigned char>(each)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(each)) || each == '.' ||
                  each == '_' || each == '-';
         });
}

// Sums of times are waited for, and no sum may be for ever.
bool CanBeWaitedFor(absl::Duration time) {
  return time >= absl::ZeroDuration() && time < absl::InfiniteDuration();
}

void CheckTime(const std::string& field, absl::Duration value, Errors& errors) {
  if (CanBeWaitedFor(value)) return;
  errors.Add(field, ": ", absl::FormatDuration(value), " is not a time that can be waited for");
}

void CheckPositiveTime(const std::string& field, absl::Duration value, Errors& errors) {
  if (value > absl::ZeroDuration()) return;
  errors.Add(field, ": ", absl::FormatDuration(value), " is not more than 0");
}

template <class Number>
void CheckAtLeastOne(const std::string& field, Number value, Errors& errors) {
  if (value >= Number{1}) return;
  errors.Add(field, ": ", value, " is less than one");
}

void CheckRestart(const std::string& of, const RestartPolicy& restart, Errors& errors) {
  CheckTime(of + "restart.period", restart.period, errors);
  CheckTime(of + "restart.least_backoff", restart.least_backoff, errors);
  CheckTime(of + "restart.most_backoff", restart.most_backoff, errors);
  CheckTime(of + "restart.reset_after", restart.reset_after, errors);
  CheckAtLeastOne(of + "restart.max_failures", restart.max_failures, errors);
  if (restart.least_backoff > restart.most_backoff) {
    errors.Add(of, "restart.least_backoff: ", absl::FormatDuration(restart.least_backoff),
               " is more than restart.most_backoff, ", absl::FormatDuration(restart.most_backoff));
  }
  if (!(restart.jitter >= 0 && restart.jitter < 1)) {
    errors.Add(of, "restart.jitter: ", restart.jitter, " is not from 0 to less than 1");
  }
}

void CheckComponent(const ComponentConfig& component, std::set<std::string>& names,
                    Errors& errors) {
  const std::string& name = component.name;
  if (std::find(std::begin(kReservedNames), std::end(kReservedNames), name) !=
      std::end(kReservedNames)) {
    errors.Add("a component of type \"", component.type, "\" is called \"", name,
               "\", which is a name of the host's own");
  }
  if (name.empty()) {
    errors.Add("a component of type \"", component.type, "\" has no name");
  } else if (!IsName(name)) {
    errors.Add("component \"", absl::CHexEscape(name), "\": a name has 1 to ", kLongestName,
               " of a-z, 0-9, \".\", \"_\" and \"-\"");
  } else if (!names.insert(name).second) {
    errors.Add("two components are called \"", name, "\"");
  }
  const std::string of = absl::StrCat("component \"", absl::CHexEscape(name), "\": ");
  CheckTime(of + "start_timeout", component.start_timeout, errors);
  CheckTime(of + "stop_timeout", component.stop_timeout, errors);
  CheckTime(of + "lame_duck", component.lame_duck, errors);
  CheckTime(of + "stall_warning", component.stall_warning, errors);
  CheckTime(of + "stall_limit", component.stall_limit, errors);
  CheckRestart(of, component.restart, errors);
  CheckAtLeastOne(of + "mailbox.max_calls", component.mailbox.max_calls, errors);
  CheckAtLeastOne(of + "mailbox.max_bytes", component.mailbox.max_bytes, errors);
  CheckPositiveTime(of + "mailbox.max_queue_age", component.mailbox.max_queue_age, errors);
}

void CheckLimits(const std::string& of, const rpc::PlaneLimits& limits, Errors& errors) {
  CheckAtLeastOne(of + "max_message_bytes", limits.max_message_bytes, errors);
  CheckAtLeastOne(of + "max_metadata_bytes", limits.max_metadata_bytes, errors);
  CheckAtLeastOne(of + "max_streams", limits.max_streams, errors);
  CheckAtLeastOne(of + "max_connections", limits.max_connections, errors);
  CheckAtLeastOne(of + "max_calls", limits.max_calls, errors);
  CheckPositiveTime(of + "keepalive_time", limits.keepalive_time, errors);
  CheckPositiveTime(of + "keepalive_timeout", limits.keepalive_timeout, errors);
  CheckPositiveTime(of + "handshake_timeout", limits.handshake_timeout, errors);
  CheckTime(of + "least_ping_interval", limits.least_ping_interval, errors);
  CheckTime(of + "max_connection_age", limits.max_connection_age, errors);
  CheckTime(of + "max_connection_idle", limits.max_connection_idle, errors);
  CheckTime(of + "connection_grace", limits.connection_grace, errors);
  CheckPositiveTime(of + "answer_timeout", limits.answer_timeout, errors);
}

// `all` are the addresses of the planes before.
void CheckAddresses(const std::string& of, const PlaneConfig& plane, bool local_only,
                    std::vector<Address>& all, Errors& errors) {
  for (const std::string& text : plane.addresses) {
    const absl::StatusOr<Address> address = Address::Parse(text);
    if (!address.ok()) {
      errors.Add(of, address.status().message());
      continue;
    }
    if (address->IsRelative()) errors.Add(of, text, ": the path does not begin with a slash");
    if (local_only && !address->IsLocal()) {
      errors.Add(of, text,
                 " is open to other machines, and not encrypted; use a unix socket or 127.0.0.1");
    }
    const bool any_port = !address->IsUnix() && address->port == 0;
    if (!any_port && std::find(all.begin(), all.end(), *address) != all.end()) {
      errors.Add(of, text, " is given twice");
    }
    all.push_back(*address);
  }
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string RunDirectory() {
  // systemd lists several, separated by colons; the first is ours.
  if (std::string given = Environment("RUNTIME_DIRECTORY"); !given.empty()) {
    return given.substr(0, given.find(':'));
  }
  if (std::string user = Environment("XDG_RUNTIME_DIR"); !user.empty()) return user + "/mainspring";
  if (getuid() == 0) return "/run/mainspring";
  return absl::StrCat("/tmp/mainspring-", getuid());
}

}  // namespace

ComponentConfig& HostConfig::Add(std::string type, std::string name) {
  ComponentConfig& component = components.emplace_back();
  component.name = name.empty() ? type : std::move(name);
  component.type = std::move(type);
  return component;
}

ComponentConfig* HostConfig::Find(absl::string_view name) {
  const auto found = std::find_if(components.begin(), components.end(),
                                  [&](const auto& each) { return each.name == name; });
  return found == components.end() ? nullptr : &*found;
}

absl::Status Validate(const HostConfig& config) {
  Errors errors;
  std::set<std::string> names;
  for (const ComponentConfig& component : config.components) {
    CheckComponent(component, names, errors);
  }
  std::vector<Address> addresses;
  const struct {
    const char* name;
    const PlaneConfig& config;
    bool needed;
    bool local_only;
    const char* example;
  } planes[] = {{"data", config.data, true, false, "0.0.0.0:50051"},
                {"admin", config.admin, true, !config.admin.insecure, "unix:admin.sock"},
                {"probe", config.probe, false, false, ""}};
  for (const auto& plane : planes) {
    const std::string of = absl::StrCat("plane \"", plane.name, "\": ");
    if (plane.needed && plane.config.addresses.empty() && plane.config.sockets.empty()) {
      errors.Add(of, "no address; give it at least one, such as ", plane.example);
    }
    CheckAddresses(of, plane.config, plane.local_only, addresses, errors);
    CheckLimits(of, plane.config.limits, errors);
  }
  CheckAtLeastOne("event_history", config.event_history, errors);
  CheckTime("lame_duck", config.lame_duck, errors);
  CheckTime("drain_timeout", config.drain_timeout, errors);
  CheckTime("exit_margin", config.exit_margin, errors);
  return errors.status();
}

std::vector<std::string> Warnings(const HostConfig& config) {
  std::vector<std::string> warnings;
  const absl::Duration age = config.data.limits.max_connection_age;
  const bool ages = age > absl::ZeroDuration();
  // Give or take a tenth: see PlaneLimits.
  if (!ages || age * 1.1 >= config.drain_timeout) {
    warnings.push_back(
        absl::StrCat(ages ? absl::StrCat("max_connection_age, ", absl::FormatDuration(age),
                                         " give or take a tenth, is not below drain_timeout, ",
                                         absl::FormatDuration(config.drain_timeout))
                          : "max_connection_age is 0, never",
                     ": a drain cuts the calls of clients that stay connected"));
  }
  for (const ComponentConfig& component : config.components) {
    if (component.stall_warning <= component.stall_limit) continue;
    warnings.push_back(absl::StrCat("component \"", component.name, "\": stall_warning, ",
                                    absl::FormatDuration(component.stall_warning),
                                    ", is above stall_limit, ",
                                    absl::FormatDuration(component.stall_limit),
                                    ": it fails liveness before anybody is warned"));
  }
  return warnings;
}

absl::Status MakeRunDirectory(std::string& path) {
  path = RunDirectory();
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::UnavailableError(absl::StrCat("run directory ", path, ": ", strerror(errno)));
  }
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != getuid()) {
    return absl::UnavailableError(
        absl::StrCat("run directory ", path, ": is not a directory of this user's"));
  }
  // Who may write there can put a socket of their own in the place of the host's.
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return absl::UnavailableError(
        absl::StrCat("run directory ", path, ": others may write there, mode ",
                     absl::StrFormat("%04o", status.st_mode & 07777), "; chmod go-w it"));
  }
  return absl::OkStatus();
}

}  // namespace mainspring
