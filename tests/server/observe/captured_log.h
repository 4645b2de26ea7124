// LinesLogged: what a log writes, read back.
#ifndef MAINSPRING_TESTS_SERVER_OBSERVE_CAPTURED_LOG_H_
#define MAINSPRING_TESTS_SERVER_OBSERVE_CAPTURED_LOG_H_

#include <stdio.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "mainspring/server/observe/event_log.h"

namespace mainspring::testing {

// The lines that `write` has the log write, and those that the log writes when it ends.
inline std::vector<std::string> LinesLogged(LogFormat format,
                                            const std::function<void(EventLog&)>& write) {
  std::FILE* const file = std::tmpfile();
  {
    std::unique_ptr<EventLog> log = *EventLog::Start(format, fileno(file));
    write(*log);
  }
  std::string text;
  char bytes[65536];
  for (ssize_t count;
       (count = pread(fileno(file), bytes, sizeof(bytes), static_cast<off_t>(text.size()))) > 0;) {
    text.append(bytes, static_cast<size_t>(count));
  }
  std::fclose(file);
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_OBSERVE_CAPTURED_LOG_H_
