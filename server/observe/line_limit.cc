#include "mainspring/server/observe/line_limit.h"

namespace mainspring {
namespace {

constexpr char kOthers[] = "others";

bool IsOver(SteadyTime since, SteadyTime now) { return Between(since, now) >= LineLimit::kPeriod; }

}  // namespace

LineLimit::Kind& LineLimit::Find(absl::string_view name, SteadyTime now) {
  std::string key(name);
  if (kinds_.size() >= kMostKinds && kinds_.count(key) == 0) {
    std::erase_if(kinds_, [now](const auto& each) {
      return each.second.withheld == 0 && IsOver(each.second.since, now);
    });
    if (kinds_.size() >= kMostKinds) key = kOthers;
  }
  return kinds_.try_emplace(std::move(key), Kind{now}).first->second;
}

bool LineLimit::Take(absl::string_view name, SteadyTime now) {
  Kind& kind = Find(name, now);
  // A period that withheld something ends when that was told.
  if (kind.withheld == 0 && IsOver(kind.since, now)) kind = Kind{now};
  if (kind.written < kLines) {
    ++kind.written;
    return true;
  }
  if (kind.withheld++ == 0) ++owes_;
  return false;
}

std::vector<std::pair<std::string, uint64_t>> LineLimit::Withheld(SteadyTime now) {
  std::vector<std::pair<std::string, uint64_t>> told;
  for (auto each = kinds_.begin(); owes_ != 0 && each != kinds_.end();) {
    const Kind& kind = each->second;
    if (kind.withheld == 0 || !IsOver(kind.since, now)) {
      ++each;
      continue;
    }
    told.emplace_back(each->first, kind.withheld);
    --owes_;
    each = kinds_.erase(each);
  }
  return told;
}

}  // namespace mainspring
