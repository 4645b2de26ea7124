#include "mainspring/server/rpc/write_buffer.h"

namespace mainspring::rpc {

bool WriteRoom::Take(size_t bytes) {
  if (full()) {
    was_full_ = true;
    return false;
  }
  ++count_;
  bytes_ += bytes;
  return true;
}

bool WriteRoom::TakeRoom() {
  if (!was_full_ || awaits_end_ || count_ > kStreamBuffer / 2 || full()) return false;
  was_full_ = false;
  return true;
}

bool WriteRoom::TakeEnd() {
  if (!awaits_end_ || !empty()) return false;
  awaits_end_ = false;
  was_full_ = false;
  return true;
}

void WriteRoom::SetReady(Callback callback) {
  Waiting<> ready(std::move(callback));
  MutexLock lock(ready_mutex_);
  std::swap(on_ready_, ready);
}

void WriteRoom::PostReady() {
  Waiting<> ready;
  {
    MutexLock lock(ready_mutex_);
    std::swap(on_ready_, ready);
  }
  if (ready) ready.Post();
}

}  // namespace mainspring::rpc
