// EventLog: the host's log, one event a line on standard error.
//
//   text  2026-01-02T03:04:05.678901Z info event=listening plane=data address=127.0.0.1:50051
//   json
//   {"time":"2026-01-02T03:04:05.678901Z","level":"info","event":"listening","plane":"data",...}
#ifndef MAINSPRING_SERVER_OBSERVE_EVENT_LOG_H_
#define MAINSPRING_SERVER_OBSERVE_EVENT_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace spdlog {
class logger;
}

namespace mainspring {

enum class LogFormat { kText, kJson };
enum class Severity { kDebug, kInfo, kWarning, kError };

// One key of an event with its value. Durations are written in milliseconds.
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

// Any thread; a line is written whole. What a value holds cannot break out of its line or field.
class EventLog {
 public:
  using Fields = std::vector<LogField>;

  // Writes to standard error.
  explicit EventLog(LogFormat format);
  // Writes nothing, for tests.
  EventLog();
  ~EventLog();

  void Write(Severity severity, const char* event, const Fields& fields);
  void Info(const char* event, const Fields& fields) { Write(Severity::kInfo, event, fields); }
  void Warning(const char* event, const Fields& fields) {
    Write(Severity::kWarning, event, fields);
  }
  void Error(const char* event, const Fields& fields) { Write(Severity::kError, event, fields); }

  // The event without time and level, as each format has it.
  static std::string Text(const char* event, const Fields& fields);
  static std::string Json(const char* event, const Fields& fields);

 private:
  const LogFormat format_ = LogFormat::kText;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_OBSERVE_EVENT_LOG_H_
