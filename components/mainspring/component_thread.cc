#include "mainspring/component_thread.h"

#include <utility>

namespace mainspring {

absl::StatusOr<std::unique_ptr<ComponentThread>> ComponentThread::Start(
    std::shared_ptr<MailboxBase> mailbox, ComponentFactory factory,
    const Surroundings& surroundings, LifecycleObserver& observer) {
  std::unique_ptr<ComponentThread> component(new ComponentThread(mailbox));
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start(
      mailbox->component(), [mailbox, factory = std::move(factory), surroundings, &observer] {
        ControlLoop loop(mailbox, factory, surroundings, observer);
        while (loop.RunReady()) loop.Wait();
      });
  if (!thread.ok()) return thread.status();
  component->thread_ = *std::move(thread);
  return component;
}

ComponentThread::~ComponentThread() { mailbox_->PushControl(control::Quit{}); }

}  // namespace mainspring
