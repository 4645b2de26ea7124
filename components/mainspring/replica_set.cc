#include "mainspring/replica_set.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "mainspring/status_details.h"

namespace mainspring {

void AnyReplicaSet::Add(std::shared_ptr<MailboxBase> mailbox) {
  MutexLock lock(mutex_);
  mailboxes_.push_back(std::move(mailbox));
}

void AnyReplicaSet::Remove(const MailboxBase& mailbox) {
  MutexLock lock(mutex_);
  std::erase_if(mailboxes_, [&](const auto& each) { return each.get() == &mailbox; });
}

bool AnyReplicaSet::empty() const {
  MutexLock lock(mutex_);
  return mailboxes_.empty();
}

std::shared_ptr<MailboxBase> AnyReplicaSet::Next(const std::vector<const MailboxBase*>& asked) {
  MutexLock lock(mutex_);
  const size_t size = mailboxes_.size();
  const MailboxBase* const* const end = asked.data() + asked.size();
  // First those that serve; the first of those with as little to do.
  std::shared_ptr<MailboxBase> best;
  std::pair<bool, uint64_t> least;
  size_t place = 0;
  for (size_t i = 0; i < size; ++i) {
    const size_t at = (turn_ + i) % size;
    const std::shared_ptr<MailboxBase>& each = mailboxes_[at];
    if (std::find(asked.data(), end, each.get()) != end) continue;
    const std::pair<bool, uint64_t> has(!each->serves(), each->load());
    if (best != nullptr && has >= least) continue;
    best = each;
    least = has;
    place = at;
  }
  if (best != nullptr) turn_ = place + 1;
  return best;
}

absl::Status AnyReplicaSet::NobodyThere() const {
  return WithReason(
      absl::UnavailableError(absl::StrCat("component \"", name_, "\": has no replica now")),
      "COMPONENT_DOWN", name_, kRetryWhenDown);
}

}  // namespace mainspring
