#include "tests/bench/answer.h"

#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace mainspring::bench {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

char* PutDigits(char* at, int64_t value, int width) {
  for (char* digit = at + width; digit != at; value /= 10) {
    *--digit = static_cast<char>('0' + value % 10);
  }
  return at + width;
}

char* PutChar(char* at, char c) {
  *at = c;
  return at + 1;
}

// By hand, because absl::FormatTime interprets its pattern again at each call, and the Clock
// component does not use it either.
absl::string_view FormatRfc3339(const absl::TimeZone::CivilInfo& local, int64_t nanos,
                                char (&text)[sizeof "2006-01-02T15:04:05.123456789+00:00"]) {
  const absl::CivilSecond& second = local.cs;
  const int minutes_ahead = std::abs(local.offset) / 60;
  char* at = text;
  at = PutChar(PutDigits(at, second.year(), 4), '-');
  at = PutChar(PutDigits(at, second.month(), 2), '-');
  at = PutChar(PutDigits(at, second.day(), 2), 'T');
  at = PutChar(PutDigits(at, second.hour(), 2), ':');
  at = PutChar(PutDigits(at, second.minute(), 2), ':');
  at = PutChar(PutDigits(at, second.second(), 2), '.');
  at = PutDigits(at, nanos, 9);
  at = PutChar(at, local.offset < 0 ? '-' : '+');
  at = PutChar(PutDigits(at, minutes_ahead / 60, 2), ':');
  at = PutDigits(at, minutes_ahead % 60, 2);
  return absl::string_view(text, static_cast<size_t>(at - text));
}

}  // namespace

bool AnswerInFull(const clock::v1::GetTimeRequest& request, clock::v1::GetTimeResponse& response) {
  absl::TimeZone zone = absl::UTCTimeZone();
  if (request.time_zone().empty()) {
    response.set_time_zone("UTC");
  } else {
    // absl keeps every zone that it has loaded; after the first call this is a look-up.
    if (!absl::LoadTimeZone(request.time_zone(), &zone)) return false;
    response.set_time_zone(request.time_zone());
  }
  const int64_t now = absl::GetCurrentTimeNanos();
  const absl::TimeZone::CivilInfo local = zone.At(absl::FromUnixNanos(now));
  const int64_t nanos = now % kNanosPerSecond;

  response.mutable_time()->set_seconds(now / kNanosPerSecond);
  response.mutable_time()->set_nanos(static_cast<int32_t>(nanos));
  response.mutable_utc_offset()->set_seconds(local.offset);
  char text[sizeof "2006-01-02T15:04:05.123456789+00:00"];
  const absl::string_view rfc3339 = FormatRfc3339(local, nanos, text);
  response.mutable_rfc3339()->assign(rfc3339.data(), rfc3339.size());
  return true;
}

}  // namespace mainspring::bench
