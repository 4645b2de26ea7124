#include "components/clock/time_zones.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mainspring::clock {
namespace {

// The longest name in the database has 30 characters.
constexpr size_t kLongestName = 64;

bool IsPlainName(const std::string& name) {
  return name.size() <= kLongestName && name.front() != '/' && !absl::StrContains(name, "//") &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '+' || c == '/';
         });
}

bool IsInDatabase(const std::string& name) {
  const char* directory = std::getenv("TZDIR");
  if (directory == nullptr || *directory == '\0') directory = "/usr/share/zoneinfo";
  std::error_code error;
  return std::filesystem::is_regular_file(std::filesystem::path(directory) / name, error);
}

}  // namespace

absl::StatusOr<absl::TimeZone> TimeZones::Find(const std::string& name) {
  if (name.empty() || name == "UTC") return absl::UTCTimeZone();
  if (auto found = found_.find(name); found != found_.end()) return found->second;
  absl::TimeZone zone;
  if (!IsPlainName(name) || !IsInDatabase(name) || !absl::LoadTimeZone(name, &zone)) {
    return absl::InvalidArgumentError(
        absl::StrCat("time_zone: \"", absl::CHexEscape(name.substr(0, kLongestName)),
                     "\" is not in the IANA database; a name looks like \"Europe/Berlin\""));
  }
  found_.emplace(name, zone);
  return zone;
}

}  // namespace mainspring::clock
