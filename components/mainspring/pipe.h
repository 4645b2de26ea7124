// Pipe<T>: a stream of messages between two parties in one process, bounded, from one writer to
// one reader. It stands behind the streaming calls of a Ref, in both directions.
#ifndef MAINSPRING_PIPE_H_
#define MAINSPRING_PIPE_H_

#include <deque>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "mainspring/mutex.h"
#include "mainspring/reply_stream.h"
#include "mainspring/request_stream.h"
#include "mainspring/shared.h"

namespace mainspring {

// Writer and reader each hold the pipe once; Finish and Release give a hold back. Both ends: any
// thread; the callbacks run at the return address of the thread that gave them.
template <class T>
class Pipe final : public Shared<Pipe<T>>, public StreamSink<T>, public StreamSource<T> {
 public:
  explicit Pipe(SteadyTime deadline) { this->BeginCall(deadline); }

  // The writer's end.

  WriteResult Write(T&& message) override {
    Wakeup wakeup;
    {
      MutexLock lock(mutex_);
      if (reader_gone_ || finished_) return WriteResult::kClosed;
      if (messages_.size() >= kStreamBuffer) {
        was_full_ = true;
        return WriteResult::kFull;
      }
      messages_.push_back(std::move(message));
      wakeup = WakeReader();
    }
    wakeup.Post();
    return WriteResult::kAccepted;
  }

  void OnReady(Callback callback) override {
    MutexLock lock(mutex_);
    ready_address_ = ReturnAddress::Current();
    if (reader_gone_ || messages_.size() < kStreamBuffer) {
      ready_address_.Post(std::move(callback));
    } else {
      on_ready_ = std::move(callback);
    }
  }

  void Finish(absl::Status status) override {
    Wakeup wakeup;
    {
      MutexLock lock(mutex_);
      finished_ = true;
      status_ = std::move(status);
      on_ready_ = nullptr;
      wakeup = WakeReader();
    }
    wakeup.Post();
    this->Unref();
  }

  // The reader's end.

  void Read(ReadCallback<T> callback) override {
    Wakeup wakeup;
    {
      MutexLock lock(mutex_);
      read_address_ = ReturnAddress::Current();
      on_read_ = std::move(callback);
      wakeup = WakeReader();
    }
    wakeup.Post();
  }

  // As Read, for a plain thread: nothing where `deadline` passed as well; status() tells.
  std::optional<T> AwaitRead(SteadyTime deadline) {
    Wakeup wakeup;
    std::optional<T> message;
    {
      MutexLock lock(mutex_);
      while (messages_.empty() && !finished_) {
        if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
        changed_.WaitUntil(mutex_, deadline);
      }
      message = Take(wakeup);
    }
    wakeup.Post();
    return message;
  }

  void Release() override {
    Wakeup wakeup;
    {
      MutexLock lock(mutex_);
      reader_gone_ = true;
      messages_.clear();
      on_read_ = nullptr;
      wakeup = WakeWriter();
    }
    wakeup.Post();
    this->MarkCancelled();
    this->Unref();
  }

  // How the writer ended it; UNKNOWN while it has not.
  absl::Status status() const {
    MutexLock lock(mutex_);
    return finished_ ? status_ : absl::UnknownError("the stream has not ended");
  }

 private:
  // What is to be told once the lock is given back.
  struct Wakeup {
    ReturnAddress address;
    Callback callback;
    void Post() {
      if (callback) address.Post(std::move(callback));
    }
  };

  // Hands the next message, or the end, to the read that waits for it, if one does.
  Wakeup WakeReader() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    changed_.NotifyAll();
    if (!on_read_ || (messages_.empty() && !finished_)) return {};
    // The message is taken when the callback runs, so that it counts as buffered until then.
    this->Ref();
    return {read_address_, [held = SharedPtr<Pipe>(this), callback = std::exchange(on_read_, nullptr)]() mutable {
              callback(held->TakeNow());
            }};
  }

  Wakeup WakeWriter() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    was_full_ = false;
    return {ready_address_, std::exchange(on_ready_, nullptr)};
  }

  std::optional<T> TakeNow() {
    Wakeup wakeup;
    std::optional<T> message;
    {
      MutexLock lock(mutex_);
      message = Take(wakeup);
    }
    wakeup.Post();
    return message;
  }

  std::optional<T> Take(Wakeup& wakeup) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (messages_.empty()) return std::nullopt;
    std::optional<T> message = std::move(messages_.front());
    messages_.pop_front();
    if (was_full_) wakeup = WakeWriter();
    return message;
  }

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<T> messages_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool reader_gone_ ABSL_GUARDED_BY(mutex_) = false;
  bool was_full_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  ReturnAddress ready_address_ ABSL_GUARDED_BY(mutex_);
  Callback on_ready_ ABSL_GUARDED_BY(mutex_);
  ReturnAddress read_address_ ABSL_GUARDED_BY(mutex_);
  ReadCallback<T> on_read_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mainspring

#endif  // MAINSPRING_PIPE_H_
