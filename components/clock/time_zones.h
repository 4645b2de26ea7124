// TimeZones: the time zones of the host's IANA database, by name.
#ifndef MAINSPRING_COMPONENTS_CLOCK_TIME_ZONES_H_
#define MAINSPRING_COMPONENTS_CLOCK_TIME_ZONES_H_

#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace mainspring::clock {

// Keeps each zone that was found. One thread only. Reads $TZDIR or /usr/share/zoneinfo.
//
// It looks for the file before abseil does, because abseil opens any path that it is given as a
// name, and keeps an entry for ever for each name that it did not find.
class TimeZones {
 public:
  // "" is UTC. INVALID_ARGUMENT: the database has no such zone; the text names it.
  absl::StatusOr<absl::TimeZone> Find(const std::string& name);

 private:
  std::unordered_map<std::string, absl::TimeZone> found_;
};

}  // namespace mainspring::clock

#endif  // MAINSPRING_COMPONENTS_CLOCK_TIME_ZONES_H_
