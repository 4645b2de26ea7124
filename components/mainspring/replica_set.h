// ReplicaSet: components of the same class, called as one. A call goes to the one that has the
// least to do, of those that serve; several with as little take turns. It keeps no queue of its
// own: what it passes on waits in the mailbox of the one that it chose, and where that one takes no
// more, closed or full, the next is asked before anything is refused.
//
// It knows mailboxes, and nothing of threads, supervisors or names in a configuration.
#ifndef MAINSPRING_REPLICA_SET_H_
#define MAINSPRING_REPLICA_SET_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/inbox.h"
#include "mainspring/mailbox.h"
#include "mainspring/mutex.h"

namespace mainspring {

// One whose request enums are not known here. Any thread.
class AnyReplicaSet : public Addressee {
 public:
  // What it is called: each replica has a name of its own besides.
  explicit AnyReplicaSet(std::string name) : name_(std::move(name)) {}

  const std::string& component() const override { return name_; }

  // All mailboxes are of the same request enums, those of the ReplicaSet.
  void Add(std::shared_ptr<MailboxBase> mailbox);
  void Remove(const MailboxBase& mailbox);
  bool empty() const;

 protected:
  // The one to ask next; null: all are among `asked`.
  std::shared_ptr<MailboxBase> Next(const std::vector<const MailboxBase*>& asked);
  // For a call that nobody was asked for.
  absl::Status NobodyThere() const;

 private:
  const std::string name_;
  mutable Mutex mutex_;
  std::vector<std::shared_ptr<MailboxBase>> mailboxes_ ABSL_GUARDED_BY(mutex_);
  size_t turn_ ABSL_GUARDED_BY(mutex_) = 0;  // where the search begins
};

template <class... Enums>
class ReplicaSet final : public AnyReplicaSet, public InboxOf<ReplicaSet<Enums...>, Enums>... {
 public:
  using AnyReplicaSet::AnyReplicaSet;

  const std::string& component() const override { return AnyReplicaSet::component(); }

  // As Mailbox's: false where it was answered, because no replica takes it.
  template <class Call>
  requires(!std::is_lvalue_reference_v<Call>) bool Push(Call&& call) {
    std::vector<const MailboxBase*> asked;
    std::shared_ptr<MailboxBase> first;
    while (std::shared_ptr<MailboxBase> next = Next(asked)) {
      if (static_cast<Mailbox<Enums...>&>(*next).TryPush(call).ok()) return true;
      asked.push_back(next.get());
      if (first == nullptr) first = std::move(next);
    }
    if (const auto taken = PassOn<Enums...>(call); taken.has_value()) return *taken;
    // The one that would have been the best says why not.
    if (first != nullptr)
      return static_cast<Mailbox<Enums...>&>(*first).Push(std::forward<Call>(call));
    Refuse(call, NobodyThere());
    return false;
  }
};

// The replica set of components by their Request: a request enum, or Several.
template <class Request>
struct ReplicaSetOf {
  using Type = ReplicaSet<Request>;
};
template <class... Enums>
struct ReplicaSetOf<Several<Enums...>> {
  using Type = ReplicaSet<Enums...>;
};

}  // namespace mainspring

#endif  // MAINSPRING_REPLICA_SET_H_
