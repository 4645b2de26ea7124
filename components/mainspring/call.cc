#include "mainspring/call.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <random>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "mainspring/metadata.h"
#include "mainspring/return_address.h"
#include "mainspring/text.h"

namespace mainspring {
namespace {

// Zero: no request is being dispatched. Numbers are made only for requests that fail, so that a
// request which does not costs nothing.
thread_local uint64_t dispatch_depth = 0;
thread_local uint64_t request_number = 0;
thread_local const absl::Status* why_dropped = nullptr;

uint64_t NextRequestNumber() {
  static const uint64_t start = (uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  static std::atomic<uint64_t> next{start};
  return next.fetch_add(1, std::memory_order_relaxed);
}

bool AddMetadatum(CallContext* call, bool (CallContext::*add)(Metadatum), absl::string_view key,
                  absl::string_view value, absl::string_view method) {
  if (!IsSendable(key, value)) {
    ReportMisuse(
        absl::StrCat("metadata \"", BoundedText(key),
                     "\" cannot be sent: a key has a-z, 0-9, \"_\", \"-\" and \".\", and its "
                     "value is printable ASCII unless it ends in \"-bin\""),
        method);
    return false;
  }
  if (call != nullptr && (call->*add)({std::string(key), std::string(value)})) return true;
  // Whose caller has gone is answered already, by others.
  if (call != nullptr && call->cancelled()) return false;
  ReportMisuse(absl::StrCat("metadata \"", key, "\" was added after it would have been sent"),
               method);
  return false;
}

}  // namespace

absl::Status OwnCopy(const absl::Status& status) {
  absl::Status copy(status.code(), status.message());
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    // Flat, and so a copy: cords share what they hold as well.
    copy.SetPayload(type, absl::Cord(std::string(payload)));
  });
  return copy;
}

absl::Status FailedStatus() {
  return absl::InternalError(
      absl::StrCat("the component failed in this request; request_id=", CurrentRequestId()));
}

absl::Status DroppedStatus() {
  if (std::uncaught_exceptions() > 0) return FailedStatus();
  if (why_dropped != nullptr) return OwnCopy(*why_dropped);
  return absl::InternalError("the component dropped the request");
}

absl::Status DroppedReplyStatus(const CallContext& call) {
  if (std::uncaught_exceptions() == 0 && why_dropped == nullptr && !call.cancelled()) {
    ReportMisuse("dropped without an answer", call.method());
  }
  return DroppedStatus();
}

DropScope::DropScope(const absl::Status& why) : outer_(std::exchange(why_dropped, &why)) {}
DropScope::~DropScope() { why_dropped = outer_; }

void ReportMisuse(absl::string_view what, absl::string_view method) {
  CallbackQueue* const queue = ReturnAddress::CurrentQueue();
  if (queue != nullptr) queue->ReportMisuse(absl::StrCat(method, ": ", what));
}

bool AddHeaderTo(CallContext* call, absl::string_view key, absl::string_view value,
                 absl::string_view method) {
  return AddMetadatum(call, &CallContext::AddHeader, key, value, method);
}

bool AddTrailerTo(CallContext* call, absl::string_view key, absl::string_view value,
                  absl::string_view method) {
  return AddMetadatum(call, &CallContext::AddTrailer, key, value, method);
}

std::string CurrentRequestId() {
  if (dispatch_depth == 0) return "";
  if (request_number == 0) request_number = NextRequestNumber();
  return absl::StrCat(absl::Hex(request_number, absl::kZeroPad16));
}

DispatchScope::DispatchScope() {
  if (dispatch_depth++ == 0) request_number = 0;
}

DispatchScope::~DispatchScope() { --dispatch_depth; }

}  // namespace mainspring
