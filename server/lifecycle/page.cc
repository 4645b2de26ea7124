#include "mainspring/server/lifecycle/page.h"

#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

// So that tokens of another kind, should there be one some day, are told apart.
constexpr char kKind[] = "at:";

}  // namespace

bool Page::Takes(const lifecycle::v1::Component& component) {
  // With its own tag and length.
  const size_t bytes = component.ByteSizeLong() + 8;
  if (components_ > 0 && (components_ == most_ || bytes_ + bytes > kMostBytes)) return false;
  ++components_;
  bytes_ += bytes;
  return true;
}

absl::StatusOr<size_t> FirstOfPage(const lifecycle::v1::ListComponentsRequest& request,
                                   const ComponentTable& table) {
  if (request.page_size() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size: ", request.page_size(), " is negative"));
  }
  if (request.page_token().empty()) return 0;
  std::string name;
  if (absl::WebSafeBase64Unescape(request.page_token(), &name) && absl::StartsWith(name, kKind)) {
    const std::optional<size_t> number = table.NumberOf(name.substr(sizeof(kKind) - 1));
    if (number.has_value()) return *number;
  }
  return absl::InvalidArgumentError(
      "page_token: is not of this host's list; leave it out to begin with the first page");
}

std::string TokenOfPage(const std::string& component) {
  return absl::WebSafeBase64Escape(absl::StrCat(kKind, component));
}

}  // namespace mainspring
