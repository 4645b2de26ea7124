// StopReport: how many calls the stop of all components has cut, and whose threads did not come
// back.
#ifndef MAINSPRING_SERVER_SUPERVISOR_STOP_REPORT_H_
#define MAINSPRING_SERVER_SUPERVISOR_STOP_REPORT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace mainspring {

// At its stop timeout the control loop refuses the rest of its queue; only after this as well is a
// component's thread taken not to come back.
inline constexpr absl::Duration kStopGrace = absl::Milliseconds(200);

// A component whose thread did not come back in time.
struct StuckComponent {
  std::string component;
  std::string method;  // what it is in: see ComponentView
  absl::Duration age;
};

struct StopReport {
  size_t cut_calls = 0;  // answered UNAVAILABLE because time was up
  std::vector<StuckComponent> stuck;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_STOP_REPORT_H_
