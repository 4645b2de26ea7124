// The command line, on abseil's flags: ParseFlags. abseil's own parser ends the process with 1 and
// several lines where a flag is wrong, and does not take "--data-address"; this one does neither.
#ifndef MAINSPRING_SERVER_CONFIG_FLAGS_H_
#define MAINSPRING_SERVER_CONFIG_FLAGS_H_

#include <set>
#include <string>

#include "absl/status/statusor.h"

namespace mainspring {

// Sets the flags that were defined with ABSL_FLAG, and returns the names of those, with
// underscores, from `--name=value`, `--name value`, and for
// booleans `--name` and `--noname`; dashes in a name stand for underscores.
// INVALID_ARGUMENT: a flag is not known, lacks its value or does not take it, or an argument is
// left over; the text names it.
absl::StatusOr<std::set<std::string>> ParseFlags(int argc, char** argv);

// One paragraph for each flag, sorted by name, with its default.
std::string FlagsHelp();

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_FLAGS_H_
