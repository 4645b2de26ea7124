#include "mainspring/server/lifecycle/request_id.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace mainspring {

absl::Status CheckRequestId(const std::string& request_id) {
  const bool printable = std::all_of(request_id.begin(), request_id.end(), [](char each) {
    return absl::ascii_isprint(static_cast<unsigned char>(each));
  });
  if (printable && request_id.size() <= kLongestRequestId) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("request_id: up to ", kLongestRequestId, " printable characters are allowed"));
}

}  // namespace mainspring
