#include "mainspring/server/config/scalars.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace mainspring {
namespace {

// What YAML 1.1 and 1.2 have names for, in lower case.
constexpr absl::string_view kWords[] = {"y", "n",    "yes",   "no",   "on",    "off",   "true",
                                        "~", "null", "false", ".inf", "+.inf", "-.inf", ".nan"};

constexpr std::pair<absl::string_view, uint64_t> kUnits[] = {
    {"GiB", uint64_t{1} << 30}, {"MiB", uint64_t{1} << 20}, {"KiB", uint64_t{1} << 10}, {"B", 1}};

template <class... Parts>
absl::Status Wrong(absl::string_view text, const Parts&... parts) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", absl::CHexEscape(text.substr(0, 64)), "\" ", parts...));
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char each) {
    return absl::ascii_isdigit(static_cast<unsigned char>(each));
  });
}

// Digits as everybody reads them.
bool IsDecimal(absl::string_view digits) {
  return IsDigits(digits) && (digits == "0" || digits.front() != '0');
}

template <class Number>
absl::StatusOr<Number> ParseInteger(absl::string_view text) {
  absl::string_view digits = text;
  absl::ConsumePrefix(&digits, "-");
  if (!IsDecimal(digits)) {
    return Wrong(text, "is not a whole number; write it in decimal digits alone, such as 1000");
  }
  Number number;
  if (!absl::SimpleAtoi(text, &number)) {
    return Wrong(text, "is not from ", std::numeric_limits<Number>::min(), " to ",
                 std::numeric_limits<Number>::max());
  }
  return number;
}

bool IsHexadecimal(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char each) {
    return absl::ascii_isxdigit(static_cast<unsigned char>(each));
  });
}

// In lower case, without a sign.
bool IsNumber(std::string text) {
  if (text.empty()) return false;
  absl::StrReplaceAll({{"_", ""}}, &text);
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "0x")) return IsHexadecimal(rest);
  if (absl::ConsumePrefix(&rest, "0o") || absl::ConsumePrefix(&rest, "0b")) return IsDigits(rest);
  // 1:30 is 90, or a time of the day.
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  if (parts.size() > 1) {
    return std::all_of(parts.begin(), parts.end(),
                       [](absl::string_view each) { return each.size() <= 5 && IsDigits(each); });
  }
  double number;
  return (absl::ascii_isdigit(static_cast<unsigned char>(text.front())) || text.front() == '.') &&
         absl::SimpleAtod(text, &number);
}

bool IsDate(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text.substr(0, 10), '-');
  return parts.size() == 3 && parts[0].size() == 4 &&
         std::all_of(parts.begin(), parts.end(), IsDigits);
}

}  // namespace

absl::StatusOr<bool> ParseBool(absl::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  const std::string lower = absl::AsciiStrToLower(text);
  const auto is_one_of = [&](std::initializer_list<absl::string_view> words) {
    return std::find(words.begin(), words.end(), lower) != words.end();
  };
  return Wrong(text, "is neither true nor false",
               is_one_of({"true", "yes", "on", "y"})    ? "; write true"
               : is_one_of({"false", "no", "off", "n"}) ? "; write false"
                                                        : "");
}

absl::StatusOr<int64_t> ParseSigned(absl::string_view text) { return ParseInteger<int64_t>(text); }

absl::StatusOr<uint64_t> ParseUnsigned(absl::string_view text) {
  return ParseInteger<uint64_t>(text);
}

absl::StatusOr<double> ParseNumber(absl::string_view text) {
  absl::string_view digits = text;
  absl::ConsumePrefix(&digits, "-");
  double number;
  if (digits.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(digits.front())) ||
      absl::StartsWithIgnoreCase(digits, "0x") || !absl::SimpleAtod(text, &number) ||
      !std::isfinite(number)) {
    return Wrong(text, "is not a number, such as 0.2");
  }
  return number;
}

std::string FormatNumber(double number) {
  char text[32];
  const auto written = std::to_chars(text, text + sizeof text, number);
  return std::string(text, written.ptr);
}

absl::StatusOr<absl::Duration> ParseTime(absl::string_view text) {
  absl::Duration time;
  if (absl::ParseDuration(text, &time) && time > -absl::InfiniteDuration() &&
      time < absl::InfiniteDuration() && !absl::StartsWith(text, "+") && text != "0") {
    return time;
  }
  if (ParseNumber(text).ok()) {
    return Wrong(text, "lacks its unit; write ", text.substr(0, 64), "s, or with ms, m or h");
  }
  return Wrong(text, "is not a time, such as 500ms, 5s or 1m30s");
}

std::string FormatTime(absl::Duration time) {
  return time == absl::ZeroDuration() ? "0s" : absl::FormatDuration(time);
}

absl::StatusOr<uint64_t> ParseBytes(absl::string_view text) {
  for (const auto& [unit, bytes] : kUnits) {
    absl::string_view digits = text;
    if (!absl::ConsumeSuffix(&digits, unit) || !IsDecimal(digits)) continue;
    uint64_t number;
    if (!absl::SimpleAtoi(digits, &number) ||
        number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) / bytes) {
      return Wrong(text, "is more than anybody has");
    }
    return number * bytes;
  }
  if (IsDigits(text)) return Wrong(text, "lacks its unit: B, KiB, MiB or GiB");
  return Wrong(text, "is not a size, such as 64KiB or 4MiB");
}

std::string FormatBytes(uint64_t bytes) {
  const auto unit = std::find_if(std::begin(kUnits), std::end(kUnits), [&](const auto& each) {
    return bytes >= each.second && bytes % each.second == 0;
  });
  if (unit == std::end(kUnits)) return absl::StrCat(bytes, "B");
  return absl::StrCat(bytes / unit->second, unit->first);
}

bool IsTakenForAnotherType(absl::string_view text) {
  std::string lower = absl::AsciiStrToLower(text);
  if (std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords)) return true;
  if (IsDate(lower)) return true;
  if (!lower.empty() && (lower.front() == '-' || lower.front() == '+')) lower.erase(0, 1);
  return IsNumber(std::move(lower));
}

}  // namespace mainspring
