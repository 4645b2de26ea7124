// How many descriptors the process may have open, and how many connections that is.
#ifndef MAINSPRING_SERVER_CONFIG_DESCRIPTORS_H_
#define MAINSPRING_SERVER_CONFIG_DESCRIPTORS_H_

#include <cstddef>

#include "mainspring/server/config/host_config.h"

namespace mainspring {

// Raises the process's soft limit to its hard one; the limit that it has then.
size_t RaiseDescriptorLimit();

// Lowers the planes' max_connections until they fit into so many descriptors, with some kept for
// everything else. Admin and probe keep a small share each, which the data plane's clients cannot
// take. False: they did fit.
bool FitConnections(size_t descriptors, HostConfig& config);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_DESCRIPTORS_H_
