// LocalCall: a call in process, between whoever asks and the component that answers.
#ifndef MAINSPRING_LOCAL_CALL_H_
#define MAINSPRING_LOCAL_CALL_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/call_options.h"
#include "mainspring/mutex.h"
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

// Where plain threads wait for answers; a few for the whole process, shared by address, since most
// answers are never waited for.
struct WaitingRoom {
  Mutex mutex;
  CondVar changed;
  static WaitingRoom& Of(const void* call);
};

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
    continuation_ = std::make_unique<Waiting<absl::StatusOr<T>>>(std::move(callback));
    Withdrawal withdrawal = continuation_->withdrawal();
    State expected = State::kPending;
    if (!state_.compare_exchange_strong(expected, State::kCallback, std::memory_order_acq_rel)) {
      continuation_->Post(std::move(result_));
    }
    return withdrawal;
  }

  absl::StatusOr<T> Await(SteadyTime deadline) {
    // An answer is often a few microseconds away, which is less than it takes to sleep and wake.
    for (int i = 0; i < kYields && state_.load(std::memory_order_acquire) != State::kDone; ++i) {
      std::this_thread::yield();
    }
    State state = State::kPending;
    if (state_.compare_exchange_strong(state, State::kAwaited, std::memory_order_acq_rel)) {
      WaitingRoom& room = WaitingRoom::Of(this);
      MutexLock lock(room.mutex);
      while ((state = state_.load(std::memory_order_acquire)) != State::kDone) {
        if (std::chrono::steady_clock::now() >= deadline) {
          this->MarkCancelled();
          return absl::DeadlineExceededError("no answer came in time");
        }
        room.changed.WaitUntil(room.mutex, deadline);
      }
    }
    return std::move(result_);
  }

  // Nobody wants the answer any more; nothing where it is there.
  void Abandon() {
    if (state_.load(std::memory_order_acquire) != State::kDone) this->MarkCancelled();
  }

  // Runs `callback` when the call is answered, on the thread that answers. Before it is made.
  void WhenDone(Callback callback) { when_done_ = std::make_unique<Callback>(std::move(callback)); }

  const AnswerMetadata& answer_metadata() const { return caller_.answer_metadata(); }

 private:
  static constexpr int kYields = 32;

  enum class State { kPending, kAwaited, kCallback, kDone };

  void Complete() {
    this->ForgetCancel();
    if (when_done_ != nullptr) (*when_done_)();
    const State before = state_.exchange(State::kDone, std::memory_order_acq_rel);
    if (before == State::kAwaited) {
      WaitingRoom& room = WaitingRoom::Of(this);
      MutexLock lock(room.mutex);
      room.changed.NotifyAll();
    } else if (before == State::kCallback) {
      continuation_->Post(std::move(result_));
    }
    this->Unref();
  }

  LocalCaller caller_;
  std::atomic<State> state_{State::kPending};
  absl::StatusOr<T> result_;                                  // written before kDone
  std::unique_ptr<Waiting<absl::StatusOr<T>>> continuation_;  // written before kCallback
  std::unique_ptr<Callback> when_done_;
};

}  // namespace mainspring

#endif  // MAINSPRING_LOCAL_CALL_H_
