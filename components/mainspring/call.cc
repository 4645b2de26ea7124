#include "mainspring/call.h"

#include <cstdint>
#include <exception>
#include <memory>
#include <random>

#include "absl/strings/str_cat.h"

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

}  // namespace

CallContext::Hook CallContext::kCancelled;

void CallContext::SetHook(Hook* hook) {
  Hook* before = hook_.exchange(hook, std::memory_order_acq_rel);
  if (before != &kCancelled) delete before;
}

void CallContext::BeginCall(SteadyTime deadline) {
  deadline_ = deadline;
  counted_in_.store(nullptr, std::memory_order_relaxed);
  SetHook(nullptr);
}

const CallContext& CallContext::None() {
  struct NoCall final : CallContext {
    NoCall() { MarkCancelled(); }
    std::string Peer() const override { return ""; }
  };
  // Never destroyed: replies may be asked until the process ends.
  static const auto* const none = new NoCall;
  return *none;
}

void CallContext::OnCancel(Callback callback) {
  auto hook = std::make_unique<Hook>(std::move(callback));
  Hook* before = hook_.load(std::memory_order_acquire);
  do {
    if (before == &kCancelled) return hook->Post();
  } while (!hook_.compare_exchange_weak(before, hook.get(), std::memory_order_acq_rel));
  // It belongs to hook_ now.
  [[maybe_unused]] Hook* const kept = hook.release();
  delete before;
}

void CallContext::MarkCancelled() {
  Hook* hook = hook_.exchange(&kCancelled, std::memory_order_seq_cst);
  CountAnswer();
  if (hook == nullptr || hook == &kCancelled) return;
  hook->Post();
  delete hook;
}

void CallContext::ForgetCancel() {
  Hook* hook = hook_.load(std::memory_order_acquire);
  while (hook != nullptr && hook != &kCancelled) {
    if (hook_.compare_exchange_weak(hook, nullptr, std::memory_order_acq_rel)) {
      delete hook;
      return;
    }
  }
}

absl::Status OwnCopy(const absl::Status& status) {
  return absl::Status(status.code(), status.message());
}

absl::Status DroppedStatus() {
  if (std::uncaught_exceptions() > 0) {
    return absl::InternalError(
        absl::StrCat("the component failed in this request; request_id=", CurrentRequestId()));
  }
  if (why_dropped != nullptr) return OwnCopy(*why_dropped);
  return absl::InternalError("the component dropped the request");
}

DropScope::DropScope(const absl::Status& why) : outer_(std::exchange(why_dropped, &why)) {}
DropScope::~DropScope() { why_dropped = outer_; }

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
