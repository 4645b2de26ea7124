// DrainReport: what a drain did, phase by phase, and how the process ends for it.
#ifndef MAINSPRING_SERVER_DRAIN_DRAIN_REPORT_H_
#define MAINSPRING_SERVER_DRAIN_DRAIN_REPORT_H_

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "mainspring/lifecycle/v1/lifecycle.pb.h"
#include "mainspring/mutex.h"
#include "mainspring/server/supervisor/stop_report.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// From sysexits.h.
inline constexpr int kExitClean = 0;        // nothing was cut
inline constexpr int kExitUsage = 64;       // EX_USAGE: a flag, or what it says
inline constexpr int kExitNotStarted = 69;  // EX_UNAVAILABLE: a component did not start
inline constexpr int kExitForced = 70;      // EX_SOFTWARE: the exit guard had to act
inline constexpr int kExitFailed = 71;      // EX_OSERR: an essential component was given up on
inline constexpr int kExitNoAddress = 74;   // EX_IOERR: an address cannot be bound
inline constexpr int kExitCut = 75;         // EX_TEMPFAIL: calls were cut
inline constexpr int kExitConfig = 78;      // EX_CONFIG: the configuration file

enum class DrainPhase { kLameDuck, kClose, kFinish, kStop, kOver };

// "lame_duck" and so on.
const char* Name(DrainPhase phase);

lifecycle::v1::DrainProgress::Phase ToProto(DrainPhase phase);

// Written by the thread that drains, read by it and by the exit guard. Any thread.
class DrainReport {
 public:
  // A phase begins, and with it the one before ends.
  void Enter(DrainPhase phase, SteadyTime now);
  void AddCut(size_t calls);
  void AddStuck(const std::vector<StuckComponent>& stuck);

  // The phase, and since when; nothing before the first.
  std::optional<std::pair<DrainPhase, SteadyTime>> phase() const;
  bool anything_cut() const;
  bool anything_stuck() const;
  // "trial in Stop, other in a timer".
  std::string WhoIsStuck() const;

  // One line of JSON: the code, the trigger, what each phase took, how many calls were cut, and who
  // hung.
  std::string ExitLine(int code, const std::string& trigger, SteadyTime now) const;

 private:
  static constexpr size_t kPhases = static_cast<size_t>(DrainPhase::kOver);

  mutable Mutex mutex_;
  DrainPhase phase_ ABSL_GUARDED_BY(mutex_) = DrainPhase::kLameDuck;
  bool entered_ ABSL_GUARDED_BY(mutex_) = false;
  std::array<SteadyTime, kPhases + 1> began_ ABSL_GUARDED_BY(mutex_) = {};
  size_t cut_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<StuckComponent> stuck_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_DRAIN_DRAIN_REPORT_H_
