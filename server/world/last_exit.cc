#include "mainspring/server/world/last_exit.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>

namespace mainspring {
namespace {

volatile sig_atomic_t exit_code = 0;

void EndProcess(int) { _exit(exit_code); }

}  // namespace

void ArmLastExit(absl::Duration delay, int code) {
  itimerval timer = {};
  if (delay != absl::InfiniteDuration()) {
    exit_code = code;
    struct sigaction action = {};
    action.sa_handler = &EndProcess;
    sigaction(SIGALRM, &action, nullptr);
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
    // Zero would disarm it, and a year is long enough.
    timer.it_value =
        absl::ToTimeval(std::clamp(delay, absl::Microseconds(1), absl::Hours(24) * 365));
  }
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace mainspring
