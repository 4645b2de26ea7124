#include "mainspring/server/config/host_config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mainspring/server/config/bounds.h"
#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/config/message_reader.h"
#include "mainspring/server/rpc/address.h"

namespace mainspring {
namespace {

using rpc::Address;

constexpr size_t kLongestName = 63;
// As host.proto has it; more are found to be out of bounds.
constexpr size_t kMostComponents = 10'000;
constexpr int kMostReplicas = 256;
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

void CheckName(const ComponentConfig& component, const std::string& path,
               std::set<std::string>& names, Problems& problems) {
  const std::string& name = component.name;
  const std::string at = absl::StrCat(path, ".name");
  if (std::find(std::begin(kReservedNames), std::end(kReservedNames), name) !=
      std::end(kReservedNames)) {
    problems.Add(at, "\"", name, "\" is a name of the host's own");
  } else if (name.empty()) {
    problems.Add(at, "is missing, of a component of type \"", component.type, "\"");
  } else if (!IsName(name)) {
    problems.Add(at, "\"", absl::CHexEscape(name), "\" is not 1 to ", kLongestName,
                 " of a-z, 0-9, \".\", \"_\" and \"-\"");
  } else if (!names.insert(name).second) {
    problems.Add(at, "two components are called \"", name, "\"");
  }
}

void CheckComponent(const ComponentConfig& component, const std::string& path,
                    std::set<std::string>& names, Problems& problems) {
  CheckName(component, path, names, problems);
  const RestartPolicy& restart = component.restart;
  if (restart.least_backoff > restart.most_backoff) {
    problems.Add(absl::StrCat(path, ".restart.least_backoff"),
                 absl::FormatDuration(restart.least_backoff), " is more than most_backoff, ",
                 absl::FormatDuration(restart.most_backoff));
  }
}

// `names` are those of all components.
void CheckReplicas(const ComponentConfig& component, const std::string& path,
                   const std::set<std::string>& names, Problems& problems) {
  for (int i = 0; i < std::min(component.replicas.value_or(0), kMostReplicas); ++i) {
    const std::string name = ReplicaName(component.name, i);
    if (names.count(name) == 0 && name.size() <= kLongestName) continue;
    problems.Add(absl::StrCat(path, ".replicas"), "one of them is called \"", name, "\", which ",
                 names.count(name) != 0 ? "another component is" : "is too long for a name");
    return;
  }
}

// `all` are the addresses of the planes before.
void CheckAddresses(const std::string& path, const PlaneConfig& plane, bool local_only,
                    std::vector<Address>& all, Problems& problems) {
  for (size_t i = 0; i < plane.addresses.size(); ++i) {
    const std::string& text = plane.addresses[i];
    const std::string at = absl::StrCat(path, ".addresses[", i, "]");
    const absl::StatusOr<Address> address = Address::Parse(text);
    if (!address.ok()) {
      problems.Add(at, address.status().message());
      continue;
    }
    if (local_only && !address->IsLocal()) {
      problems.Add(at, text,
                   " is open to other machines, and not encrypted; use a unix socket or 127.0.0.1");
    }
    const bool any_port = !address->IsUnix() && address->port == 0;
    if (!any_port && std::find(all.begin(), all.end(), *address) != all.end()) {
      problems.Add(at, text, " is given twice");
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

const ComponentConfig* HostConfig::Find(absl::string_view name) const {
  const auto found = std::find_if(components.begin(), components.end(),
                                  [&](const ComponentConfig& each) { return each.name == name; });
  return found == components.end() ? nullptr : &*found;
}

ComponentConfig* HostConfig::Find(absl::string_view name) {
  const ComponentConfig* const found = std::as_const(*this).Find(name);
  return found == nullptr ? nullptr : &components[static_cast<size_t>(found - components.data())];
}

std::string ReplicaName(const std::string& configured, int replica) {
  return absl::StrCat(configured, "-", replica);
}

const std::string& ConfiguredName(const ComponentConfig& component) {
  return component.replica_of.empty() ? component.name : component.replica_of;
}

std::vector<ComponentConfig> Replicated(const std::vector<ComponentConfig>& components) {
  std::map<std::string, int> replicas;
  for (const ComponentConfig& each : components) {
    if (each.replicas.has_value()) {
      replicas.emplace(each.name, std::min(*each.replicas, kMostReplicas));
    }
  }
  std::vector<ComponentConfig> all;
  for (ComponentConfig component : components) {
    for (const Dependency& each : std::exchange(component.depends_on, {})) {
      const auto needed = replicas.find(each.component);
      if (needed == replicas.end()) {
        component.depends_on.push_back(each);
        continue;
      }
      for (int i = 0; i < needed->second; ++i) {
        component.depends_on.push_back(
            {ReplicaName(each.component, i), each.hard && needed->second == 1});
      }
    }
    if (!component.replicas.has_value()) {
      all.push_back(std::move(component));
      continue;
    }
    component.replica_of = component.name;
    for (int i = 0; i < std::min(*component.replicas, kMostReplicas); ++i) {
      component.name = ReplicaName(component.replica_of, i);
      all.push_back(component);
    }
  }
  return all;
}

std::string ComponentPath(const std::vector<ComponentConfig>& components, size_t component) {
  const std::string& name = components[component].name;
  const auto first = std::find_if(components.begin(), components.end(),
                                  [&](const auto& each) { return each.name == name; });
  const bool is_first = first == components.begin() + static_cast<ptrdiff_t>(component);
  return ItemPath("components", static_cast<int>(component), name, is_first);
}

void FindProblems(const HostConfig& config, Problems& problems) {
  std::set<std::string> names;
  for (size_t i = 0; i < config.components.size(); ++i) {
    CheckComponent(config.components[i], ComponentPath(config.components, i), names, problems);
  }
  size_t all = 0;
  for (const ComponentConfig& each : config.components) {
    all += static_cast<size_t>(std::clamp(each.replicas.value_or(1), 1, kMostReplicas));
  }
  if (all > kMostComponents) {
    problems.Add("components", "are ", all, ", with all replicas; a host takes ", kMostComponents,
                 ", each a thread");
  }
  for (size_t i = 0; i < config.components.size(); ++i) {
    CheckReplicas(config.components[i], ComponentPath(config.components, i), names, problems);
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
    const std::string path = absl::StrCat("planes.", plane.name);
    if (plane.needed && plane.config.addresses.empty() && plane.config.sockets.empty()) {
      problems.Add(absl::StrCat(path, ".addresses"), "no address; give it at least one, such as ",
                   plane.example);
    }
    CheckAddresses(path, plane.config, plane.local_only, addresses, problems);
  }
  CheckBounds(ToMessage(config), "", problems);
}

void CheckPaths(const HostConfig& config, Problems& problems) {
  const std::pair<const char*, const PlaneConfig&> planes[] = {
      {"data", config.data}, {"admin", config.admin}, {"probe", config.probe}};
  for (const auto& [name, plane] : planes) {
    for (const std::string& text : plane.addresses) {
      const absl::StatusOr<Address> address = Address::Parse(text);
      if (!address.ok() || !address->IsRelative()) continue;
      problems.Add(absl::StrCat("planes.", name, ".addresses"), text,
                   ": the path does not begin with a slash");
    }
  }
}

std::vector<Contradiction> FindContradictions(const HostConfig& config) {
  std::vector<Contradiction> found;
  const absl::Duration age = config.data.limits.max_connection_age;
  const bool ages = age > absl::ZeroDuration();
  // Give or take a tenth: see PlaneLimits.
  if (!ages || age * 1.1 >= config.drain_timeout) {
    found.push_back(
        {{"planes.data.limits.max_connection_age", "drain.timeout"},
         absl::StrCat(ages ? absl::StrCat("max_connection_age, ", absl::FormatDuration(age),
                                          " give or take a tenth, is not below drain.timeout, ",
                                          absl::FormatDuration(config.drain_timeout))
                           : "max_connection_age is 0, never",
                      ": a drain cuts the calls of clients that stay connected")});
  }
  for (size_t i = 0; i < config.components.size(); ++i) {
    const ComponentConfig& component = config.components[i];
    if (component.stall_warning <= component.stall_limit) continue;
    const std::string path = ComponentPath(config.components, i);
    found.push_back(
        {{absl::StrCat(path, ".stall_warning"), absl::StrCat(path, ".stall_limit")},
         absl::StrCat("stall_warning, ", absl::FormatDuration(component.stall_warning),
                      ", is above stall_limit, ", absl::FormatDuration(component.stall_limit),
                      ": it fails liveness before anybody is warned")});
  }
  return found;
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
