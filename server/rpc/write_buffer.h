// What a streaming call keeps for a client that is behind, and how it answers its component:
// WriteBuffer, Answering.
#ifndef MAINSPRING_SERVER_RPC_WRITE_BUFFER_H_
#define MAINSPRING_SERVER_RPC_WRITE_BUFFER_H_

#include <deque>
#include <optional>
#include <utility>

#include "mainspring/mutex.h"
#include "mainspring/reply.h"
#include "mainspring/reply_stream.h"
#include "mainspring/waiting.h"

namespace mainspring::rpc {

// Messages in order, bounded in number and bytes, and the callback of the writer who waits for
// room. Its owner's lock guards the messages; the callback has a lock of its own, because it is
// posted when the owner's has been given back.
template <class Message>
class WriteBuffer {
 public:
  // False where there is no room; then the message is left as it was.
  bool Push(Message&& message) {
    if (full()) {
      was_full_ = true;
      return false;
    }
    bytes_ += message.ByteSizeLong();
    messages_.push_back(std::move(message));
    return true;
  }

  std::optional<Message> Pop() {
    if (messages_.empty()) return std::nullopt;
    std::optional<Message> message = std::move(messages_.front());
    messages_.pop_front();
    bytes_ -= message->ByteSizeLong();
    return message;
  }

  void Clear() {
    messages_.clear();
    bytes_ = 0;
  }

  bool empty() const { return messages_.empty(); }
  // Somebody waits for room, or, in its place, until there is nothing left.
  void Await() {
    was_full_ = true;
    awaits_end_ = false;
  }
  void AwaitEnd() { awaits_end_ = true; }
  bool full() const { return messages_.size() >= kStreamBuffer || bytes_ >= kStreamBufferBytes; }

  // Whether a writer that was refused should come again: not for one place, but for half of them.
  bool has_room() {
    if (!was_full_ || awaits_end_ || messages_.size() > kStreamBuffer / 2 || full()) return false;
    was_full_ = false;
    return true;
  }

  // Whether a writer that waits until there is nothing left should come again.
  bool came_to_end() {
    if (!awaits_end_ || !messages_.empty()) return false;
    awaits_end_ = false;
    was_full_ = false;
    return true;
  }

  // The rest: any thread.

  void SetReady(Callback callback) {
    Waiting<> ready(std::move(callback));
    MutexLock lock(ready_mutex_);
    std::swap(on_ready_, ready);
  }

  // Runs the callback that was set last, if it has not run.
  void PostReady() {
    Waiting<> ready;
    {
      MutexLock lock(ready_mutex_);
      std::swap(on_ready_, ready);
    }
    if (ready) ready.Post();
  }

 private:
  std::deque<Message> messages_;
  size_t bytes_ = 0;
  bool was_full_ = false;
  bool awaits_end_ = false;

  Mutex ready_mutex_;
  Waiting<> on_ready_ ABSL_GUARDED_BY(ready_mutex_);
};

// The component's side of a call that is answered many times.
template <class Self, class Response>
class AnswersMany : public StreamSink<Response> {
 public:
  WriteResult Write(Response&& message) final { return self().WriteOne(std::move(message)); }
  void OnReady(Callback callback) final { self().WhenReady(std::move(callback)); }
  void OnSent(Callback callback) final { self().WhenSent(std::move(callback)); }
  void Finish(absl::Status status) final { self().End(std::move(status)); }

 private:
  Self& self() { return static_cast<Self&>(*this); }
};

// And of one that is answered once.
template <class Self, class Response>
class AnswersOnce : public ReplySink<Response> {
 public:
  void Succeed(Response&& response) final { self().EndWithResponse(std::move(response)); }
  void Fail(absl::Status status) final { self().End(std::move(status)); }

 private:
  Self& self() { return static_cast<Self&>(*this); }
};

template <class Self, class Call>
struct Answering {
  using Type = AnswersMany<Self, typename CallTypes<Call>::Response>;
};
template <class Self, HasReply Call>
struct Answering<Self, Call> {
  using Type = AnswersOnce<Self, typename CallTypes<Call>::Response>;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_WRITE_BUFFER_H_
