#include "mainspring/server/reconfigure/turns.h"

#include <utility>

namespace mainspring {
namespace {

constexpr size_t kMostWaiting = 100;

}  // namespace

Answer<Nothing> Turns::Take() {
  SharedPtr<LocalCall<Nothing>> call(new LocalCall<Nothing>(CallOptions(), "Turn"));
  Reply<Nothing> reply(call.get());
  if (waiting_.size() >= kMostWaiting) {
    reply.Fail(absl::ResourceExhaustedError("too many changes wait for each other"));
  } else if (std::exchange(taken_, true)) {
    waiting_.push_back(std::move(reply));
  } else {
    reply.Send(Nothing());
  }
  return Answer<Nothing>(std::move(call));
}

void Turns::Give() {
  taken_ = false;
  while (!waiting_.empty()) {
    Reply<Nothing> next = std::move(waiting_.front());
    waiting_.pop_front();
    const bool is_there = !next.cancelled();
    next.Send(Nothing());
    if (!is_there) continue;
    taken_ = true;
    return;
  }
}

}  // namespace mainspring
