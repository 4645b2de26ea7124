#include "mainspring/file_error.h"

#include <errno.h>
#include <string.h>

#include "absl/strings/str_cat.h"

namespace mainspring {

absl::Status FileError(const std::string& path, const char* what, int error) {
  const std::string text = absl::StrCat(path, ": cannot ", what, ": ", strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::ResourceExhaustedError(text);
    default:
      return absl::FailedPreconditionError(text);
  }
}

}  // namespace mainspring
