#include "server/observe/event_log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

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

bool NeedsQuotes(const std::string& value) {
  return value.empty() || std::any_of(value.begin(), value.end(), [](unsigned char c) {
           return c == ' ' || c == '"' || c == '=' || c == '\\' || !absl::ascii_isprint(c);
         });
}

}  // namespace

EventLog::EventLog(LogFormat format) : format_(format) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  logger_ = std::make_shared<spdlog::logger>("mainspring", std::move(sink));
  logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      format == LogFormat::kJson ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc));
}

EventLog::EventLog() = default;
EventLog::~EventLog() = default;

void EventLog::Write(Severity severity, const char* event, const Fields& fields) {
  if (logger_ == nullptr) return;
  // Through "{}": a value must not be taken for a format.
  if (format_ == LogFormat::kJson) {
    logger_->log(LevelOf(severity), "{}", Json(event, fields).substr(1));
  } else {
    logger_->log(LevelOf(severity), "{}", Text(event, fields));
  }
}

std::string EventLog::Text(const char* event, const Fields& fields) {
  std::string text = absl::StrCat("event=", event);
  for (const LogField& field : fields) {
    if (const auto* number = std::get_if<int64_t>(&field.value)) {
      absl::StrAppend(&text, " ", field.key, "=", *number);
      continue;
    }
    const std::string& value = std::get<std::string>(field.value);
    if (NeedsQuotes(value)) {
      absl::StrAppend(&text, " ", field.key, "=\"", absl::CHexEscape(value), "\"");
    } else {
      absl::StrAppend(&text, " ", field.key, "=", value);
    }
  }
  return text;
}

std::string EventLog::Json(const char* event, const Fields& fields) {
  nlohmann::ordered_json json = {{"event", event}};
  for (const LogField& field : fields) {
    std::visit([&](const auto& value) { json[field.key] = value; }, field.value);
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace mainspring
