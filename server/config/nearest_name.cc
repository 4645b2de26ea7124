#include "mainspring/server/config/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

// Longer names are cut: the distance takes the product of both lengths.
constexpr size_t kMostCompared = 64;

// How many characters to insert, delete or replace (Levenshtein 1966), by a row at a time.
size_t Distance(absl::string_view from, absl::string_view to) {
  from = from.substr(0, kMostCompared);
  to = to.substr(0, kMostCompared);
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= from.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string> NearestFirst(absl::string_view wanted, std::vector<std::string> names) {
  const auto nearest = std::min_element(names.begin(), names.end(),
                                        [&](const std::string& left, const std::string& right) {
                                          return Distance(wanted, left) < Distance(wanted, right);
                                        });
  if (nearest != names.end()) std::rotate(names.begin(), nearest, std::next(nearest));
  return names;
}

std::string DidYouMean(absl::string_view wanted, const std::vector<std::string>& names) {
  const std::vector<std::string> nearest = NearestFirst(wanted, names);
  // Half of it may be wrong.
  if (nearest.empty() || Distance(wanted, nearest.front()) * 2 > wanted.size() + 1) return "";
  return absl::StrCat("; did you mean \"", nearest.front(), "\"?");
}

}  // namespace mainspring
