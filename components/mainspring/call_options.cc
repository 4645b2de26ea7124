#include "mainspring/call_options.h"

#include <algorithm>
#include <utility>

namespace mainspring {
namespace {

// W3C Trace Context and Baggage.
constexpr const char* kTraceKeys[] = {"traceparent", "tracestate", "baggage"};

}  // namespace

std::vector<Metadatum> CallOptions::EffectiveMetadata() const {
  std::vector<Metadatum> all;
  for (const Metadatum& each : metadata) {
    if (IsSendable(each.first, each.second)) all.push_back(each);
  }
  if (!from) return all;
  const auto add = [&](absl::string_view key) {
    // The caller's own comes first: a span of its own, for one.
    if (std::any_of(all.begin(), all.end(), [&](const auto& each) { return each.first == key; })) {
      return;
    }
    for (std::string& value : from->MetadataValues(key)) {
      if (IsSendable(key, value)) all.emplace_back(key, std::move(value));
    }
  };
  for (const char* key : kTraceKeys) add(key);
  for (const absl::string_view key : forward) add(key);
  return all;
}

}  // namespace mainspring
