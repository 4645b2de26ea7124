#include "mainspring/call_context.h"

#include <memory>
#include <utility>

#include "mainspring/call_family.h"

namespace mainspring {

CallContext::Hook CallContext::kCancelled;

void CallContext::DropHook() {
  Hook* const before = hook_.exchange(nullptr, std::memory_order_acq_rel);
  if (before != &kCancelled) delete before;
}

std::string CallContext::Metadata(absl::string_view key) const {
  std::vector<std::string> values = MetadataValues(key);
  return values.empty() ? "" : std::move(values.front());
}

const CallContext& CallContext::None() {
  struct NoCaller final : CallerSide {
    std::string Peer() const override { return ""; }
  };
  struct NoCall final : CallContext {
    NoCall() {
      BeginCall(kNever, "", caller);
      MarkCancelled();
    }
    NoCaller caller;
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

std::vector<std::unique_ptr<CallContext::Hook>> CallContext::TakeCancelled() {
  std::vector<std::unique_ptr<Hook>> hooks;
  Hook* hook = hook_.exchange(&kCancelled, std::memory_order_seq_cst);
  CountAnswer();
  if (hook != nullptr && hook != &kCancelled) hooks.emplace_back(hook);
  // Sequentially consistent: see Family.
  if (CallFamily* family = family_.load(std::memory_order_seq_cst)) family->Cancel(hooks);
  return hooks;
}

void CallContext::Tell(std::vector<std::unique_ptr<Hook>> hooks) {
  for (const std::unique_ptr<Hook>& hook : hooks) hook->Post();
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

void CallContext::JoinFamilyOf(const CallContext& origin) {
  CallFamily& family = origin.Family();
  family.Ref();
  joined_ = &family;
  family.Join(*this);
}

CallFamily& CallContext::Family() const {
  CallFamily* family = family_.load(std::memory_order_acquire);
  if (family != nullptr) return *family;
  SharedPtr<CallFamily> made(new CallFamily);
  // Another thread may make one too, for another call on behalf of this one.
  if (!family_.compare_exchange_strong(family, made.get(), std::memory_order_seq_cst)) {
    return *family;
  }
  family = made.Release();
  // The caller may have gone just now. Sequentially consistent, as in MarkCancelled: one of the two
  // sees what the other wrote.
  if (hook_.load(std::memory_order_seq_cst) == &kCancelled) {
    std::vector<std::unique_ptr<Hook>> hooks;
    family->Cancel(hooks);
    Tell(std::move(hooks));
  }
  return *family;
}

void CallContext::LeaveFamilies() {
  if (joined_ != nullptr) {
    joined_->Leave(*this);
    std::exchange(joined_, nullptr)->Unref();
  }
  if (family_.load(std::memory_order_relaxed) == nullptr) return;
  family_.exchange(nullptr, std::memory_order_acq_rel)->Unref();
}

void CallFamily::Join(CallContext& call) {
  {
    MutexLock lock(mutex_);
    if (!cancelled_) {
      members_.insert(&call);
      return;
    }
  }
  call.MarkCancelled();
}

void CallFamily::Leave(CallContext& call) {
  MutexLock lock(mutex_);
  members_.erase(&call);
}

void CallFamily::Cancel(std::vector<std::unique_ptr<CallContext::Hook>>& hooks) {
  MutexLock lock(mutex_);
  cancelled_ = true;
  for (CallContext* call : std::exchange(members_, {})) {
    for (auto& hook : call->TakeCancelled()) hooks.push_back(std::move(hook));
  }
}

}  // namespace mainspring
