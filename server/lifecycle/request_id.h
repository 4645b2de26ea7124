// CheckRequestId: what operators may call their commands and changes by.
#ifndef MAINSPRING_SERVER_LIFECYCLE_REQUEST_ID_H_
#define MAINSPRING_SERVER_LIFECYCLE_REQUEST_ID_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"

namespace mainspring {

inline constexpr size_t kLongestRequestId = 128;

// OK, also for none; INVALID_ARGUMENT: it is too long, or not printable. Any thread.
absl::Status CheckRequestId(const std::string& request_id);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_REQUEST_ID_H_
