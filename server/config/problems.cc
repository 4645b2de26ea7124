#include "mainspring/server/config/problems.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_join.h"
#include "mainspring/text.h"

namespace mainspring {
namespace {

constexpr size_t kMostReported = 100;

std::string TextOf(const Problem& problem) {
  return absl::StrCat(problem.path, problem.path.empty() ? "" : ": ", problem.what);
}

}  // namespace

Position FindOrigin(const Origins& origins, absl::string_view path) {
  while (!path.empty()) {
    const auto found = origins.find(std::string(path));
    if (found != origins.end()) return found->second;
    // An item lies in its list, a field in its message.
    const size_t cut = path.find_last_of(".[");
    // A name in brackets may have dots.
    const size_t bracket = path.back() == ']' ? path.rfind('[') : cut;
    path = path.substr(0, bracket == absl::string_view::npos ? 0 : bracket);
  }
  return {};
}

absl::Status Problems::status() const {
  if (all_.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(
      all_, "; ",
      [](std::string* out, const Problem& each) { absl::StrAppend(out, TextOf(each)); }));
}

std::string Problems::Report(absl::string_view file, const Origins& origins) const {
  std::vector<Problem> sorted = all_;
  for (Problem& each : sorted) {
    if (each.at.line == 0) each.at = FindOrigin(origins, each.path);
  }
  const auto order = [](const Problem& each) { return std::tuple(each.at.line == 0, each.at); };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Problem& left, const Problem& right) {
    return order(left) < order(right);
  });
  std::string report;
  for (const Problem& each : sorted) {
    if (&each == sorted.data() + kMostReported) {
      absl::StrAppend(&report, file, ": and ", sorted.size() - kMostReported, " more\n");
      break;
    }
    absl::StrAppend(&report, file, ":");
    if (each.at.line != 0) absl::StrAppend(&report, each.at.line, ":", each.at.column, ":");
    absl::StrAppend(&report, " ", BoundedText(TextOf(each)), "\n");
  }
  return report;
}

}  // namespace mainspring
