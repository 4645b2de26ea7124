#include "mainspring/metadata.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace mainspring {
namespace {

bool IsKeyCharacter(char c) {
  return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '_' || c == '-' || c == '.';
}

bool IsPrintable(char c) { return ' ' <= c && c <= '~'; }

}  // namespace

bool IsSendable(absl::string_view key, absl::string_view value) {
  if (key.empty() || !std::all_of(key.begin(), key.end(), IsKeyCharacter)) return false;
  if (absl::StartsWith(key, "grpc-")) return false;
  return absl::EndsWith(key, "-bin") || std::all_of(value.begin(), value.end(), IsPrintable);
}

}  // namespace mainspring
