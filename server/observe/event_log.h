// EventLog: the host's log, one event a line on standard error.
//
// text:
//
//     2026-01-02T03:04:05.678901Z info event=listening plane=data address=127.0.0.1:50051
//
// json:
//
//     {"time":"2026-01-02T03:04:05.678901Z","level":"info","event":"listening","plane":"data"}
//
// It never keeps anybody waiting: a thread of its own writes, and where the log is read too slowly,
// or not at all, lines are dropped. Once there is room again, a line says how many:
//
//     event=log dropped=4711
#ifndef MAINSPRING_SERVER_OBSERVE_EVENT_LOG_H_
#define MAINSPRING_SERVER_OBSERVE_EVENT_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "mainspring/mutex.h"
#include "mainspring/server/observe/line_limit.h"

namespace spdlog {
class formatter;
}

namespace mainspring {

class LineWriter;

enum class LogFormat { kText, kJson };
enum class Severity { kDebug, kInfo, kWarning, kError };

// One key of an event with its value. Durations are written in milliseconds, texts cut where they
// are longer than kMaxLoggedValue.
struct LogField {
  LogField(const char* key, absl::string_view value) : key(key), value(std::string(value)) {}
  LogField(const char* key, const std::string& value) : key(key), value(value) {}
  LogField(const char* key, const char* value) : key(key), value(std::string(value)) {}
  template <class Integer, class = std::enable_if_t<std::is_integral_v<Integer>>>
  LogField(const char* key, Integer value) : key(key), value(static_cast<int64_t>(value)) {}
  LogField(const char* key, absl::Duration value)
      : key(key), value(absl::ToInt64Milliseconds(value)) {}

  const char* key;
  std::variant<std::string, int64_t> value;
};

// Any thread. A line is written whole; what a value holds cannot break out of its line or field.
class EventLog {
 public:
  using Fields = std::vector<LogField>;

  // Writes to `fd`, which must stay open.
  // RESOURCE_EXHAUSTED: no more threads.
  static absl::StatusOr<std::unique_ptr<EventLog>> Start(LogFormat format, int fd = 2);
  // Writes nothing.
  EventLog();
  // Writes what waits, within a second.
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // One that writes nothing, for whoever has no log.
  static EventLog& Silent();

  void Write(Severity severity, const char* event, const Fields& fields);
  void Info(const char* event, const Fields& fields) { Write(Severity::kInfo, event, fields); }
  void Warning(const char* event, const Fields& fields) {
    Write(Severity::kWarning, event, fields);
  }
  void Error(const char* event, const Fields& fields) { Write(Severity::kError, event, fields); }

  // For what a client can cause: of one `kind` no more lines than LineLimit allows. How many there
  // were besides is told some seconds later:
  //
  //     event=log withheld=19312 kind=server_chttp2.cc:92
  void WriteLimited(absl::string_view kind, Severity severity, const char* event,
                    const Fields& fields);

  // Blocks until what was written before has left the process, or `deadline` has passed: for who is
  // about to end the process.
  void Flush(SteadyTime deadline);

  // The event without time and level, as each format has it.
  static std::string Text(const char* event, const Fields& fields);
  static std::string Json(const char* event, const Fields& fields);

 private:
  explicit EventLog(LogFormat format);
  std::string Line(Severity severity, const char* event, const Fields& fields);
  std::string Owed(uint64_t dropped);

  const LogFormat format_ = LogFormat::kText;
  Mutex mutex_;
  std::unique_ptr<spdlog::formatter> formatter_ ABSL_GUARDED_BY(mutex_);
  LineLimit limit_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<LineWriter> writer_;  // null: nothing is written
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_OBSERVE_EVENT_LOG_H_
