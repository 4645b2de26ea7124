#include "components/clock/time_zones.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "mainspring/mutex.h"

namespace mainspring::clock {
namespace {

namespace fs = std::filesystem;

// As much of a name as a refusal repeats; the longest in the database has 30 characters.
constexpr size_t kLongestName = 64;

std::string DatabaseDirectory() {
  const char* directory = std::getenv("TZDIR");
  return directory == nullptr || *directory == '\0' ? "/usr/share/zoneinfo" : directory;
}

// Whether another try may go well. What is missing or forbidden stays so, and is no zone.
bool IsForNow(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM; }

absl::Status CannotRead(const fs::path& path, int error) {
  return absl::UnavailableError(
      absl::StrCat("time zones: cannot read ", path.string(), " now: ", std::strerror(error)));
}

// What stands beside the database's own names: the whole of it twice more, with and without leap
// seconds, and this machine's choices.
bool IsOfTheDatabase(const fs::path& name) {
  const std::string first = name.begin()->string();
  return first != "posix" && first != "right" && first != "localtime" && first != "posixrules";
}

// Whether it is a compiled zone, and no table or text.
absl::StatusOr<bool> IsZone(const fs::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  const int error = file.is_open() ? 0 : errno;
  if (IsForNow(error)) return CannotRead(path, error);
  std::array<char, 4> magic = {};
  return file.read(magic.data(), magic.size()) && std::memcmp(magic.data(), "TZif", 4) == 0;
}

// The names of all files, relative to the directory.
absl::StatusOr<std::vector<fs::path>> NamesIn(const fs::path& directory) {
  std::vector<fs::path> names;
  std::error_code error;
  fs::recursive_directory_iterator each(directory, fs::directory_options::skip_permission_denied,
                                        error);
  while (!error && each != fs::recursive_directory_iterator()) {
    fs::path name = each->path().lexically_relative(directory);
    const bool is_file = each->is_regular_file(error);
    if (!IsOfTheDatabase(name)) {
      each.disable_recursion_pending();
    } else if (is_file) {
      names.push_back(std::move(name));
    }
    error.clear();
    each.increment(error);
  }
  if (IsForNow(error.value())) return CannotRead(directory, error.value());
  return names;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TimeZones>> TimeZones::Load() {
  static Mutex mutex;
  static std::shared_ptr<const TimeZones> loaded;
  MutexLock lock(mutex);
  if (loaded == nullptr) {
    absl::StatusOr<TimeZones> read = Read(DatabaseDirectory());
    if (!read.ok()) return read.status();
    loaded = std::make_shared<const TimeZones>(*std::move(read));
  }
  return loaded;
}

absl::StatusOr<TimeZones> TimeZones::Read(const std::string& directory) {
  absl::StatusOr<std::vector<fs::path>> names = NamesIn(directory);
  if (!names.ok()) return names.status();
  TimeZones zones;
  for (const fs::path& name : *names) {
    const absl::StatusOr<bool> is_zone = IsZone(directory / name);
    if (!is_zone.ok()) return is_zone.status();
    absl::TimeZone zone;
    if (*is_zone && absl::LoadTimeZone(name.string(), &zone)) {
      zones.zones_.emplace(name.string(), zone);
    }
  }
  return zones;
}

absl::StatusOr<absl::TimeZone> TimeZones::Find(const std::string& name) const {
  if (name.empty() || name == "UTC") return absl::UTCTimeZone();
  if (auto found = zones_.find(name); found != zones_.end()) return found->second;
  return absl::InvalidArgumentError(
      absl::StrCat("time_zone: \"", absl::CHexEscape(name.substr(0, kLongestName)),
                   "\" is not in the IANA database; a name looks like \"Europe/Berlin\""));
}

}  // namespace mainspring::clock
