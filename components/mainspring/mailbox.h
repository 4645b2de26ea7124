// Mailbox: the queue in front of a component thread. It has a bounded data lane, for calls, and a
// control lane, for the lifecycle requests and for callbacks, which is always served first.
//
// Many threads push; one, the component's, takes. A push never blocks: what there is no room for
// is answered at once. A mailbox outlives the instances of its component: calls that come while
// one is restarted wait for the next.
#ifndef MAINSPRING_MAILBOX_H_
#define MAINSPRING_MAILBOX_H_

#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "mainspring/call.h"
#include "mainspring/call_batch.h"
#include "mainspring/handler.h"
#include "mainspring/mailbox_base.h"
#include "mainspring/mutex.h"

namespace mainspring {

template <class RequestEnum>
class Mailbox final : public MailboxBase {
 public:
  using MailboxBase::MailboxBase;

  // Queues the call, or answers it: RESOURCE_EXHAUSTED where there is no room for it, UNAVAILABLE
  // where the mailbox is closed. Says which: true, it is queued. Any thread; never blocks.
  template <class Call>
  requires(!std::is_lvalue_reference_v<Call>) bool Push(Call&& call) {
    const size_t bytes = EncodedBytes(call);
    const SteadyTime now = time().CoarseNow();
    absl::Status refusal;
    bool wake = false;
    {
      MutexLock lock(mutex_);
      refusal = Admit(bytes);
      if (refusal.ok()) {
        incoming_.emplace_back().request.emplace(std::in_place_type<Call>,
                                                 std::forward<Call>(call));
        incoming_.back().pushed = now;
        incoming_.back().bytes = bytes;
        wake = ClaimWaiter();
      }
    }
    if (wake) Wake();
    if (refusal.ok()) return true;
    counts_.Reject();
    Refuse(call, std::move(refusal));
    return false;
  }
  // The same, whichever call it is.
  bool Push(RequestEnum&& request) {
    return std::visit([this](auto& call) { return this->Push(std::move(call)); }, request);
  }

  SteadyTime oldest_call() const override {
    MutexLock lock(mutex_);
    // What was taken over is older than what has come in since.
    if (const SteadyTime oldest = batch_.oldest(); oldest != kNever) return oldest;
    return incoming_.empty() ? kNever : incoming_.front().pushed;
  }

  bool Attach(Component* component) override {
    handler_ = dynamic_cast<Handler<RequestEnum>*>(component);
    return component == nullptr || handler_ != nullptr;
  }

  const char* TakeCall(SteadyTime now) override {
    while ((taken_ = Next()) != nullptr) {
      counts_.Take(taken_->bytes);
      const char* const method = std::visit(
          [&](auto& call) { return IsWorthIt(call, taken_->pushed, now) ? call.kMethod : nullptr; },
          *taken_->request);
      if (method != nullptr) return method;
      taken_->request.reset();
    }
    return nullptr;
  }

  void HandOn() override {
    // Destroyed here, also where Handle throws, and not with the next batch.
    const absl::Cleanup done = [taken = taken_] { taken->request.reset(); };
    handler_->Handle(std::move(*taken_->request));
  }

  size_t RefuseAll(const absl::Status& why) override {
    std::vector<QueuedCall<RequestEnum>> refused;
    {
      MutexLock lock(mutex_);
      while (QueuedCall<RequestEnum>* call = batch_.Claim()) refused.push_back(call->TakeOut());
      for (QueuedCall<RequestEnum>& call : incoming_) refused.push_back(call.TakeOut());
      incoming_.clear();
      size_t bytes = 0;
      for (const QueuedCall<RequestEnum>& call : refused) bytes += call.bytes;
      counts_.Remove(refused.size(), bytes);
    }
    for (QueuedCall<RequestEnum>& each : refused) {
      std::visit([&](auto& call) { Refuse(call, OwnCopy(why)); }, *each.request);
    }
    return refused.size();
  }

 private:
  template <class Call>
  static size_t EncodedBytes(const Call& call) {
    if constexpr (HasRequest<Call>) {
      return call.request.ByteSizeLong();
    } else {
      return 0;
    }
  }

  // Counts it among those that are handed on, or refuses it.
  template <class Call>
  bool IsWorthIt(Call& call, SteadyTime pushed, SteadyTime now) {
    const CallContext& context = ContextOf(call);
    if (absl::Status stale = RefusalIfStale(context, pushed, now); !stale.ok()) {
      Refuse(call, std::move(stale));
      return false;
    }
    context.CountAnswerIn(counts_.Handle(/*answers_with_stream=*/!HasReply<Call>));
    return true;
  }

  QueuedCall<RequestEnum>* Next() {
    if (QueuedCall<RequestEnum>* call = batch_.Claim()) return call;
    if (!has_calls()) return nullptr;
    MutexLock lock(mutex_);
    batch_.Refill(incoming_);
    return batch_.Claim();
  }

  std::vector<QueuedCall<RequestEnum>> incoming_ ABSL_GUARDED_BY(mutex_);
  CallBatch<RequestEnum> batch_;

  // Component thread only.
  QueuedCall<RequestEnum>* taken_ = nullptr;
  Handler<RequestEnum>* handler_ = nullptr;
};

}  // namespace mainspring

#endif  // MAINSPRING_MAILBOX_H_
