#include "mainspring/local_call.h"

#include <cstdint>

namespace mainspring {

WaitingRoom& WaitingRoom::Of(const void* call) {
  // Never destroyed: threads may wait until the process ends.
  static constexpr size_t kRooms = 16;
  static auto* const rooms = new WaitingRoom[kRooms];
  // Calls are aligned to more than their lowest bits.
  return rooms[(reinterpret_cast<uintptr_t>(call) >> 7) % kRooms];
}

}  // namespace mainspring
