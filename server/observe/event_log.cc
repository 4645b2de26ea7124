#include "mainspring/server/observe/event_log.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>

#include "absl/strings/str_cat.h"
#include "mainspring/server/observe/line_writer.h"
#include "mainspring/server/observe/log_text.h"

namespace mainspring {
namespace {

constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%fZ %l %v";
// What Json() returns follows, without its opening brace.
constexpr char kJsonPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v)";

spdlog::level::level_enum LevelOf(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return spdlog::level::debug;
    case Severity::kInfo:
      return spdlog::level::info;
    case Severity::kWarning:
      return spdlog::level::warn;
    case Severity::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

EventLog::EventLog() = default;

EventLog::EventLog(LogFormat format)
    : format_(format),
      formatter_(std::make_unique<spdlog::pattern_formatter>(
          format == LogFormat::kJson ? kJsonPattern : kTextPattern,
          spdlog::pattern_time_type::utc)) {}

EventLog::~EventLog() = default;

absl::StatusOr<std::unique_ptr<EventLog>> EventLog::Start(LogFormat format, int fd) {
  std::unique_ptr<EventLog> log(new EventLog(format));
  auto writer =
      LineWriter::Start(fd, [log = log.get()](uint64_t dropped) { return log->Owed(dropped); });
  if (!writer.ok()) return writer.status();
  log->writer_ = *std::move(writer);
  return log;
}

EventLog& EventLog::Silent() {
  static EventLog silent;
  return silent;
}

void EventLog::Write(Severity severity, const char* event, const Fields& fields) {
  if (writer_ != nullptr) writer_->Push(Line(severity, event, fields));
}

void EventLog::WriteLimited(absl::string_view kind, Severity severity, const char* event,
                            const Fields& fields) {
  if (writer_ == nullptr) return;
  {
    MutexLock lock(mutex_);
    const bool owed = limit_.owes();
    if (!limit_.Take(kind, std::chrono::steady_clock::now())) {
      if (!owed) writer_->Remind();
      return;
    }
  }
  Write(severity, event, fields);
}

void EventLog::Flush(SteadyTime deadline) {
  if (writer_ != nullptr) writer_->Flush(deadline);
}

std::string EventLog::Owed(uint64_t dropped) {
  std::string lines;
  if (dropped != 0) lines += Line(Severity::kWarning, "log", {{"dropped", dropped}});
  std::vector<std::pair<std::string, uint64_t>> withheld;
  bool owes;
  {
    MutexLock lock(mutex_);
    withheld = limit_.Withheld(std::chrono::steady_clock::now());
    owes = limit_.owes();
  }
  for (const auto& [kind, count] : withheld) {
    lines += Line(Severity::kWarning, "log", {{"withheld", count}, {"kind", kind}});
  }
  if (owes) writer_->Remind();
  return lines;
}

std::string EventLog::Line(Severity severity, const char* event, const Fields& fields) {
  const std::string body =
      format_ == LogFormat::kJson ? Json(event, fields).substr(1) : Text(event, fields);
  spdlog::memory_buf_t line;
  MutexLock lock(mutex_);
  formatter_->format(spdlog::details::log_msg("", LevelOf(severity), body), line);
  return std::string(line.data(), line.size());
}

std::string EventLog::Text(const char* event, const Fields& fields) {
  std::string text = absl::StrCat("event=", event);
  for (const LogField& field : fields) {
    if (const auto* number = std::get_if<int64_t>(&field.value)) {
      absl::StrAppend(&text, " ", field.key, "=", *number);
    } else {
      absl::StrAppend(&text, " ", field.key, "=", TextValue(std::get<std::string>(field.value)));
    }
  }
  return text;
}

std::string EventLog::Json(const char* event, const Fields& fields) {
  std::string json = absl::StrCat("{\"event\":", JsonValue(event));
  for (const LogField& field : fields) {
    absl::StrAppend(&json, ",", JsonValue(field.key), ":");
    if (const auto* number = std::get_if<int64_t>(&field.value)) {
      absl::StrAppend(&json, *number);
    } else {
      absl::StrAppend(&json, JsonValue(std::get<std::string>(field.value)));
    }
  }
  return json + "}";
}

}  // namespace mainspring
