// Text that leaves the thread that made it, in a status, a message or the log: valid UTF-8, and not
// longer than anybody reads. Exceptions quote what a client sent, and a protobuf string that is not
// UTF-8, or a status that outgrows the trailers, cannot be received at all.
#ifndef MAINSPRING_TEXT_H_
#define MAINSPRING_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mainspring {

// In bytes. A status travels in gRPC's trailers, and past about 8 KiB of them clients drop the
// whole call.
inline constexpr size_t kMaxText = 1024;

// `text` with each byte that is not part of a UTF-8 character written out, "\xe9"; where it is
// longer than `limit` bytes then, cut between two characters and ended by "...". `limit` is 3 or
// more. Looks at no more of `text` than is kept. Any thread.
std::string BoundedText(absl::string_view text, size_t limit = kMaxText);

// The same status with such a text. Any thread.
absl::Status Bounded(absl::Status status);

}  // namespace mainspring

#endif  // MAINSPRING_TEXT_H_
