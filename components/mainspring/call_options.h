// CallOptions: how to make a call, in process or to elsewhere.
#ifndef MAINSPRING_CALL_OPTIONS_H_
#define MAINSPRING_CALL_OPTIONS_H_

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "mainspring/call_context.h"
#include "mainspring/metadata.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// The call on whose behalf another is made: {.from = reply.context()}, which must not be answered
// yet when the other is made.
class CallOrigin {
 public:
  // None.
  CallOrigin() = default;
  CallOrigin(const CallContext& context)  // NOLINT(google-explicit-constructor): for .from
      : context_(&context == &CallContext::None() ? nullptr : &context) {}
  // The caller himself, whom a test plays: who is asked sees his peer and authority too.
  static CallOrigin Himself(const CallContext& caller) {
    CallOrigin origin(caller);
    origin.himself_ = true;
    return origin;
  }
  bool himself() const { return himself_; }

  explicit operator bool() const { return context_ != nullptr; }
  const CallContext* operator->() const { return context_; }
  const CallContext& operator*() const { return *context_; }

 private:
  const CallContext* context_ = nullptr;
  bool himself_ = false;
};

// All that it refers to is looked at while the call is made, and not after. In a coroutine that
// must have a name of its own: const Metadatum key[] = {{"x-tenant", "a"}}; co_await
// orders.Get(request, {.metadata = key}).
struct CallOptions {
  // The call is not dispatched after it. A component that waits for it then, for the answer or for
  // a stream's next message or room, gets DEADLINE_EXCEEDED, or the end of a stream with that
  // status, and who was asked sees that its caller has gone. A plain thread says itself how long it
  // waits, in Await and AwaitNext.
  SteadyTime deadline = kNever;
  // The call goes no longer than that one: its deadline holds for both, and it is cancelled with
  // it. It has its trace context and, in process, its principal.
  CallOrigin from = {};
  // What else of that call's metadata goes along, by lower-case keys.
  absl::Span<const absl::string_view> forward = {};
  // Goes along; what cannot be sent (see IsSendable) is left out.
  absl::Span<const Metadatum> metadata = {};

  // The earlier of both deadlines.
  SteadyTime EffectiveDeadline() const {
    return from ? std::min(deadline, from->deadline()) : deadline;
  }
  // All that goes along: `metadata`, and of `from` its trace context and what `forward` names.
  std::vector<Metadatum> EffectiveMetadata() const;
};

// g++ 12 copies an aggregate that stands in a co_await expression bit by bit, and destroys it twice
// (gcc.gnu.org/bugzilla, 99576 and others), so this one owns nothing.
static_assert(std::is_trivially_copyable_v<CallOptions>);

}  // namespace mainspring

#endif  // MAINSPRING_CALL_OPTIONS_H_
