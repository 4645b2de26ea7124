// The names that a host's health knows, and when each serves: SnapshotOf.
#ifndef MAINSPRING_SERVER_HEALTH_HEALTH_TABLE_H_
#define MAINSPRING_SERVER_HEALTH_HEALTH_TABLE_H_

#include "server/health/health_servicer.h"
#include "server/supervisor/component_table.h"

namespace mainspring {

// "" and "readiness": every essential component serves.
// "liveness": no component is past its stall limit, and the host's own threads make progress; never
// a matter of drains or dependencies.
// "startup": every component that starts with the host has been RUNNING once.
// A service: at least one of its components serves.
// A component: it serves: it is RUNNING and not drained, and the host does not drain.
// Where two of these have the same name, it serves when both do.
HealthSnapshot SnapshotOf(const ComponentTable& components, bool host_alive, bool draining);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_HEALTH_HEALTH_TABLE_H_
