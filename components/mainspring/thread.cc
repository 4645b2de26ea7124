#include "mainspring/thread.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

// Of linux/prctl.h, newer than Debian 12's.
constexpr int kFutexHash = 78;
constexpr unsigned long kSetSlots = 1;
constexpr unsigned long kGetSlots = 2;
// 64 MiB.
constexpr size_t kMostSlots = size_t{1} << 20;

}  // namespace

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

void Thread::Expect(size_t threads) {
  const unsigned long slots = std::bit_ceil(std::min(threads, kMostSlots));
  const int now = prctl(kFutexHash, kGetSlots, 0, 0, 0);
  // Below zero: it does not know. Zero: the whole machine's table is in use, and stays so; or this
  // process has one thread yet, and no table.
  if (now < 0 || static_cast<unsigned long>(now) >= slots) return;
  prctl(kFutexHash, kSetSlots, slots, 0, 0);
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
