#include "mainspring/server/observe/protobuf_log.h"

#include <google/protobuf/stubs/logging.h>

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

using google::protobuf::LogLevel;

// protobuf takes a plain function.
EventLog* sink = nullptr;

Severity SeverityOf(LogLevel level) {
  switch (level) {
    case google::protobuf::LOGLEVEL_INFO:
      return Severity::kInfo;
    case google::protobuf::LOGLEVEL_WARNING:
    case google::protobuf::LOGLEVEL_ERROR:
      // What it calls an error is one of the message's, not of the host's.
      return Severity::kWarning;
    case google::protobuf::LOGLEVEL_FATAL:
      return Severity::kError;
  }
  return Severity::kError;
}

void Log(LogLevel level, const char* file, int line, const std::string& text) {
  const char* slash = std::strrchr(file, '/');
  const std::string where = absl::StrCat(slash == nullptr ? file : slash + 1, ":", line);
  sink->WriteLimited(where, SeverityOf(level), "protobuf", {{"where", where}, {"text", text}});
}

}  // namespace

void SendProtobufLogTo(EventLog& log) {
  sink = &log;
  google::protobuf::SetLogHandler(&Log);
}

}  // namespace mainspring
