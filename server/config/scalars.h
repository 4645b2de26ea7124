// The texts that values have in a configuration file: parsed strictly, and written.
#ifndef MAINSPRING_SERVER_CONFIG_SCALARS_H_
#define MAINSPRING_SERVER_CONFIG_SCALARS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace mainspring {

// Each is INVALID_ARGUMENT for anything else; the text quotes it and says what to write.

// true and false; not yes, no, on and off, which readers of YAML differ about.
absl::StatusOr<bool> ParseBool(absl::string_view text);
// Decimal digits, without a leading zero; not 0x1F, 0o17, 1_000 or 1:30.
absl::StatusOr<int64_t> ParseSigned(absl::string_view text);
absl::StatusOr<uint64_t> ParseUnsigned(absl::string_view text);
absl::StatusOr<double> ParseNumber(absl::string_view text);
// The shortest that ParseNumber makes the same number of.
std::string FormatNumber(double number);
// 200ms, 5s, 1m30s, 0s: with units, and finite.
absl::StatusOr<absl::Duration> ParseTime(absl::string_view text);
// As ParseTime reads it; "0s" for none.
std::string FormatTime(absl::Duration time);
// A number and B, KiB, MiB or GiB; at most 2^63 - 1 bytes.
absl::StatusOr<uint64_t> ParseBytes(absl::string_view text);
// 4MiB: with the largest unit that leaves a whole number.
std::string FormatBytes(uint64_t bytes);

// Whether a reader of YAML, 1.1 or 1.2, takes the text for a boolean, a number, a date or nothing
// where it stands without quotes: no, 0o17, 1:30, 2026-01-02 and ~ for some.
bool IsTakenForAnotherType(absl::string_view text);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_SCALARS_H_
