// Answer<T>: what was asked and is not there yet: of a component in this process, of a function
// that blocks (Context::RunBlocking), or of a server elsewhere (CallStub).
#ifndef MAINSPRING_ANSWER_H_
#define MAINSPRING_ANSWER_H_

#include <coroutine>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/coroutine.h"
#include "mainspring/local_call.h"
#include "mainspring/metadata.h"
#include "mainspring/return_address.h"
#include "mainspring/shared.h"
#include "mainspring/waiting.h"

namespace mainspring {

// A call whose answer is waited for by a callback. Dropped, it changes nothing. Move-only;
// component thread only, in the instance that asked.
class AnswerHandle {
 public:
  // There is nothing to cancel.
  AnswerHandle() = default;
  template <class T>
  AnswerHandle(SharedPtr<LocalCall<T>> call, Withdrawal callback)
      : call_(call.Release()), let_go_(&LetGo<T>), callback_(std::move(callback)) {}
  AnswerHandle(AnswerHandle&& other) noexcept
      : call_(std::exchange(other.call_, nullptr)),
        let_go_(other.let_go_),
        callback_(std::move(other.callback_)) {}
  AnswerHandle& operator=(AnswerHandle&& other) noexcept {
    std::swap(call_, other.call_);
    std::swap(let_go_, other.let_go_);
    std::swap(callback_, other.callback_);
    return *this;
  }
  ~AnswerHandle() {
    if (call_ != nullptr) let_go_(call_, /*cancel=*/false);
  }

  // Nobody wants the answer any more: the callback is destroyed and does not run, and who was asked
  // is told. Nothing where the callback has run.
  void Cancel() {
    callback_.Withdraw();
    if (call_ != nullptr) let_go_(std::exchange(call_, nullptr), /*cancel=*/true);
  }

 private:
  template <class T>
  static void LetGo(void* held, bool cancel) {
    auto* const call = static_cast<LocalCall<T>*>(held);
    if (cancel) call->Abandon();
    call->Unref();
  }

  void* call_ = nullptr;
  void (*let_go_)(void* call, bool cancel) = nullptr;
  Withdrawal callback_;
};

// Move-only. An answer that is destroyed without having been asked for cancels the call: nobody
// wants it any more. Detach where the call matters and its answer does not.
template <class T>
class [[nodiscard]] Answer {
 public:
  class Awaiter;

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
  // all where the calling instance has gone by then, or the handle was told to cancel. Component
  // thread only. DEADLINE_EXCEEDED is what it gets where the call's deadline comes before the
  // answer; FAILED_PRECONDITION, later too, where there is no answer to be had here: it was asked
  // for before, detached, or moved to another Answer.
  AnswerHandle Then(AnswerCallback<T> callback) {
    SharedPtr<LocalCall<T>> call = std::exchange(call_, nullptr);
    if (call == nullptr) {
      Waiting<absl::StatusOr<T>> waiting(std::move(callback));
      Withdrawal withdrawal = waiting.withdrawal();
      waiting.Post(NoAnswer());
      return {SharedPtr<LocalCall<T>>(), std::move(withdrawal)};
    }
    Withdrawal withdrawal = call->Then(std::move(callback));
    return {std::move(call), std::move(withdrawal)};
  }

  // In a coroutine: an absl::StatusOr<T>, as Then's callback gets it. Component thread only.
  Awaiter operator co_await() && { return Awaiter(std::move(*this)); }

  // Blocks until the answer is there or `deadline` has passed, which the call's own does not stand
  // in for: DEADLINE_EXCEEDED, and the call is cancelled. Plain threads only: FAILED_PRECONDITION
  // on a component's, which must not block; and where there is no answer to be had, as for Then.
  absl::StatusOr<T> Await(SteadyTime deadline = kNever) {
    if (ReturnAddress::HasCurrent()) {
      return absl::FailedPreconditionError("Await on a component's thread: use Then");
    }
    SharedPtr<LocalCall<T>> call = std::exchange(call_, nullptr);
    if (call == nullptr) return NoAnswer();
    return call->Await(deadline);
  }

  // What comes with the answer, there to be read once whoever waits has got that: asked for before
  // Then, Await or co_await, and kept. Empty where there is no answer to be had.
  std::shared_ptr<const AnswerMetadata> metadata() const {
    if (call_ == nullptr) return std::make_shared<AnswerMetadata>();
    return call_->WantMetadata();
  }

  // The call goes on; nobody gets its answer. Any thread.
  void Detach() { call_ = nullptr; }

 private:
  static absl::Status NoAnswer() {
    return absl::FailedPreconditionError("the answer was asked for before, detached, or moved");
  }

  void Abandon() {
    if (call_ != nullptr) call_->Abandon();
  }

  SharedPtr<LocalCall<T>> call_;
};

// Destroyed while it waits, with its coroutine, it cancels the call.
template <class T>
class Answer<T>::Awaiter {
 public:
  explicit Awaiter(Answer&& answer) : answer_(std::move(answer)) {}
  Awaiter(Awaiter&&) = delete;
  ~Awaiter() {
    if (waits_) handle_.Cancel();
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> self) {
    waits_ = true;
    handle_ = answer_.Then([this, self](absl::StatusOr<T> result) {
      waits_ = false;
      result_ = std::move(result);
      self.promise().Resume(self);
    });
  }
  absl::StatusOr<T> await_resume() { return std::move(result_); }

 private:
  Answer answer_;
  bool waits_ = false;
  absl::StatusOr<T> result_;
  AnswerHandle handle_;
};

}  // namespace mainspring

#endif  // MAINSPRING_ANSWER_H_
