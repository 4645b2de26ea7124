#include "mainspring/server/drain/drain_report.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mainspring {

const char* Name(DrainPhase phase) {
  switch (phase) {
    case DrainPhase::kLameDuck:
      return "lame_duck";
    case DrainPhase::kClose:
      return "close";
    case DrainPhase::kFinish:
      return "finish";
    case DrainPhase::kStop:
      return "stop";
    case DrainPhase::kOver:
      return "over";
  }
  return "unknown";
}

lifecycle::v1::DrainProgress::Phase ToProto(DrainPhase phase) {
  using Proto = lifecycle::v1::DrainProgress;
  switch (phase) {
    case DrainPhase::kLameDuck:
      return Proto::LAME_DUCK;
    case DrainPhase::kClose:
      return Proto::CLOSE;
    case DrainPhase::kFinish:
      return Proto::FINISH;
    case DrainPhase::kStop:
      return Proto::STOP;
    case DrainPhase::kOver:
      return Proto::OVER;
  }
  return Proto::PHASE_UNSPECIFIED;
}

void DrainReport::Enter(DrainPhase phase, SteadyTime now) {
  MutexLock lock(mutex_);
  // A phase that was skipped took no time.
  const size_t first = std::exchange(entered_, true) ? static_cast<size_t>(phase_) + 1 : 0;
  for (size_t i = first; i <= kPhases; ++i) began_[i] = now;
  phase_ = phase;
}

void DrainReport::AddCut(size_t calls) {
  MutexLock lock(mutex_);
  cut_ += calls;
}

void DrainReport::AddStuck(const std::vector<StuckComponent>& stuck) {
  MutexLock lock(mutex_);
  stuck_.insert(stuck_.end(), stuck.begin(), stuck.end());
}

std::optional<std::pair<DrainPhase, SteadyTime>> DrainReport::phase() const {
  MutexLock lock(mutex_);
  if (!entered_) return std::nullopt;
  return std::pair(phase_, began_[static_cast<size_t>(phase_)]);
}

bool DrainReport::anything_cut() const {
  MutexLock lock(mutex_);
  return cut_ != 0;
}

bool DrainReport::anything_stuck() const {
  MutexLock lock(mutex_);
  return !stuck_.empty();
}

std::string DrainReport::WhoIsStuck() const {
  MutexLock lock(mutex_);
  return absl::StrJoin(stuck_, ", ", [](std::string* out, const StuckComponent& each) {
    absl::StrAppend(out, each.component, " in ", each.method);
  });
}

std::string DrainReport::ExitLine(int code, const std::string& trigger, SteadyTime now) const {
  MutexLock lock(mutex_);
  nlohmann::ordered_json line = {{"event", "exit"}, {"code", code}, {"trigger", trigger}};
  for (size_t i = 0; i < kPhases; ++i) {
    const bool is_last = entered_ && i == static_cast<size_t>(phase_);
    line[std::string(Name(static_cast<DrainPhase>(i))) + "_ms"] =
        absl::ToInt64Milliseconds(Between(began_[i], is_last ? now : began_[i + 1]));
  }
  line["total_ms"] = absl::ToInt64Milliseconds(Between(began_[0], entered_ ? now : began_[0]));
  line["cut_calls"] = cut_;
  line["hung"] = nlohmann::ordered_json::array();
  for (const StuckComponent& stuck : stuck_) {
    line["hung"].push_back({{"component", stuck.component},
                            {"method", stuck.method},
                            {"age_ms", absl::ToInt64Milliseconds(stuck.age)}});
  }
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace mainspring
