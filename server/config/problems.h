// Problems: what is wrong with a configuration, all of it, each with its path and, where a file
// says it, its place in the file.
#ifndef MAINSPRING_SERVER_CONFIG_PROBLEMS_H_
#define MAINSPRING_SERVER_CONFIG_PROBLEMS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace mainspring {

// In a file: both count from 1, columns in bytes. Line 0: nowhere.
struct Position {
  int line = 0;
  int column = 0;
  auto operator<=>(const Position&) const = default;
};

// Where a file says what: the places of values by their paths, "drain.timeout" and
// "components[clock].mailbox" for two.
using Origins = std::map<std::string, Position>;

// Of `path`, or of the nearest thing around it that the file has; nowhere, where it has none.
Position FindOrigin(const Origins& origins, absl::string_view path);

struct Problem {
  Position at;
  std::string path;  // empty: the whole
  std::string what;
};

// One thread only.
class Problems {
 public:
  template <class... Parts>
  void Add(std::string path, const Parts&... what) {
    all_.push_back({{}, std::move(path), absl::StrCat(what...)});
  }
  template <class... Parts>
  void AddAt(Position at, std::string path, const Parts&... what) {
    all_.push_back({at, std::move(path), absl::StrCat(what...)});
  }

  bool empty() const { return all_.empty(); }
  const std::vector<Problem>& all() const { return all_; }

  // OK, or INVALID_ARGUMENT: "PATH: WHAT; PATH: WHAT", in the order in which they were added.
  absl::Status status() const;

  // A line for each, `file:line:column: path: what`, in the order of the file; what is nowhere in
  // it comes last, and without a place. Of more than a hundred, those first, and how many more.
  std::string Report(absl::string_view file, const Origins& origins) const;

 private:
  std::vector<Problem> all_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_PROBLEMS_H_
