// ComponentThread: one component, running: its mailbox, and the thread that turns its control loop.
#ifndef MAINSPRING_COMPONENT_THREAD_H_
#define MAINSPRING_COMPONENT_THREAD_H_

#include <memory>

#include "absl/status/statusor.h"
#include "mainspring/control_loop.h"
#include "mainspring/thread.h"

namespace mainspring {

class ComponentThread {
 public:
  // Starts the thread; the component itself is started by a StartRequest in its mailbox. All that
  // is given must outlive the thread. Errors as Thread::Start.
  static absl::StatusOr<std::unique_ptr<ComponentThread>> Start(
      std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory, const TimeSource& time,
      const Directory& directory, LifecycleObserver& observer);

  // Ends the thread, and with it an instance that was not stopped. Blocks until the method that
  // the component is in returns.
  ~ComponentThread();

  MailboxBase& mailbox() { return *mailbox_; }

 private:
  explicit ComponentThread(std::shared_ptr<MailboxBase> mailbox) : mailbox_(std::move(mailbox)) {}

  const std::shared_ptr<MailboxBase> mailbox_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace mainspring

#endif  // MAINSPRING_COMPONENT_THREAD_H_
