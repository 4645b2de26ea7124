#include "mainspring/answer_state.h"

#include <cstdint>
#include <thread>

#include "mainspring/mutex.h"

namespace mainspring {
namespace {

constexpr int kYields = 32;

// Where plain threads wait; a few for the whole process, shared by address, since most answers are
// never waited for.
struct WaitingRoom {
  Mutex mutex;
  CondVar changed;
};

WaitingRoom& RoomOf(const AnswerState* state) {
  // Never destroyed: threads may wait until the process ends.
  static constexpr size_t kRooms = 16;
  static auto* const rooms = new WaitingRoom[kRooms];
  // What holds them is aligned to more than their lowest bits.
  return rooms[(reinterpret_cast<uintptr_t>(state) >> 7) % kRooms];
}

}  // namespace

bool AnswerState::Await(SteadyTime deadline) {
  // An answer is often a few microseconds away, which is less than it takes to sleep and wake.
  for (int i = 0; i < kYields && !over(); ++i) std::this_thread::yield();
  Phase expected = Phase::kPending;
  if (!phase_.compare_exchange_strong(expected, Phase::kAwaited, std::memory_order_acq_rel)) {
    return true;
  }
  WaitingRoom& room = RoomOf(this);
  MutexLock lock(room.mutex);
  while (!over()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    room.changed.WaitUntil(room.mutex, deadline);
  }
  return true;
}

void AnswerState::WakeThread() {
  WaitingRoom& room = RoomOf(this);
  MutexLock lock(room.mutex);
  room.changed.NotifyAll();
}

}  // namespace mainspring
