#include "mainspring/server/systemd/service_notifier.h"

#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "mainspring/steady_time.h"

namespace mainspring {
namespace {

// How often the status is looked at.
constexpr absl::Duration kTick = absl::Seconds(1);
// However short the watchdog's patience is: nobody could feed it any faster.
constexpr absl::Duration kLeastTick = absl::Milliseconds(1);
// What one extension of the time to stop is good for: many ticks, so that a busy machine does not
// get a host killed that is draining.
constexpr absl::Duration kExtension = absl::Seconds(15);

}  // namespace

absl::Status TakePassedSockets(std::vector<PassedSocket>& sockets) {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(/*unset_environment=*/1, &names);
  if (count < 0) {
    return absl::InternalError(absl::StrCat(
        "sockets passed by the service manager: ",
        count == -EBADF ? "$LISTEN_FDS counts descriptors from 3 on that are not all open"
                        : "$LISTEN_FDS or $LISTEN_PID is no such number",
        ": ", strerror(-count), "; unset both where none is passed"));
  }
  for (int i = 0; i < count; ++i) {
    sockets.push_back({SD_LISTEN_FDS_START + i, names[i]});
    std::free(names[i]);
  }
  std::free(names);
  return absl::OkStatus();
}

absl::Status ServiceNotifier::Start(std::function<View()> look) {
  {
    MutexLock lock(mutex_);
    look_ = std::move(look);
  }
  if (!sender_.is_open()) return absl::OkStatus();
  uint64_t microseconds = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &microseconds) > 0) {
    watchdog_ = absl::Microseconds(static_cast<int64_t>(
        std::min<uint64_t>(microseconds, std::numeric_limits<int64_t>::max())));
  }
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start("notify", [this] { Run(); });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void ServiceNotifier::End() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    look_ = nullptr;
    changed_.NotifyAll();
  }
  thread_.reset();
}

void ServiceNotifier::Ready() {
  MutexLock lock(mutex_);
  if (phase_ == Phase::kReady || phase_ == Phase::kStopping) return;
  phase_ = Phase::kReady;
  Tell("READY=1\n");
}

bool ServiceNotifier::Reloading() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  MutexLock lock(mutex_);
  if (phase_ != Phase::kReady || !owed_.empty()) return false;
  phase_ = Phase::kReloading;
  Tell(absl::StrCat("RELOADING=1\nMONOTONIC_USEC=",
                    absl::ToInt64Microseconds(absl::DurationFromTimespec(now)), "\n"));
  return true;
}

void ServiceNotifier::Stopping() {
  MutexLock lock(mutex_);
  phase_ = Phase::kStopping;
  Tell("STOPPING=1\n");
}

void ServiceNotifier::Tell(const std::string& change) {
  owed_ += change;
  const std::string lines = owed_ + Lines();
  if (lines.empty() || sender_.Send(lines)) {
    owed_.clear();
  } else {
    told_.clear();
  }
}

std::string ServiceNotifier::Lines() {
  if (look_ == nullptr || phase_ == Phase::kReloading) return "";
  const View view = look_();
  std::string lines;
  if (view.status != told_) {
    told_ = view.status;
    absl::StrAppend(&lines, "STATUS=", absl::StrReplaceAll(told_, {{"\n", " "}}), "\n");
  }
  if (view.alive && watchdog_ != absl::InfiniteDuration()) absl::StrAppend(&lines, "WATCHDOG=1\n");
  if (phase_ == Phase::kStarting || phase_ == Phase::kStopping) {
    absl::StrAppend(&lines, "EXTEND_TIMEOUT_USEC=", absl::ToInt64Microseconds(kExtension), "\n");
  }
  return lines;
}

void ServiceNotifier::Run() {
  // sd_watchdog_enabled(3): at half of the time that is given; a third leaves room for one that
  // comes late.
  const absl::Duration tick = std::clamp(watchdog_ / 3, kLeastTick, kTick);
  MutexLock lock(mutex_);
  while (!ending_) {
    Tell("");
    changed_.WaitUntil(mutex_, After(std::chrono::steady_clock::now(), tick));
  }
}

}  // namespace mainspring
