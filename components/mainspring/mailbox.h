// Mailbox: the queue in front of a component thread. It has a bounded data lane, for calls, and a
// control lane, for the lifecycle requests and for callbacks, which is always served first.
//
// Many threads push; one, the component's, takes. A push never blocks: what there is no room for
// is answered at once. A mailbox outlives the instances of its component: calls that come while
// one is restarted wait for the next.
#ifndef MAINSPRING_MAILBOX_H_
#define MAINSPRING_MAILBOX_H_

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/optimization.h"
#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "mainspring/call.h"
#include "mainspring/call_batch.h"
#include "mainspring/handler.h"
#include "mainspring/inbox.h"
#include "mainspring/mailbox_base.h"
#include "mainspring/mutex.h"

namespace mainspring {

// All alternatives of several request enums.
template <class... Enums>
struct Joined;
template <class Enum>
struct Joined<Enum> {
  using Type = Enum;
};
template <class... First, class... Second, class... Rest>
struct Joined<std::variant<First...>, std::variant<Second...>, Rest...> {
  using Type = typename Joined<std::variant<First..., Second...>, Rest...>::Type;
};

// `Enums` are the request enums of the services that the component answers.
template <class... Enums>
class Mailbox final : public MailboxBase, public InboxOf<Mailbox<Enums...>, Enums>... {
 public:
  using Request = typename Joined<Enums...>::Type;

  using MailboxBase::MailboxBase;

  const std::string& component() const override { return MailboxBase::component(); }

  // Queues the call, or answers it: RESOURCE_EXHAUSTED where there is no room for it, UNAVAILABLE
  // where the mailbox is closed. Says which: true, it is queued. Any thread; never blocks.
  template <class Call>
  requires(!std::is_lvalue_reference_v<Call>) bool Push(Call&& call) {
    absl::Status refusal = TryPush(call);
    if (refusal.ok()) return true;
    if (const auto taken = PassOn<Enums...>(call); taken.has_value()) return *taken;
    counts_.Reject();
    Refuse(call, std::move(refusal));
    return false;
  }

  // Queues the call, which it then has moved from, or says why it does not. Any thread; never
  // blocks.
  template <class Call>
  absl::Status TryPush(Call& call) {
    const size_t bytes = EncodedBytes(call);
    const SteadyTime now = time().CoarseNow();
    absl::Status refusal;
    bool wake = false;
    {
      MutexLock lock(mutex_);
      refusal = Admit(bytes);
      if (refusal.ok()) {
        incoming_.emplace_back().request.emplace(std::in_place_type<Call>, std::move(call));
        incoming_.back().pushed = now;
        incoming_.back().bytes = bytes;
        wake = ClaimWaiter();
      }
    }
    if (wake) Wake();
    return refusal;
  }

  SteadyTime oldest_call() const override {
    MutexLock lock(mutex_);
    // What was taken over is older than what has come in since.
    if (const SteadyTime oldest = batch_.oldest(); oldest != kNever) return oldest;
    return incoming_.empty() ? kNever : incoming_.front().pushed;
  }

  bool Attach(Component* component) override {
    handlers_ = {dynamic_cast<Handler<Enums>*>(component)...};
    return component == nullptr || (std::get<Handler<Enums>*>(handlers_) && ...);
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
    if constexpr (sizeof...(Enums) == 1) {
      std::get<0>(handlers_)->Handle(std::move(*taken_->request));
    } else {
      std::visit([this](auto& call) { (this->template HandTo<Enums>(call), ...); },
                 *taken_->request);
    }
  }

  size_t RefuseAll(const absl::Status& why) override {
    std::vector<QueuedCall<Request>> refused;
    {
      MutexLock lock(mutex_);
      while (QueuedCall<Request>* call = batch_.Claim()) refused.push_back(call->TakeOut());
      for (QueuedCall<Request>& call : incoming_) refused.push_back(call.TakeOut());
      incoming_.clear();
      size_t bytes = 0;
      for (const QueuedCall<Request>& call : refused) bytes += call.bytes;
      counts_.Remove(refused.size(), bytes);
    }
    for (QueuedCall<Request>& each : refused) {
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

  // Nothing where it is not a call of that enum.
  template <class Enum, class Call>
  void HandTo(Call& call) {
    if constexpr (kAlternative<Call, Enum> < std::variant_size_v<Enum>) {
      std::get<Handler<Enum>*>(handlers_)->Handle(Enum(std::in_place_type<Call>, std::move(call)));
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

  QueuedCall<Request>* Next() {
    if (QueuedCall<Request>* call = batch_.Claim()) return call;
    if (!has_calls()) return nullptr;
    MutexLock lock(mutex_);
    batch_.Refill(incoming_);
    return batch_.Claim();
  }

  std::vector<QueuedCall<Request>> incoming_ ABSL_GUARDED_BY(mutex_);
  ABSL_CACHELINE_ALIGNED CallBatch<Request> batch_;

  // Component thread only.
  QueuedCall<Request>* taken_ = nullptr;
  std::tuple<Handler<Enums>*...> handlers_;
};

// What a component that answers several services has as its Request.
template <class... Enums>
struct Several {};

// The mailbox of a component by its Request: a request enum, or Several.
template <class Request>
struct MailboxOf {
  using Type = Mailbox<Request>;
};
template <class... Enums>
struct MailboxOf<Several<Enums...>> {
  using Type = Mailbox<Enums...>;
};

}  // namespace mainspring

#endif  // MAINSPRING_MAILBOX_H_
