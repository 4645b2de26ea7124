// WriteBuffer: what a streaming call keeps for a client that is behind.
#ifndef MAINSPRING_SERVER_RPC_WRITE_BUFFER_H_
#define MAINSPRING_SERVER_RPC_WRITE_BUFFER_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "mainspring/mutex.h"
#include "mainspring/reply_stream.h"
#include "mainspring/waiting.h"

namespace mainspring::rpc {

// How full a buffer is, and the callback of the writer who waits for room. Its owner's lock guards
// all but the callback, which has a lock of its own, because it is posted when the owner's has been
// given back.
class WriteRoom {
 public:
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ >= kStreamBuffer || bytes_ >= kStreamBufferBytes; }

  // Somebody waits for room, or, in its place, until there is nothing left.
  void Await() {
    was_full_ = true;
    awaits_end_ = false;
  }
  void AwaitEnd() { awaits_end_ = true; }
  // Whether a writer that was refused should come again, which is said once: not for one place, but
  // for half of them.
  bool TakeRoom();
  // Whether a writer that waits until there is nothing left should come again; said once.
  bool TakeEnd();

  // The rest: any thread.

  void SetReady(Callback callback);
  // Posts the callback that was set last to its thread, once.
  void PostReady();

 protected:
  WriteRoom() = default;
  ~WriteRoom() = default;

  // Takes the place of one more message; false: there is none.
  bool Take(size_t bytes);
  void GiveBack(size_t bytes) {
    --count_;
    bytes_ -= bytes;
  }
  void GiveBackAll() { count_ = bytes_ = 0; }

 private:
  size_t count_ = 0;
  size_t bytes_ = 0;
  bool was_full_ = false;
  bool awaits_end_ = false;

  Mutex ready_mutex_;
  Waiting<> on_ready_ ABSL_GUARDED_BY(ready_mutex_);
};

// Messages in order, bounded in number and bytes.
template <class Message>
class WriteBuffer final : public WriteRoom {
 public:
  // False where there is no room; then the message is left as it was.
  bool Push(Message&& message) {
    if (!Take(message.ByteSizeLong())) return false;
    messages_.push_back(std::move(message));
    return true;
  }

  std::optional<Message> Pop() {
    if (messages_.empty()) return std::nullopt;
    std::optional<Message> message = std::move(messages_.front());
    messages_.pop_front();
    GiveBack(message->ByteSizeLong());
    return message;
  }

  void Clear() {
    messages_.clear();
    GiveBackAll();
  }

 private:
  std::deque<Message> messages_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_WRITE_BUFFER_H_
