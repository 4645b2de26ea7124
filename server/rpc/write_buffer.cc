#include "mainspring/server/rpc/write_buffer.h"

namespace mainspring::rpc {

bool WriteBuffer::HasRoom() {
  was_full_ |= full();
  return !full();
}

void WriteBuffer::Push(Payload payload) {
  bytes_ += payload.size();
  payloads_.push_back(std::move(payload));
}

std::optional<Payload> WriteBuffer::Pop() {
  if (empty()) return std::nullopt;
  std::optional<Payload> payload = std::move(payloads_.front());
  payloads_.pop_front();
  bytes_ -= payload->size();
  return payload;
}

void WriteBuffer::Clear() {
  payloads_.clear();
  bytes_ = 0;
}

bool WriteBuffer::TakeRoom() {
  if (!was_full_ || awaits_end_ || payloads_.size() > kStreamBuffer / 2 || full()) return false;
  was_full_ = false;
  return true;
}

bool WriteBuffer::TakeEnd() {
  if (!awaits_end_ || !empty()) return false;
  awaits_end_ = false;
  was_full_ = false;
  return true;
}

void WriteBuffer::SetReady(Callback callback) {
  Waiting<> ready(std::move(callback));
  MutexLock lock(ready_mutex_);
  std::swap(on_ready_, ready);
}

void WriteBuffer::PostReady() {
  Waiting<> ready;
  {
    MutexLock lock(ready_mutex_);
    std::swap(on_ready_, ready);
  }
  if (ready) ready.Post();
}

}  // namespace mainspring::rpc
