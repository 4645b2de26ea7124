#include "mainspring/caller_side.h"

#include <utility>

namespace mainspring {

std::vector<std::string> CallerSide::MetadataValues(absl::string_view key) const {
  std::vector<std::string> values;
  for (Metadatum& each : AllMetadata()) {
    if (each.first == key) values.push_back(std::move(each.second));
  }
  return values;
}

CallerSide& CallerSide::Silent() {
  struct Nobody final : CallerSide {};
  // Never destroyed: calls may be asked until the process ends.
  static auto* const nobody = new Nobody;
  return *nobody;
}

}  // namespace mainspring
