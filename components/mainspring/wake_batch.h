// WakeBatch: lets a thread that pushes many calls in a row wake each component once, afterwards,
// and not with the first call: waking costs more than pushing, and a woken thread takes the
// processor from the one that pushes.
#ifndef MAINSPRING_WAKE_BATCH_H_
#define MAINSPRING_WAKE_BATCH_H_

#include <vector>

namespace mainspring {

class MailboxBase;

// While it stands, what its thread pushes wakes nobody until Flush, which must come before the
// thread waits for anything. One thread only; one batch a thread. The mailboxes must outlive it.
class WakeBatch {
 public:
  WakeBatch();
  // Flushes.
  ~WakeBatch();
  WakeBatch(const WakeBatch&) = delete;
  WakeBatch& operator=(const WakeBatch&) = delete;

  void Flush();

  // For mailboxes: takes over waking `mailbox`'s thread. False where no batch stands.
  static bool Defer(MailboxBase& mailbox);

 private:
  std::vector<MailboxBase*> asleep_;
};

}  // namespace mainspring

#endif  // MAINSPRING_WAKE_BATCH_H_
