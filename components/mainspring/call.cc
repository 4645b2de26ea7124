#include "mainspring/call.h"

#include <cstdint>
#include <exception>
#include <random>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

// Zero: no request is being dispatched. Numbers are made only for requests that fail, so that a
// request which does not costs nothing.
thread_local uint64_t dispatch_depth = 0;
thread_local uint64_t request_number = 0;

uint64_t NextRequestNumber() {
  static const uint64_t start = (uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  static std::atomic<uint64_t> next{start};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

void CallContext::BeginCall(SteadyTime deadline) {
  deadline_ = deadline;
  cancelled_.store(false, std::memory_order_relaxed);
  if (!has_callback_.load(std::memory_order_acquire)) return;
  MutexLock lock(mutex_);
  on_cancel_ = nullptr;
  has_callback_.store(false, std::memory_order_relaxed);
}

void CallContext::OnCancel(Callback callback) {
  ReturnAddress address = ReturnAddress::Current();
  {
    MutexLock lock(mutex_);
    if (!cancelled()) {
      cancel_address_ = std::move(address);
      on_cancel_ = std::move(callback);
      has_callback_.store(true, std::memory_order_release);
      return;
    }
  }
  address.Post(std::move(callback));
}

void CallContext::MarkCancelled() {
  ReturnAddress address;
  Callback callback;
  {
    MutexLock lock(mutex_);
    cancelled_.store(true, std::memory_order_release);
    callback = std::exchange(on_cancel_, nullptr);
    address = std::exchange(cancel_address_, ReturnAddress());
  }
  if (callback) address.Post(std::move(callback));
}

absl::Status DroppedStatus() {
  if (std::uncaught_exceptions() > 0) {
    return absl::InternalError(
        absl::StrCat("the component failed in this request; request_id=", CurrentRequestId()));
  }
  return absl::InternalError("the component dropped the request");
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
