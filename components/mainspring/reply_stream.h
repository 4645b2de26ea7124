// ReplyStream<T>: the right to answer one call many times, and then to end it.
#ifndef MAINSPRING_REPLY_STREAM_H_
#define MAINSPRING_REPLY_STREAM_H_

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
  kClosed,    // Not taken: the reader has gone, or the host drains. Nothing more can be sent.
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

// Move-only. Any thread may write, one at a time. A stream that is destroyed without Finish ends
// INTERNAL. It must not outlive the host, nor the mailbox that it came through.
template <class T>
class ReplyStream {
 public:
  using Message = T;

  // Finished already.
  ReplyStream() = default;
  explicit ReplyStream(StreamSink<T>* sink) : sink_(sink) {}
  ReplyStream(ReplyStream&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)) {}
  ReplyStream& operator=(ReplyStream&& other) noexcept {
    if (this != &other) {
      Finish(DroppedStatus());
      sink_ = std::exchange(other.sink_, nullptr);
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

  // Ends the stream after what was accepted; for the text of an error see Bounded. False where it
  // was finished before.
  bool Finish(absl::Status status = absl::OkStatus()) {
    StreamSink<T>* sink = std::exchange(sink_, nullptr);
    if (sink == nullptr) return false;
    sink->CountAnswer();
    sink->Finish(Bounded(std::move(status)));
    return true;
  }

  bool finished() const { return sink_ == nullptr; }

  // The call's circumstances; once finished, those of CallContext::None().
  const CallContext& context() const { return sink_ == nullptr ? CallContext::None() : *sink_; }
  SteadyTime deadline() const { return sink_ == nullptr ? kNever : sink_->deadline(); }
  bool cancelled() const { return sink_ == nullptr || sink_->cancelled(); }

 private:
  StreamSink<T>* sink_ = nullptr;
};

}  // namespace mainspring

#endif  // MAINSPRING_REPLY_STREAM_H_
