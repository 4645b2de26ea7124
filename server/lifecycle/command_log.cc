#include "mainspring/server/lifecycle/command_log.h"

#include "absl/strings/str_cat.h"

namespace mainspring {

void CommandLog::Write(const char* command, const std::string& component,
                       const std::string& request_id, const absl::Status& outcome) const {
  constexpr size_t kLongest = 256;
  // Details are for programs.
  const std::string told = outcome.ToString(absl::StatusToStringMode::kWithNoExtraData);
  const EventLog::Fields fields = {{"request_id", request_id.substr(0, kLongest)},
                                   {"command", command},
                                   {"component", component.substr(0, kLongest)},
                                   {"outcome", told}};
  // What is refused, or changes nothing, can be asked for again and again.
  log_.WriteLimited(
      absl::StrCat(command, " ",
                   outcome.ok() ? component : absl::StatusCodeToString(outcome.code())),
      Severity::kInfo, "operation", fields);
}

}  // namespace mainspring
