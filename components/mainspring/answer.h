// Answer<T>: what a component asked another one in the same process, or a plain thread asked a
// component, and has yet to get.
#ifndef MAINSPRING_ANSWER_H_
#define MAINSPRING_ANSWER_H_

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "mainspring/mutex.h"
#include "mainspring/reply.h"
#include "mainspring/return_address.h"
#include "mainspring/shared.h"
#include "mainspring/waiting.h"

namespace mainspring {

// How to make a call in process.
struct CallOptions {
  // The call is not dispatched after it. A component that calls on behalf of a caller passes on
  // that caller's: {.deadline = reply.deadline()}.
  SteadyTime deadline = kNever;
};

template <class T>
using AnswerCallback = absl::AnyInvocable<void(absl::StatusOr<T>)>;

// Where plain threads wait for answers; a few for the whole process, shared by address, since most
// answers are never waited for.
struct WaitingRoom {
  Mutex mutex;
  CondVar changed;
  static WaitingRoom& Of(const void* call);
};

// One call in process: the reply writes the result, the answer waits for it. Each holds it once,
// from the start.
template <class T>
class LocalCall final : public Shared<LocalCall<T>>, public ReplySink<T> {
 public:
  explicit LocalCall(SteadyTime deadline) : Shared<LocalCall>(/*holds=*/2) {
    this->BeginCall(deadline);
  }

  void Succeed(T&& response) override {
    result_ = std::move(response);
    Complete();
  }
  void Fail(absl::Status status) override {
    result_ = std::move(status);
    Complete();
  }

  void Then(AnswerCallback<T> callback) {
    continuation_ = std::make_unique<Waiting<absl::StatusOr<T>>>(std::move(callback));
    State expected = State::kPending;
    if (!state_.compare_exchange_strong(expected, State::kCallback, std::memory_order_acq_rel)) {
      continuation_->Post(std::move(result_));
    }
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

  // Runs `callback` when the call is answered, on the thread that answers. Before it is made.
  void WhenDone(Callback callback) { when_done_ = std::make_unique<Callback>(std::move(callback)); }

  using CallContext::MarkCancelled;

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

  std::atomic<State> state_{State::kPending};
  absl::StatusOr<T> result_;                                  // written before kDone
  std::unique_ptr<Waiting<absl::StatusOr<T>>> continuation_;  // written before kCallback
  std::unique_ptr<Callback> when_done_;
};

// Move-only. An answer that is destroyed without having been asked for cancels the call: nobody
// wants it any more. Detach where the call matters and its answer does not.
template <class T>
class [[nodiscard]] Answer {
 public:
  explicit Answer(SharedPtr<LocalCall<T>> call) : call_(std::move(call)) {}
  Answer(Answer&&) = default;
  Answer& operator=(Answer&& other) {
    if (this != &other) {
      Abandon();
      call_ = std::move(other.call_);
    }
    return *this;
  }
  ~Answer() { Abandon(); }

  // Runs `callback` with the answer on the calling component's thread, through its mailbox; not at
  // all where the calling instance has gone by then. Component thread only.
  // FAILED_PRECONDITION is what it gets, later too, where there is no answer to be had here: it was
  // asked for before, detached, or moved to another Answer.
  void Then(AnswerCallback<T> callback) {
    SharedPtr<LocalCall<T>> call = std::exchange(call_, nullptr);
    if (call == nullptr) return Waiting<absl::StatusOr<T>>(std::move(callback)).Post(NoAnswer());
    call->Then(std::move(callback));
  }

  // Blocks until the answer is there or `deadline` has passed: DEADLINE_EXCEEDED, and the call is
  // cancelled. Plain threads only: FAILED_PRECONDITION on a component's, which must not block; and
  // where there is no answer to be had, as for Then.
  absl::StatusOr<T> Await(SteadyTime deadline = kNever) {
    if (ReturnAddress::HasCurrent()) {
      return absl::FailedPreconditionError("Await on a component's thread: use Then");
    }
    SharedPtr<LocalCall<T>> call = std::exchange(call_, nullptr);
    if (call == nullptr) return NoAnswer();
    return call->Await(deadline);
  }

  // The call goes on; nobody gets its answer. Any thread.
  void Detach() { call_ = nullptr; }

 private:
  static absl::Status NoAnswer() {
    return absl::FailedPreconditionError("the answer was asked for before, detached, or moved");
  }

  void Abandon() {
    if (call_ != nullptr) call_->MarkCancelled();
  }

  SharedPtr<LocalCall<T>> call_;
};

}  // namespace mainspring

#endif  // MAINSPRING_ANSWER_H_
