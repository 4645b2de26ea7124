// Substitute: what a configuration file leaves to its surroundings, secrets above all.
#ifndef MAINSPRING_SERVER_CONFIG_SUBSTITUTION_H_
#define MAINSPRING_SERVER_CONFIG_SUBSTITUTION_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mainspring {

// `text` with each ${NAME} as the environment has it, each ${file:/PATH} as the text of that file,
// without one newline at its end, and each $${ as ${. What stands there is not looked at again.
// INVALID_ARGUMENT: a variable is not set, a file cannot be read, is larger than 64 KiB or is not
// UTF-8, or a brace is not closed; the text says which, and never a value.
absl::StatusOr<std::string> Substitute(absl::string_view text);

// A text that Substitute makes `text` of.
std::string Unsubstituted(absl::string_view text);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_SUBSTITUTION_H_
