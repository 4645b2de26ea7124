#include "mainspring/server/config/probe_target.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mainspring/server/rpc/address.h"
#include "mainspring/text.h"

namespace mainspring {
namespace {

constexpr size_t kLongestQuoted = 256;
constexpr absl::string_view kUnix = "unix:";

bool IsSocket(absl::string_view path) {
  struct stat file;
  return stat(std::string(path).c_str(), &file) == 0 && S_ISSOCK(file.st_mode);
}

// Where the address ends in `text`.
size_t EndOfAddress(absl::string_view text) {
  if (!absl::StartsWith(text, kUnix)) return std::min(text.find('/'), text.size());
  const size_t slash = text.rfind('/');
  if (slash == absl::string_view::npos || IsSocket(text.substr(kUnix.size())) ||
      !IsSocket(text.substr(0, slash).substr(kUnix.size()))) {
    return text.size();
  }
  return slash;
}

// Whether anybody may be reached there.
bool CanBeDialled(const absl::StatusOr<rpc::Address>& address) {
  return address.ok() && !address->IsRelative() && (address->IsUnix() || address->port != 0);
}

}  // namespace

absl::StatusOr<ProbeTarget> ProbeTarget::Parse(absl::string_view text) {
  const size_t end = EndOfAddress(text);
  absl::StatusOr<rpc::Address> address = rpc::Address::Parse(text.substr(0, end));
  if (!CanBeDialled(address)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", BoundedText(text, kLongestQuoted),
                     "\" is not a target; write HOST:PORT, HOST:PORT/NAME, "
                     "unix:/PATH or unix:/PATH/NAME"));
  }
  if (address->host == "*") address->host = "localhost";
  return ProbeTarget{address->ToString(),
                     end == text.size() ? "" : std::string(text.substr(end + 1))};
}

}  // namespace mainspring
