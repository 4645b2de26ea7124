// Describe: what a supervisor and its operations know, as messages of mainspring.lifecycle.v1.
#ifndef MAINSPRING_SERVER_LIFECYCLE_DESCRIBE_H_
#define MAINSPRING_SERVER_LIFECYCLE_DESCRIBE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "mainspring/lifecycle/v1/lifecycle.pb.h"
#include "mainspring/server/lifecycle/event_history.h"
#include "mainspring/server/lifecycle/operations.h"
#include "mainspring/server/supervisor/component_table.h"
#include "mainspring/server/supervisor/dependency_graph.h"

namespace mainspring {

lifecycle::v1::Component::State ToProto(LifecycleState state);
lifecycle::v1::Event::Kind ToProto(TrafficChange change);
lifecycle::v1::Event ToProto(const LifecycleEvent& event);
lifecycle::v1::Operation ToProto(const Operation& operation, const ComponentTable& table);
lifecycle::v1::Step ToProto(const Step& step, const ComponentTable& table);

// All but what its restart budget says.
lifecycle::v1::Component Describe(size_t component, const ComponentTable& table,
                                  const DependencyGraph& graph);

// What the kernel knows of this process; Lifecycle adds incarnation, version, start time and
// whether it drains.
lifecycle::v1::HostProcess DescribeProcess();

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_DESCRIBE_H_
