// ComponentThread: one component, running: its mailbox, and the thread that turns its control loop.
#ifndef MAINSPRING_COMPONENT_THREAD_H_
#define MAINSPRING_COMPONENT_THREAD_H_

#include <memory>

#include "absl/status/statusor.h"
#include "mainspring/control_loop.h"
#include "mainspring/runner.h"
#include "mainspring/thread.h"

namespace mainspring {

class ComponentThread final : public Runner {
 public:
  // Starts the thread; the component itself is started by a control::Start in its mailbox. All that
  // is given must outlive the thread. Errors as Thread::Start.
  static absl::StatusOr<std::unique_ptr<ComponentThread>> Start(
      std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
      const Surroundings& surroundings, LifecycleObserver& observer);

  // Ends the thread, and with it an instance that was not stopped. Blocks until the method that
  // the component is in returns.
  ~ComponentThread() override;

  int thread_id() const override { return thread_->id(); }
  absl::Duration cpu_time() const override { return thread_->cpu_time(); }

 private:
  explicit ComponentThread(std::shared_ptr<MailboxBase> mailbox) : mailbox_(std::move(mailbox)) {}

  const std::shared_ptr<MailboxBase> mailbox_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace mainspring

#endif  // MAINSPRING_COMPONENT_THREAD_H_
