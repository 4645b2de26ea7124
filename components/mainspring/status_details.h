// Details of a status: what a program, and not a person, reads of it. They are payloads of the
// absl::Status, of the published types of google.rpc; over gRPC they travel as the trailer
// grpc-status-details-bin, in process with the status itself. A payload of any other message goes
// the same way: status.SetPayload("type.googleapis.com/shop.v1.OutOfStock",
// message.SerializeAsCord()).
#ifndef MAINSPRING_STATUS_DETAILS_H_
#define MAINSPRING_STATUS_DETAILS_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace mainspring {

// google.rpc.ErrorInfo: why, in a word that a program can compare.
struct ErrorInfo {
  std::string reason;                                // "MAILBOX_FULL"
  std::string domain = "mainspring";                 // whose reasons those are
  std::map<std::string, std::string> metadata = {};  // such as {"component", "clock"}
};

// The domain of Mainspring's own reasons, all with "component" in the metadata where one is meant.
//
//   MAILBOX_FULL, QUEUE_TOO_OLD, TOO_MANY_CALLS      RESOURCE_EXHAUSTED
//   COMPONENT_DOWN, COMPONENT_FAILED, DRAINING       UNAVAILABLE; with "state" where it is known
//
// Any thread, all of these. An OK status stays as it is.

// The status, with it: reply.Fail(WithErrorInfo(absl::NotFoundError("no tea"), {"SOLD_OUT",
// "shop"})).
absl::Status WithErrorInfo(absl::Status status, const ErrorInfo& info);
std::optional<ErrorInfo> ErrorInfoOf(const absl::Status& status);

// google.rpc.RetryInfo: the call may be tried again after `delay`.
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

// How long a caller should wait before it tries again what there was no room for, or nobody for.
inline constexpr absl::Duration kRetryWhenFull = absl::Milliseconds(100);
inline constexpr absl::Duration kRetryWhenDown = absl::Seconds(1);

// The status, with both, about one component.
absl::Status WithReason(absl::Status status, absl::string_view reason, absl::string_view component,
                        absl::Duration retry_after, absl::string_view state = "");

// The trailer's value; empty where the status has no payloads. Payloads that would make it longer
// than clients take are left out, the last first.
std::string EncodedDetails(const absl::Status& status);
// Puts the payloads of a trailer's value into `status`; bytes that are none are passed over.
void DecodeDetails(absl::string_view encoded, absl::Status& status);

}  // namespace mainspring

#endif  // MAINSPRING_STATUS_DETAILS_H_
