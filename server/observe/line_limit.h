// LineLimit: how many lines of one kind are written, and how many were not. For lines that others
// than the operator cause: a client that sends the same nonsense again and again.
#ifndef MAINSPRING_SERVER_OBSERVE_LINE_LIMIT_H_
#define MAINSPRING_SERVER_OBSERVE_LINE_LIMIT_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// One thread at a time.
class LineLimit {
 public:
  // So many lines of a kind, within this time.
  static constexpr int kLines = 5;
  static constexpr absl::Duration kPeriod = absl::Seconds(10);
  // Kinds are few by nature, places in a source as a rule. Beyond so many at a time they count as
  // one.
  static constexpr size_t kMostKinds = 1000;

  // Whether a line of that kind may be written now. Where not, it is counted.
  bool Take(absl::string_view kind, SteadyTime now);

  // The kinds whose time is over, with how many of their lines were not written, where any was.
  std::vector<std::pair<std::string, uint64_t>> Withheld(SteadyTime now);

  // Whether any line was withheld that Withheld has not told of.
  bool owes() const { return owes_ != 0; }

 private:
  struct Kind {
    SteadyTime since;
    int written = 0;
    uint64_t withheld = 0;
  };

  Kind& Find(absl::string_view name, SteadyTime now);

  std::map<std::string, Kind, std::less<>> kinds_;
  size_t owes_ = 0;  // kinds with lines withheld
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_OBSERVE_LINE_LIMIT_H_
