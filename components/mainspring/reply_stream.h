// ReplyStream<T>: the right to answer one call many times, and then to end it.
#ifndef MAINSPRING_REPLY_STREAM_H_
#define MAINSPRING_REPLY_STREAM_H_

#include <coroutine>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "mainspring/call.h"
#include "mainspring/text.h"

namespace mainspring {

// What became of a message that was written to a stream.
enum class WriteResult {
  kAccepted,  // It will be sent, in order.
  kFull,      // Not taken: the reader is behind. Write again when the ready callback has run.
  kClosed,    // Not taken: the reader has gone, its time is up, or the host drains. No more can be
              // sent.
};

// How many messages wait for a reader that is behind, besides the one on its way.
inline constexpr size_t kStreamBuffer = 16;
// And, over gRPC, how many bytes; one message may be larger.
inline constexpr size_t kStreamBufferBytes = size_t{1} << 20;

// Where a ReplyStream's messages go. Methods as in ReplyStream; Finish is called exactly once, and
// the sink may be gone when it returns.
template <class T>
class StreamSink : public CallContext {
 public:
  virtual WriteResult Write(T&& message) = 0;
  virtual void OnReady(Callback callback) = 0;
  // A sink that keeps nothing has sent what it accepted.
  virtual void OnSent(Callback callback) { OnReady(std::move(callback)); }
  virtual void Finish(absl::Status status) = 0;

 protected:
  ~StreamSink() = default;
};

// What co_await waits for in a stream's Send.
template <class Stream>
class SendAwaiter {
 public:
  SendAwaiter(Stream& stream, typename Stream::Message message)
      : stream_(stream), message_(std::move(message)) {}
  SendAwaiter(SendAwaiter&&) = delete;

  bool await_ready() { return Write(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> self) {
    stream_.OnReady([this, self] {
      if (!Write()) return await_suspend(self);
      self.promise().Resume(self);
    });
  }
  bool await_resume() const noexcept { return result_ == WriteResult::kAccepted; }

 private:
  bool Write() {
    result_ = stream_.Write(std::move(message_));
    return result_ != WriteResult::kFull;
  }

  Stream& stream_;
  typename Stream::Message message_;
  WriteResult result_ = WriteResult::kFull;
};

// Move-only. Any thread may write, one at a time. A stream that is destroyed without Finish ends
// INTERNAL. It must not outlive the host, nor the mailbox that it came through.
template <class T>
class ReplyStream {
 public:
  using Message = T;

  // Finished already.
  ReplyStream() = default;
  explicit ReplyStream(StreamSink<T>* sink) : sink_(sink), method_(sink->method().data()) {}
  ReplyStream(ReplyStream&& other) noexcept
      : sink_(std::exchange(other.sink_, nullptr)), method_(other.method_) {}
  ReplyStream& operator=(ReplyStream&& other) noexcept {
    if (this != &other) {
      if (sink_ != nullptr) Finish(DroppedStatus());
      sink_ = std::exchange(other.sink_, nullptr);
      method_ = other.method_;
    }
    return *this;
  }
  ~ReplyStream() {
    if (sink_ != nullptr) Finish(DroppedStatus());
  }

  // Never blocks. The message is moved from only where it was accepted.
  WriteResult Write(T&& message) {
    return sink_ == nullptr ? WriteResult::kClosed : sink_->Write(std::move(message));
  }
  WriteResult Write(const T& message) { return Write(T(message)); }

  // In a coroutine: writes as soon as there is room. False where the stream is closed. While it
  // waits, the stream is its alone: who finishes it meanwhile leaves the coroutine waiting.
  SendAwaiter<ReplyStream> Send(T message) {
    return SendAwaiter<ReplyStream>(*this, std::move(message));
  }

  // Runs `callback` on the calling thread, later and once: when a stream that said kFull has room
  // again, or when it is closed. A second callback replaces the first; of a stream that is
  // finished, none runs. Component thread only.
  void OnReady(Callback callback) {
    if (sink_ != nullptr) sink_->OnReady(std::move(callback));
  }

  // Runs `callback` on the calling thread, later and once: when nothing that was written waits here
  // any more, the reader having taken it all, or when the stream is closed. For a writer that must
  // not run ahead of its reader. One callback waits: this one or OnReady's. Component thread only.
  void OnSent(Callback callback) {
    if (sink_ != nullptr) sink_->OnSent(std::move(callback));
  }

  // Runs `callback` on the calling thread, later and once, if the stream is closed before it is
  // finished. Component thread only.
  void OnCancel(Callback callback) {
    if (sink_ != nullptr) sink_->OnCancel(std::move(callback));
  }

  // Ends the stream after what was accepted; for the text of an error see Bounded.
  void Finish(absl::Status status = absl::OkStatus()) {
    StreamSink<T>* sink = std::exchange(sink_, nullptr);
    if (sink == nullptr) {
      return ReportMisuse("finished after it was finished, or moved", method_);
    }
    sink->CountAnswer();
    sink->Finish(Bounded(std::move(status)));
  }

  bool finished() const { return sink_ == nullptr; }

  // Metadata for the caller, as Reply's: headers before the first message, trailers before Finish.
  bool AddHeader(absl::string_view key, absl::string_view value) {
    return AddHeaderTo(sink_, key, value, method_);
  }
  bool AddTrailer(absl::string_view key, absl::string_view value) {
    return AddTrailerTo(sink_, key, value, method_);
  }

  // The call's circumstances; once finished, those of CallContext::None().
  const CallContext& context() const {
    if (sink_ != nullptr) return *sink_;
    ReportMisuse("its context was used after it was finished, or moved", method_);
    return CallContext::None();
  }
  SteadyTime deadline() const { return sink_ == nullptr ? kNever : sink_->deadline(); }
  bool cancelled() const { return sink_ == nullptr || sink_->cancelled(); }

 private:
  StreamSink<T>* sink_ = nullptr;
  const char* method_ = "";
};

}  // namespace mainspring

#endif  // MAINSPRING_REPLY_STREAM_H_
