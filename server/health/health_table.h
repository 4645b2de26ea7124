// The names that a host's health knows, and when each serves: SnapshotOf.
#ifndef MAINSPRING_SERVER_HEALTH_HEALTH_TABLE_H_
#define MAINSPRING_SERVER_HEALTH_HEALTH_TABLE_H_

#include <vector>

#include "server/health/health_servicer.h"
#include "server/supervisor/supervisor.h"

namespace mainspring {

// "" and "readiness": every essential component is RUNNING, and the host does not drain.
// "liveness": no component is past its stall limit; never a matter of drains or dependencies.
// "startup": every component has been RUNNING once.
// A service: at least one of its components is RUNNING, and the host does not drain.
// A component: it is RUNNING, and the host does not drain.
// Where two of these have the same name, it serves when both do.
HealthSnapshot SnapshotOf(const std::vector<ComponentView>& components, bool draining);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_HEALTH_HEALTH_TABLE_H_
