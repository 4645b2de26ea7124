// Times and durations between abseil and protobuf's well-known types.
#ifndef MAINSPRING_PROTO_TIME_H_
#define MAINSPRING_PROTO_TIME_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace mainspring {

// The nearest that the message may say: the years 1 to 9999 (timestamp.proto), 10,000 years either
// way (duration.proto).
void ToProto(absl::Time time, google::protobuf::Timestamp& proto);
void ToProto(absl::Duration duration, google::protobuf::Duration& proto);

// INVALID_ARGUMENT: beyond 10,000 years either way, or nanos out of range, or of another sign than
// seconds: what duration.proto does not allow.
absl::StatusOr<absl::Duration> FromProto(const google::protobuf::Duration& proto);

}  // namespace mainspring

#endif  // MAINSPRING_PROTO_TIME_H_
