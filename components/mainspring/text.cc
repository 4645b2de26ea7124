#include "mainspring/text.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

constexpr absl::string_view kCut = "...";

// What may follow the first byte of a character: so many bytes, of which the second is narrowed
// where it would make an encoding that is too long, a surrogate, or beyond U+10FFFF. (Unicode
// 15.0, table 3-7.)
struct Lead {
  uint8_t first, last;
  size_t bytes;
  uint8_t second_least, second_most;
};
constexpr Lead kLeads[] = {
    {0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

uint8_t ByteAt(absl::string_view text, size_t index) { return static_cast<uint8_t>(text[index]); }

// How many bytes the character has that `text` begins with; zero where it begins with none.
size_t CharacterBytes(absl::string_view text) {
  const uint8_t first = ByteAt(text, 0);
  const auto* lead = std::find_if(std::begin(kLeads), std::end(kLeads), [&](const Lead& each) {
    return each.first <= first && first <= each.last;
  });
  if (lead == std::end(kLeads) || text.size() < lead->bytes) return 0;
  if (lead->bytes == 1) return 1;
  if (ByteAt(text, 1) < lead->second_least || ByteAt(text, 1) > lead->second_most) return 0;
  for (size_t i = 2; i < lead->bytes; ++i) {
    if ((ByteAt(text, i) & 0xC0) != 0x80) return 0;
  }
  return lead->bytes;
}

bool IsFine(absl::string_view text) {
  if (text.size() > kMaxText) return false;
  while (!text.empty()) {
    const size_t bytes = CharacterBytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace

std::string BoundedText(absl::string_view text, size_t limit) {
  std::string bounded;
  size_t fits = 0;  // how much of it leaves room for the mark of a cut
  while (!text.empty()) {
    const size_t bytes = CharacterBytes(text);
    if (bytes == 0) {
      absl::StrAppend(&bounded, "\\x", absl::Hex(ByteAt(text, 0), absl::kZeroPad2));
    } else {
      bounded.append(text.data(), bytes);
    }
    text.remove_prefix(std::max<size_t>(bytes, 1));
    if (bounded.size() + kCut.size() <= limit) fits = bounded.size();
    if (bounded.size() > limit) {
      bounded.resize(fits);
      return absl::StrCat(bounded, kCut);
    }
  }
  return bounded;
}

absl::Status Bounded(absl::Status status) {
  if (IsFine(status.message())) return status;
  absl::Status bounded(status.code(), BoundedText(status.message()));
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    bounded.SetPayload(type, payload);
  });
  return bounded;
}

}  // namespace mainspring
