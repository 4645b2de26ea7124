// PushConfigure: asks a component whether it takes a section, or gives it.
#ifndef MAINSPRING_PUSH_CONFIGURE_H_
#define MAINSPRING_PUSH_CONFIGURE_H_

#include <cstdint>
#include <utility>

#include "mainspring/answer.h"
#include "mainspring/blocking.h"
#include "mainspring/control_request.h"
#include "mainspring/mailbox_base.h"
#include "mainspring/reply.h"

namespace mainspring {

// The answer of the instance of that generation, which takes it on its own thread.
// INVALID_ARGUMENT: it is refused, with what Validate says, and nothing has changed;
// RESOURCE_EXHAUSTED: the same, for want of room. UNAVAILABLE:
// there is no such instance, or it goes. ABORTED: it failed, or ended itself, in Apply.
// FAILED_PRECONDITION: its class is not Configurable. DEADLINE_EXCEEDED: it has not come to it by
// then; it may yet. Any thread.
inline Answer<Configured> PushConfigure(MailboxBase& mailbox, uint64_t generation, Section section,
                                        bool apply, SteadyTime deadline = kNever) {
  SharedPtr<LocalCall<Configured>> call(
      new LocalCall<Configured>(CallOptions{.deadline = deadline}, "Configure"));
  Reply<Configured> reply(call.get());
  mailbox.PushControl(control::Configure{generation, std::move(section), apply, std::move(reply)});
  return Answer<Configured>(std::move(call));
}

}  // namespace mainspring

#endif  // MAINSPRING_PUSH_CONFIGURE_H_
