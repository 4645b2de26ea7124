#include "mainspring/wake_batch.h"

#include "mainspring/mailbox.h"

namespace mainspring {
namespace {

thread_local WakeBatch* current_batch = nullptr;

}  // namespace

WakeBatch::WakeBatch() { current_batch = this; }

WakeBatch::~WakeBatch() {
  Flush();
  current_batch = nullptr;
}

void WakeBatch::Flush() {
  for (MailboxBase* mailbox : asleep_) mailbox->WakeNow();
  asleep_.clear();
}

bool WakeBatch::Defer(MailboxBase& mailbox) {
  if (current_batch == nullptr) return false;
  current_batch->asleep_.push_back(&mailbox);
  return true;
}

}  // namespace mainspring
