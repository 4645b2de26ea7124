// CallFamily: the calls that were made on behalf of one call, which are cancelled with it.
#ifndef MAINSPRING_CALL_FAMILY_H_
#define MAINSPRING_CALL_FAMILY_H_

#include <memory>
#include <unordered_set>
#include <vector>

#include "mainspring/call_context.h"
#include "mainspring/mutex.h"
#include "mainspring/shared.h"

namespace mainspring {

// Held by the call and by each that joined; the last one deletes it. Any thread.
class CallFamily : public Shared<CallFamily> {
 public:
  // `call` is cancelled when the family is, at once where it was; until it leaves.
  void Join(CallContext& call);
  // When it returns, nobody cancels `call` for this family any more.
  void Leave(CallContext& call);
  // Adds to `hooks` what is to be told then, without a lock held: whom it reaches may leave.
  void Cancel(std::vector<std::unique_ptr<CallContext::Hook>>& hooks);

 private:
  // Held while a member is cancelled, so that it cannot go meanwhile. A member's own family is
  // locked inside of it: families are a tree.
  Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::unordered_set<CallContext*> members_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mainspring

#endif  // MAINSPRING_CALL_FAMILY_H_
