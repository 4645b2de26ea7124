// ArmLastExit: the process ends after a while, whatever its threads hang in by then, by a signal
// handler that does nothing but end it. For who ends a process by force, and would still like to
// say why: saying it may hang too.
#ifndef MAINSPRING_SERVER_WORLD_LAST_EXIT_H_
#define MAINSPRING_SERVER_WORLD_LAST_EXIT_H_

#include "absl/time/time.h"

namespace mainspring {

// _exit(code) on the calling thread once `delay` has passed, also while it is blocked; another call
// takes the place of the one before. An infinite delay disarms it. Takes over SIGALRM and the
// process's real-time interval timer, see setitimer(2); neither allocates nor locks. The calling
// thread must live until then.
void ArmLastExit(absl::Duration delay, int code);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_WORLD_LAST_EXIT_H_
