#include "mainspring/server/rpc/grpc_time.h"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace mainspring::rpc {
namespace {

// A time beyond it is meant to be never, and gRPC's own sums with it stay in range.
constexpr absl::Duration kLongest = absl::Hours(24 * 365 * 200);

absl::Duration SinceEpoch(gpr_timespec time) {
  return absl::Seconds(time.tv_sec) + absl::Nanoseconds(time.tv_nsec);
}

}  // namespace

int ToGrpcMilliseconds(absl::Duration time) {
  const absl::Duration longest = absl::Milliseconds(std::numeric_limits<int>::max());
  const absl::Duration rounded =
      absl::Ceil(std::clamp(time, absl::ZeroDuration(), longest), absl::Milliseconds(1));
  return static_cast<int>(absl::ToInt64Milliseconds(rounded));
}

gpr_timespec GrpcDeadline(absl::Duration left) {
  if (left >= kLongest) return gpr_inf_future(GPR_CLOCK_REALTIME);
  const int64_t nanoseconds = absl::ToInt64Nanoseconds(std::max(left, absl::ZeroDuration()));
  return gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_nanos(nanoseconds, GPR_TIMESPAN));
}

SteadyTime ToSteadyTime(gpr_timespec time, gpr_timespec grpc_now, SteadyTime steady_now) {
  if (time.tv_sec == std::numeric_limits<int64_t>::max()) return kNever;
  return After(steady_now, SinceEpoch(time) - SinceEpoch(grpc_now));
}

}  // namespace mainspring::rpc
