#include "server/config/host_config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mainspring {
namespace {

bool IsLocal(absl::string_view address) {
  if (absl::StartsWith(address, "unix:") || absl::StartsWith(address, "[::1]:") ||
      absl::StartsWith(address, "localhost:")) {
    return true;
  }
  // 127.0.0.0/8, but no name that begins so.
  const absl::string_view host = address.substr(0, address.rfind(':'));
  return absl::StartsWith(host, "127.") && std::all_of(host.begin(), host.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.';
         });
}

bool CanBeWaitedFor(absl::Duration time) {
  return time >= absl::ZeroDuration() && time < absl::InfiniteDuration();
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

absl::Status Validate(const HostConfig& config) {
  std::vector<std::string> errors;
  std::set<std::string> names;
  for (const ComponentConfig& component : config.components) {
    if (component.name == kSupervisorName) {
      errors.push_back(absl::StrCat("a component of type \"", component.type, "\" is called \"",
                                    component.name, "\", as the supervisor is"));
    }
    if (component.name.empty()) {
      errors.push_back(absl::StrCat("a component of type \"", component.type, "\" has no name"));
    } else if (!names.insert(component.name).second) {
      errors.push_back(absl::StrCat("two components are called \"", component.name, "\""));
    }
    const struct {
      const char* name;
      absl::Duration value;
    } times[] = {{"start_timeout", component.start_timeout},
                 {"stop_timeout", component.stop_timeout},
                 {"stall_warning", component.stall_warning},
                 {"stall_limit", component.stall_limit},
                 {"restart.period", component.restart.period},
                 {"restart.least_backoff", component.restart.least_backoff},
                 {"restart.most_backoff", component.restart.most_backoff},
                 {"restart.reset_after", component.restart.reset_after}};
    for (const auto& [name, value] : times) {
      if (CanBeWaitedFor(value)) continue;
      errors.push_back(absl::StrCat("component \"", component.name, "\": ", name, ": ",
                                    absl::FormatDuration(value),
                                    " is not a time that can be waited for"));
    }
    if (component.restart.max_failures < 1) {
      errors.push_back(absl::StrCat("component \"", component.name, "\": restart.max_failures: ",
                                    component.restart.max_failures, " is less than one"));
    }
    if (!(component.restart.jitter >= 0 && component.restart.jitter < 1)) {
      errors.push_back(absl::StrCat("component \"", component.name, "\": restart.jitter: ",
                                    component.restart.jitter, " is not from 0 to less than 1"));
    }
  }
  if (config.data.addresses.empty() && config.data.sockets.empty())
    errors.push_back("plane \"data\": no address");
  if (config.admin.addresses.empty()) errors.push_back("plane \"admin\": no address");
  for (const std::string& address : config.admin.addresses) {
    if (config.admin.insecure || IsLocal(address)) continue;
    errors.push_back(absl::StrCat("plane \"admin\": ", address,
                                  " is open to other machines, and not encrypted; use a unix "
                                  "socket or 127.0.0.1"));
  }
  const struct {
    const char* name;
    absl::Duration value;
  } durations[] = {{"lame_duck", config.lame_duck},
                   {"drain_timeout", config.drain_timeout},
                   {"exit_margin", config.exit_margin},
                   {"max_connection_age", config.data.limits.max_connection_age}};
  for (const auto& [name, value] : durations) {
    if (CanBeWaitedFor(value)) continue;
    errors.push_back(absl::StrCat(name, ": ", absl::FormatDuration(value),
                                  " is not a time that can be waited for"));
  }
  if (errors.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(errors, "; "));
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
  return absl::OkStatus();
}

}  // namespace mainspring
