// ReadFile: a file of a bounded size, as a text.
#ifndef MAINSPRING_SERVER_CONFIG_READ_FILE_H_
#define MAINSPRING_SERVER_CONFIG_READ_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace mainspring {

// Of a pipe too, /dev/stdin for one, as long as something comes every ten seconds. Blocks for it.
// NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE: it cannot be read, and why. RESOURCE_EXHAUSTED: it has
// more than `most` bytes. Each text begins with what went wrong, not with the path.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t most);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_READ_FILE_H_
