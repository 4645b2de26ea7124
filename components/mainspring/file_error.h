// FileError: what went wrong with a file, for whoever can mend it.
#ifndef MAINSPRING_FILE_ERROR_H_
#define MAINSPRING_FILE_ERROR_H_

#include <string>

#include "absl/status/status.h"

namespace mainspring {

// "PATH: cannot WHAT: No space left on device", of errno: RESOURCE_EXHAUSTED where there is no room
// or no descriptor, else FAILED_PRECONDITION.
absl::Status FileError(const std::string& path, const char* what, int error);

}  // namespace mainspring

#endif  // MAINSPRING_FILE_ERROR_H_
