#include "mainspring/server/observe/log_text.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

constexpr char kCut[] = "...";
constexpr size_t kRoom = kMaxLoggedValue - (sizeof(kCut) - 1);

bool NeedsQuotes(absl::string_view value) {
  return value.empty() || std::any_of(value.begin(), value.end(), [](unsigned char c) {
           return c == ' ' || c == '"' || c == '=' || c == '\\' || !absl::ascii_isprint(c);
         });
}

bool ContinuesCharacter(char byte) { return (byte & 0xC0) == 0x80; }

// The bytes of the character that begins there, as far as they are there.
absl::string_view CharacterAt(absl::string_view text, size_t begin) {
  size_t end = begin + 1;
  while (end < text.size() && end < begin + 4 && ContinuesCharacter(text[end])) ++end;
  return text.substr(begin, end - begin);
}

// Appends `escape` of each character for as long as it fits.
template <class Escape>
std::string Bounded(absl::string_view value, Escape escape) {
  std::string bounded;
  size_t room_at = 0;  // how long it was when the mark of a cut would still fit
  for (size_t i = 0; i < value.size();) {
    const absl::string_view character = CharacterAt(value, i);
    const std::string escaped = escape(character);
    if (bounded.size() + escaped.size() > kMaxLoggedValue) {
      bounded.resize(room_at);
      return bounded + kCut;
    }
    bounded += escaped;
    if (bounded.size() <= kRoom) room_at = bounded.size();
    i += character.size();
  }
  return bounded;
}

// Marks, embeddings, overrides and isolates of bidirectional text, and the separators of lines and
// paragraphs: UAX #9, table 4, and the character database's Zl and Zp.
bool ActsOnText(uint32_t code) {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

// The code point of a character of two or three bytes; 0 for others, and for what is no character.
uint32_t CodeOf(absl::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 2 && (byte(0) & 0xE0u) == 0xC0) {
    return (byte(0) & 0x1Fu) << 6 | (byte(1) & 0x3Fu);
  }
  if (character.size() == 3 && (byte(0) & 0xF0u) == 0xE0) {
    return (byte(0) & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu);
  }
  return 0;
}

std::string JsonCharacter(absl::string_view character) {
  if (character == "\x7f") return "\\u007f";
  const uint32_t code = CodeOf(character);
  if ((code >= 0x80 && code <= 0x9F) || ActsOnText(code)) {
    return absl::StrCat("\\u", absl::Hex(code, absl::kZeroPad4));
  }
  // Between its quotes.
  const std::string dumped = nlohmann::json(std::string(character))
                                 .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return dumped.substr(1, dumped.size() - 2);
}

}  // namespace

std::string TextValue(absl::string_view value) {
  // A digit after a hexadecimal escape would be read as part of it.
  bool after_escape = false;
  const std::string escaped = Bounded(value, [&](absl::string_view character) {
    const auto first = static_cast<unsigned char>(character[0]);
    const std::string text = after_escape && absl::ascii_isxdigit(first)
                                 ? absl::StrCat("\\x", absl::Hex(first))
                                 : absl::CHexEscape(character);
    after_escape = text.rfind("\\x", 0) == 0;
    return text;
  });
  return NeedsQuotes(value) ? absl::StrCat("\"", escaped, "\"") : escaped;
}

std::string JsonValue(absl::string_view value) {
  return absl::StrCat("\"", Bounded(value, &JsonCharacter), "\"");
}

}  // namespace mainspring
