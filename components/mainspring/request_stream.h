// RequestStream<T>: the messages that a caller sends one after another in one call.
#ifndef MAINSPRING_REQUEST_STREAM_H_
#define MAINSPRING_REQUEST_STREAM_H_

#include <coroutine>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "mainspring/waiting.h"

namespace mainspring {

// Gets the next message, or nothing at the end of the stream.
template <class T>
using ReadCallback = absl::AnyInvocable<void(std::optional<T>)>;

// Where a RequestStream's messages come from. Release is called exactly once, last.
template <class T>
class StreamSource {
 public:
  virtual void Read(ReadCallback<T> callback) = 0;
  virtual void Release() = 0;

 protected:
  ~StreamSource() = default;
};

// A read of a stream that has no source, or none any more: the end, later.
template <class T>
void ReadEnd(ReadCallback<T> callback) {
  Waiting<std::optional<T>>(std::move(callback)).Post(std::nullopt);
}

// What co_await waits for in a stream's Read.
template <class Stream>
class ReadAwaiter {
 public:
  explicit ReadAwaiter(Stream& stream) : stream_(stream) {}
  ReadAwaiter(ReadAwaiter&&) = delete;

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> self) {
    stream_.Read([this, self](std::optional<typename Stream::Message> message) {
      message_ = std::move(message);
      self.promise().Resume(self);
    });
  }
  std::optional<typename Stream::Message> await_resume() { return std::move(message_); }

 private:
  Stream& stream_;
  std::optional<typename Stream::Message> message_;
};

// Move-only; component thread only. Nothing is read from the caller but what was asked for: a
// component that does not read holds the caller back, not the memory.
template <class T>
class RequestStream {
 public:
  using Message = T;

  // At its end already, as one that was moved from.
  RequestStream() = default;
  explicit RequestStream(StreamSource<T>* source) : source_(source) {}
  RequestStream(RequestStream&& other) noexcept : source_(std::exchange(other.source_, nullptr)) {}
  RequestStream& operator=(RequestStream&& other) noexcept {
    if (this != &other) {
      if (source_ != nullptr) source_->Release();
      source_ = std::exchange(other.source_, nullptr);
    }
    return *this;
  }
  ~RequestStream() {
    if (source_ != nullptr) source_->Release();
  }

  // Runs `callback` on the calling thread, later and once, with the next message; with nothing
  // when the caller has sent its last one, has gone, out of time too, or the call was answered. The
  // next may be asked for in the callback. One read waits at a time: where another does already,
  // this one takes its place, and the other's callback is destroyed and not run; no message is lost
  // by that.
  void Read(ReadCallback<T> callback) {
    if (source_ == nullptr) return ReadEnd<T>(std::move(callback));
    source_->Read(std::move(callback));
  }
  // In a coroutine: the next message, as the callback gets it. While it waits, the stream is its
  // alone: another read leaves the coroutine waiting.
  ReadAwaiter<RequestStream> Read() { return ReadAwaiter<RequestStream>(*this); }

 private:
  StreamSource<T>* source_ = nullptr;
};

}  // namespace mainspring

#endif  // MAINSPRING_REQUEST_STREAM_H_
