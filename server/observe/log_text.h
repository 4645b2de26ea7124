// How a text that anybody may have written is put into one line of a log: so that it cannot break
// out of its field or line, nor move a terminal's cursor, nor turn the direction of what follows,
// and takes a bounded part of the line.
#ifndef MAINSPRING_SERVER_OBSERVE_LOG_TEXT_H_
#define MAINSPRING_SERVER_OBSERVE_LOG_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace mainspring {

// Of one value, once it is escaped; longer ones are cut and end with "...".
inline constexpr size_t kMaxLoggedValue = 512;

// For key=value lines: all but printable ASCII as C's escapes; in double quotes where it needs
// them.
std::string TextValue(absl::string_view value);

// For JSON: a string literal with its quotes. Bytes that are no UTF-8 become U+FFFD; controls,
// those of C1 among them, and what turns the direction of text, \u escapes.
std::string JsonValue(absl::string_view value);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_OBSERVE_LOG_TEXT_H_
