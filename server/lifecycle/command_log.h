// CommandLog: what operators have asked for, and what they were answered, as events of the log.
#ifndef MAINSPRING_SERVER_LIFECYCLE_COMMAND_LOG_H_
#define MAINSPRING_SERVER_LIFECYCLE_COMMAND_LOG_H_

#include <string>

#include "absl/status/status.h"
#include "mainspring/server/observe/event_log.h"

namespace mainspring {

// Any thread. The log must outlive it.
class CommandLog {
 public:
  explicit CommandLog(EventLog& log) : log_(log) {}

  // `command`: "StopComponent" and so on. `component` and `request_id` as they were given, or
  // empty.
  void Write(const char* command, const std::string& component, const std::string& request_id,
             const absl::Status& outcome) const;

 private:
  EventLog& log_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_COMMAND_LOG_H_
