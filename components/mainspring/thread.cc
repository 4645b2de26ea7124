#include "mainspring/thread.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace mainspring {

absl::StatusOr<std::unique_ptr<Thread>> Thread::Start(const std::string& name,
                                                      std::function<void()> body) {
  std::unique_ptr<Thread> thread(new Thread(std::move(body)));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  // Blocked by the creator, so that the thread never runs with them unblocked.
  sigset_t all, before;
  sigfillset(&all);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&all, fault);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const int error = pthread_create(&thread->thread_, &attributes, &Thread::Run, thread.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("thread \"", name, "\": cannot start: ", strerror(error)));
  }
  thread->started_ = true;
  pthread_setname_np(thread->thread_, name.substr(0, 15).c_str());
  return thread;
}

Thread::~Thread() {
  if (started_) pthread_join(thread_, nullptr);
}

absl::Duration Thread::cpu_time() const {
  clockid_t clock;
  timespec time;
  if (!started_ || pthread_getcpuclockid(thread_, &clock) != 0 ||
      clock_gettime(clock, &time) != 0) {
    return absl::ZeroDuration();
  }
  return absl::DurationFromTimespec(time);
}

void* Thread::Run(void* self) {
  auto* thread = static_cast<Thread*>(self);
  thread->id_.store(gettid(), std::memory_order_relaxed);
  thread->body_();
  return nullptr;
}

}  // namespace mainspring
