#include "mainspring/local_call.h"

#include <cstdint>

namespace mainspring {

std::unique_ptr<LocalOrigin> OriginOf(const CallOptions& options) {
  auto origin = std::make_unique<LocalOrigin>();
  if (options.from) origin->principal = options.from->Principal();
  if (options.from.himself()) {
    origin->peer = options.from->Peer();
    origin->authority = options.from->Authority();
  }
  origin->metadata = options.EffectiveMetadata();
  const bool has_any =
      options.from.himself() || !origin->principal.empty() || !origin->metadata.empty();
  return has_any ? std::move(origin) : nullptr;
}

WaitingRoom& WaitingRoom::Of(const void* call) {
  // Never destroyed: threads may wait until the process ends.
  static constexpr size_t kRooms = 16;
  static auto* const rooms = new WaitingRoom[kRooms];
  // Calls are aligned to more than their lowest bits.
  return rooms[(reinterpret_cast<uintptr_t>(call) >> 7) % kRooms];
}

}  // namespace mainspring
