#include "mainspring/status_details.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "mainspring/details/v1/details.pb.h"
#include "mainspring/proto_time.h"

namespace mainspring {
namespace {

constexpr char kErrorInfo[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryInfo[] = "type.googleapis.com/google.rpc.RetryInfo";

// Before it is encoded for the wire, which adds a third. The text is there a second time, and many
// clients take no more than 8 KiB of trailers.
constexpr size_t kMaxDetails = 4096;

template <class Message>
std::optional<Message> PayloadOf(const absl::Status& status, const char* type) {
  const absl::optional<absl::Cord> payload = status.GetPayload(type);
  Message message;
  if (!payload.has_value() || !message.ParseFromString(std::string(*payload))) return std::nullopt;
  return message;
}

}  // namespace

absl::Status WithErrorInfo(absl::Status status, const ErrorInfo& info) {
  details::v1::ErrorInfo message;
  message.set_reason(info.reason);
  message.set_domain(info.domain);
  message.mutable_metadata()->insert(info.metadata.begin(), info.metadata.end());
  status.SetPayload(kErrorInfo, absl::Cord(message.SerializeAsString()));
  return status;
}

std::optional<ErrorInfo> ErrorInfoOf(const absl::Status& status) {
  const auto message = PayloadOf<details::v1::ErrorInfo>(status, kErrorInfo);
  if (!message.has_value()) return std::nullopt;
  return ErrorInfo{.reason = message->reason(),
                   .domain = message->domain(),
                   .metadata = {message->metadata().begin(), message->metadata().end()}};
}

absl::Status WithRetryDelay(absl::Status status, absl::Duration delay) {
  details::v1::RetryInfo message;
  ToProto(delay, *message.mutable_retry_delay());
  status.SetPayload(kRetryInfo, absl::Cord(message.SerializeAsString()));
  return status;
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const auto message = PayloadOf<details::v1::RetryInfo>(status, kRetryInfo);
  if (!message.has_value()) return std::nullopt;
  const absl::StatusOr<absl::Duration> delay = FromProto(message->retry_delay());
  return delay.ok() ? std::optional(*delay) : std::nullopt;
}

absl::Status WithReason(absl::Status status, absl::string_view reason, absl::string_view component,
                        absl::Duration retry_after, absl::string_view state) {
  ErrorInfo info{.reason = std::string(reason), .metadata = {}};
  if (!component.empty()) info.metadata.emplace("component", component);
  if (!state.empty()) info.metadata.emplace("state", state);
  return WithRetryDelay(WithErrorInfo(std::move(status), info), retry_after);
}

std::string EncodedDetails(const absl::Status& status) {
  // By type, since the order of payloads is none: abseil turns it round by address.
  std::map<std::string, std::string> payloads;
  status.ForEachPayload(
      [&](absl::string_view type, const absl::Cord& payload) { payloads.emplace(type, payload); });
  details::v1::StatusWithDetails message;
  for (auto& [type, payload] : payloads) {
    google::protobuf::Any& any = *message.add_details();
    any.set_type_url(type);
    any.set_value(std::move(payload));
  }
  if (message.details().empty()) return "";
  message.set_code(static_cast<int>(status.code()));
  message.set_message(std::string(status.message()));
  while (message.ByteSizeLong() > kMaxDetails && !message.details().empty()) {
    message.mutable_details()->RemoveLast();
  }
  return message.details().empty() ? "" : message.SerializeAsString();
}

void DecodeDetails(absl::string_view encoded, absl::Status& status) {
  details::v1::StatusWithDetails message;
  if (!message.ParseFromArray(encoded.data(), static_cast<int>(encoded.size()))) return;
  for (const google::protobuf::Any& any : message.details()) {
    status.SetPayload(any.type_url(), absl::Cord(any.value()));
  }
}

}  // namespace mainspring
