// Pipe<T>: a stream of messages between two parties in one process, bounded, from one writer to
// one reader. It stands behind the streaming calls of a Ref, in both directions.
#ifndef MAINSPRING_PIPE_H_
#define MAINSPRING_PIPE_H_

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "mainspring/alarm.h"
#include "mainspring/local_call.h"
#include "mainspring/mutex.h"
#include "mainspring/reply_stream.h"
#include "mainspring/request_stream.h"
#include "mainspring/shared.h"
#include "mainspring/stream_caller.h"
#include "mainspring/waiting.h"

namespace mainspring {

// Writer and reader each hold the pipe once; Finish and Release give a hold back. Both ends: any
// thread; the callbacks run at the return address of the thread that gave them.
template <class T>
class Pipe final : public Shared<Pipe<T>>, public StreamSink<T>, public StreamSource<T> {
 public:
  explicit Pipe(const CallOptions& options, const char* method = "") : caller_(options) {
    BeginLocalCall(*this, options, method, caller_);
  }

  // The writer's end.

  WriteResult Write(T&& message) override {
    Wakeup wakeup;
    caller_.EndHeaders();
    {
      MutexLock lock(mutex_);
      if (reader_gone_ || finished_) return WriteResult::kClosed;
      if (messages_.size() >= kStreamBuffer) return WriteResult::kFull;
      messages_.push_back(std::move(message));
      wakeup = WakeReader();
    }
    wakeup.Post();
    return WriteResult::kAccepted;
  }

  void OnReady(Callback callback) override { WhenFewer(kStreamBuffer, std::move(callback)); }
  void OnSent(Callback callback) override { WhenFewer(1, std::move(callback)); }

  void Finish(absl::Status status) override {
    Wakeup wakeup;
    Waiting<> dropped;
    {
      MutexLock lock(mutex_);
      // One that has ended for its reader keeps what it ended with.
      if (!finished_) status_ = std::move(status);
      finished_ = true;
      std::swap(on_ready_, dropped);
      wakeup = WakeReader();
    }
    wakeup.Post();
    this->ForgetCancel();
    // Gone with what it holds, which may be what holds this.
    if (const auto when_done = std::exchange(when_done_, nullptr)) (*when_done)();
    this->Unref();
  }

  // The reader's end.

  // Runs `callback` at Finish, on its thread. Before the pipe is used.
  void WhenDone(Callback callback) { when_done_ = std::make_unique<Callback>(std::move(callback)); }

  // Ends the stream from here: the writer is closed, and reads come to the end.
  void EndReading() {
    Wakeup wakeup;
    {
      MutexLock lock(mutex_);
      wakeup = End(absl::OkStatus());
    }
    wakeup.Post();
  }

  // The deadline has passed: the stream ends for both. Nothing where it has ended. Any thread.
  void Expire() {
    if (finished()) return;
    // First, so that whoever finds it closed knows why.
    this->MarkCancelled();
    if (when_expired_ != nullptr) (*when_expired_)();
    Wakeup wakeup;
    {
      MutexLock lock(mutex_);
      if (finished_) return;
      caller_.Close();
      wakeup = End(DeadlinePassed(this->method()));
    }
    wakeup.Post();
  }

  // Runs `callback` when it expires, before it ends. Before the pipe is used.
  void WhenExpired(Callback callback) {
    when_expired_ = std::make_unique<Callback>(std::move(callback));
  }

  void Read(ReadCallback<T> callback) override {
    Waiting<std::optional<T>> read(std::move(callback), Alarm::ExpiryOf(*this));
    Wakeup wakeup;
    {
      MutexLock lock(mutex_);
      std::swap(on_read_, read);
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
    Waiting<std::optional<T>> dropped;
    bool finished;
    {
      MutexLock lock(mutex_);
      finished = finished_;
      reader_gone_ = true;
      messages_.clear();
      std::swap(on_read_, dropped);
      wakeup.ready = std::exchange(on_ready_, {});
    }
    wakeup.Post();
    if (!finished) this->MarkCancelled();
    this->Unref();
  }

  // What the writer has added, as far as it has been sent.
  AnswerMetadata metadata() const {
    // Looked at first: what is added after the end was seen cannot be missed.
    const bool all = finished();
    AnswerMetadata sent = caller_.Sent();
    if (!all) sent.trailers.clear();
    return sent;
  }

  // How the writer ended it, or the deadline; UNKNOWN while neither has.
  absl::Status status() const {
    MutexLock lock(mutex_);
    return finished_ ? OwnCopy(status_) : absl::UnknownError("the stream has not ended");
  }

 private:
  bool finished() const {
    MutexLock lock(mutex_);
    return finished_;
  }

  // What is to be told once the lock is given back.
  struct Wakeup {
    Waiting<> ready = {};
    Waiting<std::optional<T>> read = {};
    std::optional<T> message = std::nullopt;
    void Post() {
      if (ready) ready.Post();
      if (read) read.Post(std::move(message));
    }
  };

  Wakeup End(absl::Status why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!finished_) status_ = std::move(why);
    reader_gone_ = true;
    finished_ = true;
    messages_.clear();
    Wakeup wakeup = WakeReader();
    wakeup.ready = std::exchange(on_ready_, {});
    return wakeup;
  }

  // Runs it when fewer messages than that are left.
  void WhenFewer(size_t messages, Callback callback) {
    Waiting<> ready(std::move(callback), Alarm::ExpiryOf(*this));
    {
      MutexLock lock(mutex_);
      if (!reader_gone_ && messages_.size() >= messages) {
        ready_below_ = messages;
        std::swap(on_ready_, ready);
        return;
      }
    }
    ready.Post();
  }

  // Hands the next message, or the end, to the read that waits for it, if one does.
  Wakeup WakeReader() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    changed_.NotifyAll();
    if (!on_read_ || (messages_.empty() && !finished_)) return {};
    Wakeup wakeup;
    wakeup.message = Take(wakeup);
    wakeup.read = std::exchange(on_read_, {});
    return wakeup;
  }

  std::optional<T> Take(Wakeup& wakeup) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (messages_.empty()) return std::nullopt;
    std::optional<T> message = std::move(messages_.front());
    messages_.pop_front();
    if (messages_.size() < ready_below_) wakeup.ready = std::exchange(on_ready_, {});
    return message;
  }

  StreamCaller caller_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<T> messages_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool reader_gone_ ABSL_GUARDED_BY(mutex_) = false;
  // The callback that waits runs when fewer messages than this are left.
  size_t ready_below_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  Waiting<> on_ready_ ABSL_GUARDED_BY(mutex_);
  Waiting<std::optional<T>> on_read_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Callback> when_done_;
  std::unique_ptr<Callback> when_expired_;
};

}  // namespace mainspring

#endif  // MAINSPRING_PIPE_H_
