#include "mainspring/local_call.h"

#include "absl/strings/str_cat.h"

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

absl::Status DeadlinePassed(absl::string_view method) {
  return absl::DeadlineExceededError(absl::StrCat(method, ": no answer came by its deadline"));
}

}  // namespace mainspring
