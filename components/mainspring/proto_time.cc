#include "mainspring/proto_time.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

// 10,000 years of 365.25 days, the bound that duration.proto names.
constexpr int64_t kMaxSeconds = 315'576'000'000;
// The bounds that timestamp.proto names.
const absl::Time kFirst = absl::FromUnixSeconds(-62'135'596'800);
const absl::Time kLast = absl::FromUnixSeconds(253'402'300'800) - absl::Nanoseconds(1);

}  // namespace

void ToProto(absl::Time time, google::protobuf::Timestamp& proto) {
  time = std::clamp(time, kFirst, kLast);
  // A Timestamp's nanos count forward from its second, before 1970 too.
  const int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(
      static_cast<int32_t>((time - absl::FromUnixSeconds(seconds)) / absl::Nanoseconds(1)));
}

void ToProto(absl::Duration duration, google::protobuf::Duration& proto) {
  duration = std::clamp(duration, absl::Seconds(-kMaxSeconds), absl::Seconds(kMaxSeconds));
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(rest / absl::Nanoseconds(1)));
}

absl::StatusOr<absl::Duration> FromProto(const google::protobuf::Duration& proto) {
  const bool in_range = proto.seconds() >= -kMaxSeconds && proto.seconds() <= kMaxSeconds &&
                        proto.nanos() > -1'000'000'000 && proto.nanos() < 1'000'000'000;
  const bool one_sign =
      !(proto.seconds() > 0 && proto.nanos() < 0) && !(proto.seconds() < 0 && proto.nanos() > 0);
  if (!in_range || !one_sign) {
    return absl::InvalidArgumentError(absl::StrCat("seconds ", proto.seconds(), " with nanos ",
                                                   proto.nanos(), " is not a valid Duration"));
  }
  return absl::Seconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
}

}  // namespace mainspring
