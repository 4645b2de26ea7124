// WriteBuffer: what a streaming call keeps for a client that is behind.
#ifndef MAINSPRING_SERVER_RPC_WRITE_BUFFER_H_
#define MAINSPRING_SERVER_RPC_WRITE_BUFFER_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "mainspring/mutex.h"
#include "mainspring/reply_stream.h"
#include "mainspring/server/rpc/payload.h"
#include "mainspring/waiting.h"

namespace mainspring::rpc {

// Payloads in order, bounded in number and bytes. Its owner's lock guards all but the callback of
// the writer who waits for room, which has a lock of its own, because it is posted when the owner's
// has been given back.
class WriteBuffer {
 public:
  bool empty() const { return payloads_.empty(); }
  bool full() const { return payloads_.size() >= kStreamBuffer || bytes_ >= kStreamBufferBytes; }

  // Whether there is room for one more, however large; where there is none, somebody will want it.
  bool HasRoom();
  // Of the one writer, who has asked whether there is room.
  void Push(Payload payload);
  std::optional<Payload> Pop();
  void Clear();

  // Somebody waits for room, or, in its place, until there is nothing left.
  void WantRoom() {
    was_full_ = true;
    awaits_end_ = false;
  }
  void WantEnd() { awaits_end_ = true; }
  // Whether a writer that was refused should come again, which is said once: not for one place, but
  // for half of them.
  bool TakeRoom();
  // Whether a writer that waits until there is nothing left should come again; said once.
  bool TakeEnd();

  // The rest: any thread.

  void SetReady(Callback callback);
  // Posts the callback that was set last to its thread, once.
  void PostReady();

 private:
  std::deque<Payload> payloads_;
  size_t bytes_ = 0;
  bool was_full_ = false;
  bool awaits_end_ = false;

  Mutex ready_mutex_;
  mainspring::Waiting<> on_ready_ ABSL_GUARDED_BY(ready_mutex_);
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_WRITE_BUFFER_H_
