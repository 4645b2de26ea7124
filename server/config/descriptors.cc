#include "mainspring/server/config/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace mainspring {
namespace {

// For files, wake-ups, listeners, what gRPC opens, and what components do.
constexpr size_t kKept = 128;

}  // namespace

size_t RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return before;
  return limit.rlim_cur;
}

bool FitConnections(size_t descriptors, HostConfig& config) {
  const bool probes = !config.probe.addresses.empty() || !config.probe.sockets.empty();
  size_t& data = config.data.limits.max_connections;
  size_t& admin = config.admin.limits.max_connections;
  size_t& probe = config.probe.limits.max_connections;
  const size_t left = descriptors - std::min({kKept, descriptors / 2});
  if (data <= left && admin <= left - data && (!probes || probe <= left - data - admin)) {
    return false;
  }
  const size_t share = std::max<size_t>(1, left / 8);
  admin = std::min(admin, share);
  if (probes) probe = std::min(probe, share);
  const size_t shares = admin + (probes ? probe : 0);
  data = std::min(data, std::max<size_t>(1, left - std::min(left, shares)));
  return true;
}

}  // namespace mainspring
