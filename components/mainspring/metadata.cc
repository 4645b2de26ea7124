#include "mainspring/metadata.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace mainspring {
namespace {

bool IsKeyCharacter(char c) {
  return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '_' || c == '-' || c == '.';
}

bool IsPrintable(char c) { return ' ' <= c && c <= '~'; }

// Many clients take no more than 8 KiB of all metadata.
constexpr size_t kMaxMetadatum = 4096;

}  // namespace

// gRPC takes the bare suffix for a key of text.
bool IsBinary(absl::string_view key) { return key.size() > 4 && absl::EndsWith(key, "-bin"); }

bool IsSendable(absl::string_view key, absl::string_view value) {
  if (key.empty() || !std::all_of(key.begin(), key.end(), IsKeyCharacter)) return false;
  if (absl::StartsWith(key, "grpc-") || key.size() + value.size() > kMaxMetadatum) return false;
  return IsBinary(key) || std::all_of(value.begin(), value.end(), IsPrintable);
}

}  // namespace mainspring
