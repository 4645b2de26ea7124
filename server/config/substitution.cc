#include "mainspring/server/config/substitution.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "mainspring/server/config/read_file.h"
#include "mainspring/text.h"

namespace mainspring {
namespace {

constexpr size_t kMostOfAFile = size_t{64} << 10;

bool IsVariable(absl::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), [](char each) {
           return absl::ascii_isalnum(static_cast<unsigned char>(each)) || each == '_';
         });
}

absl::Status NotSubstituted(absl::string_view name, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("${", absl::CHexEscape(name.substr(0, 256)), "}: ", what));
}

bool IsUtf8(const std::string& text) { return BoundedText(text, text.size() + 3) == text; }

// What stands between the braces.
absl::StatusOr<std::string> ValueOf(absl::string_view name) {
  absl::string_view path = name;
  if (absl::ConsumePrefix(&path, "file:")) {
    if (path.empty() || path.front() != '/') {
      return NotSubstituted(name, "the path does not begin with a slash");
    }
    absl::StatusOr<std::string> text = ReadFile(std::string(path), kMostOfAFile);
    if (!text.ok()) return NotSubstituted(name, text.status().message());
    if (!IsUtf8(*text)) return NotSubstituted(name, "is not UTF-8");
    if (!text->empty() && text->back() == '\n') text->pop_back();
    return text;
  }
  if (!IsVariable(name)) {
    return NotSubstituted(
        name, "is neither ${VARIABLE} nor ${file:/PATH}; for the text itself, write $${");
  }
  const char* const value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return NotSubstituted(name, "is not set in the environment");
  if (!IsUtf8(value)) return NotSubstituted(name, "is not UTF-8");
  return value;
}

}  // namespace

absl::StatusOr<std::string> Substitute(absl::string_view text) {
  std::string result;
  while (true) {
    const size_t begin = text.find("${");
    if (begin == absl::string_view::npos) break;
    if (begin > 0 && text[begin - 1] == '$') {
      absl::StrAppend(&result, text.substr(0, begin - 1), "${");
      text.remove_prefix(begin + 2);
      continue;
    }
    const size_t end = text.find('}', begin);
    if (end == absl::string_view::npos) {
      return absl::InvalidArgumentError("a ${ without its }; for the text itself, write $${");
    }
    const absl::StatusOr<std::string> value = ValueOf(text.substr(begin + 2, end - begin - 2));
    if (!value.ok()) return value.status();
    absl::StrAppend(&result, text.substr(0, begin), *value);
    text.remove_prefix(end + 1);
  }
  absl::StrAppend(&result, text);
  return result;
}

std::string Unsubstituted(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"${", "$${"}});
}

}  // namespace mainspring
