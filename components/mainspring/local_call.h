// LocalCall: a call in process, between whoever asks and the component that answers.
#ifndef MAINSPRING_LOCAL_CALL_H_
#define MAINSPRING_LOCAL_CALL_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mainspring/alarm.h"
#include "mainspring/answer_state.h"
#include "mainspring/call_options.h"
#include "mainspring/reply.h"
#include "mainspring/shared.h"
#include "mainspring/waiting.h"

namespace mainspring {

// What a call in process knows of its caller; most have none of it.
struct LocalOrigin {
  std::string peer = "process";
  std::string authority;
  std::string principal;
  std::vector<Metadatum> metadata;
};

// Null where there is nothing to know.
std::unique_ptr<LocalOrigin> OriginOf(const CallOptions& options);

// The caller's side of a call that is made in process.
class LocalCaller : public CallerSide {
 public:
  explicit LocalCaller(const CallOptions& options)
      : origin_(options.from || !options.metadata.empty() ? OriginOf(options) : nullptr) {}

  std::string Peer() const override { return origin_ == nullptr ? "process" : origin_->peer; }
  std::string Authority() const override { return origin_ == nullptr ? "" : origin_->authority; }
  std::string Principal() const override { return origin_ == nullptr ? "" : origin_->principal; }
  std::vector<Metadatum> AllMetadata() const override {
    return origin_ == nullptr ? std::vector<Metadatum>() : origin_->metadata;
  }
  bool AddHeader(Metadatum header) override {
    answer_metadata_.headers.push_back(std::move(header));
    return true;
  }
  bool AddTrailer(Metadatum trailer) override {
    answer_metadata_.trailers.push_back(std::move(trailer));
    return true;
  }
  // Written by whoever answers. Whoever asked may read it once the answer is there.
  const AnswerMetadata& answer_metadata() const { return answer_metadata_; }

 private:
  const std::unique_ptr<LocalOrigin> origin_;
  AnswerMetadata answer_metadata_;
};

// Begins a call that is made so; `caller` must outlive it.
inline void BeginLocalCall(CallContext& call, const CallOptions& options, const char* method,
                           LocalCaller& caller) {
  call.BeginCall(options.EffectiveDeadline(), method, caller);
  if (options.from) call.JoinFamilyOf(*options.from);
}

template <class T>
using AnswerCallback = absl::AnyInvocable<void(absl::StatusOr<T>)>;

// What whoever waits is told when it has passed.
absl::Status DeadlinePassed(absl::string_view method);

// One that is answered once: the reply writes the result, the answer waits for it. Each holds it
// once, from the start.
template <class T>
class LocalCall final : public Shared<LocalCall<T>>, public ReplySink<T> {
 public:
  explicit LocalCall(const CallOptions& options, const char* method = "")
      : Shared<LocalCall>(/*holds=*/2), caller_(options) {
    BeginLocalCall(*this, options, method, caller_);
  }

  void Succeed(T&& response) override {
    result_ = std::move(response);
    Complete();
  }
  void Fail(absl::Status status) override {
    result_ = std::move(status);
    Complete();
  }

  // What it returns takes the callback back.
  Withdrawal Then(AnswerCallback<T> callback) {
    continuation_ =
        std::make_unique<Waiting<absl::StatusOr<T>>>(std::move(callback), Alarm::ExpiryOf(*this));
    Withdrawal withdrawal = continuation_->withdrawal();
    if (!state_.AddCallback()) continuation_->Post(TakeResult());
    return withdrawal;
  }

  absl::StatusOr<T> Await(SteadyTime deadline) {
    if (state_.Await(deadline)) return TakeResult();
    this->MarkCancelled();
    return absl::DeadlineExceededError("no answer came in time");
  }

  // Nobody wants the answer any more; nothing where it is there.
  void Abandon() {
    if (!state_.over()) this->MarkCancelled();
  }

  // The deadline has passed: whoever waits is told so, and an answer that comes later goes nowhere.
  // Any thread.
  void Expire() {
    const AnswerState::Waiter waiter = state_.Finish(AnswerState::End::kExpired);
    if (waiter == AnswerState::Waiter::kOver && !state_.expired()) return;
    // Also where another thread has just had it expire: who goes on from here must find it so.
    this->MarkCancelled();
    if (waiter == AnswerState::Waiter::kCallback) continuation_->Post(TakeResult());
  }

  // Runs `callback` when the call is answered, on the thread that answers. Before it is made.
  void WhenDone(Callback callback) { when_done_ = std::make_unique<Callback>(std::move(callback)); }

  // What comes with the answer, once that is there. Before it is asked for.
  std::shared_ptr<const AnswerMetadata> WantMetadata() {
    if (metadata_ == nullptr) metadata_ = std::make_shared<AnswerMetadata>();
    return metadata_;
  }

 private:
  void Complete() {
    this->ForgetCancel();
    // Gone with what it holds, which may be what holds this.
    if (const auto when_done = std::exchange(when_done_, nullptr)) (*when_done)();
    if (state_.Finish(AnswerState::End::kAnswered) == AnswerState::Waiter::kCallback) {
      continuation_->Post(TakeResult());
    }
    this->Unref();
  }

  // Of a call that is over. Until then, and where it has expired, whoever answers may still write
  // the result and what comes with it.
  absl::StatusOr<T> TakeResult() {
    if (state_.expired()) return DeadlinePassed(this->method());
    if (metadata_ != nullptr) *metadata_ = caller_.answer_metadata();
    return std::move(result_);
  }

  LocalCaller caller_;
  AnswerState state_;
  absl::StatusOr<T> result_;                                  // written before it is over
  std::unique_ptr<Waiting<absl::StatusOr<T>>> continuation_;  // written before it is added
  std::shared_ptr<AnswerMetadata> metadata_;  // or null; written before it is asked for
  std::unique_ptr<Callback> when_done_;
};

}  // namespace mainspring

#endif  // MAINSPRING_LOCAL_CALL_H_
