// What mailboxes and threads know of calls, whatever they ask.
//
// A call is one request plus the right to answer it. The generated call structs come in four
// shapes, which the concepts below name:
//   unary          request   reply        client stream   requests   reply
//   server stream  request   replies      dialog          requests   replies
#ifndef MAINSPRING_CALL_H_
#define MAINSPRING_CALL_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "mainspring/call_context.h"

namespace mainspring {

// A copy that shares nothing with `status`: for a status that one thread keeps and others are
// given. Copies of an absl::Status share a counter, which many threads would contend for, and which
// ThreadSanitizer cannot see into where abseil was built without it.
absl::Status OwnCopy(const absl::Status& status);

// The status of a call whose right to answer was dropped: INTERNAL. While an exception unwinds it
// says that the component failed, and names the request id under which the log tells why.
absl::Status DroppedStatus();

// The same for a reply: where nothing explains the drop and somebody waits, it is a misuse.
absl::Status DroppedReplyStatus(const CallContext& call);

// What the caller of a call that the component failed in is told: INTERNAL, with that id.
absl::Status FailedStatus();

// While it stands, what the calling thread drops is answered with `why`, which must outlive it;
// nests.
class DropScope {
 public:
  explicit DropScope(const absl::Status& why);
  ~DropScope();
  DropScope(const DropScope&) = delete;
  DropScope& operator=(const DropScope&) = delete;

 private:
  const absl::Status* const outer_;
};

// For Reply and the like: the program has done something wrong with a call of `method`. Told in the
// log, once, where the thread is a component's.
void ReportMisuse(absl::string_view what, absl::string_view method);

// The answer of `call`, null where it was given, gets a header or trailer: false, and reported,
// where it cannot be sent, or not any more.
bool AddHeaderTo(CallContext* call, absl::string_view key, absl::string_view value,
                 absl::string_view method);
bool AddTrailerTo(CallContext* call, absl::string_view key, absl::string_view value,
                  absl::string_view method);

// The id of the request that the calling thread is dispatching; empty outside of one. The log and
// the caller's status show the same one.
std::string CurrentRequestId();

// Stands around the dispatch of one request.
class DispatchScope {
 public:
  DispatchScope();
  ~DispatchScope();
  DispatchScope(const DispatchScope&) = delete;
  DispatchScope& operator=(const DispatchScope&) = delete;
};

// clang-format 14 does not know constraints.
// clang-format off
template <class Call>
concept HasRequest = requires(Call& call) { call.request; };
template <class Call>
concept HasReply = requires(Call& call) { call.reply; };
template <class Call>
concept UnaryCall = HasRequest<Call> && HasReply<Call>;
template <class Call>
concept ServerStreamCall = HasRequest<Call> && !HasReply<Call>;
template <class Call>
concept ClientStreamCall = !HasRequest<Call> && HasReply<Call>;
template <class Call>
concept DialogCall = !HasRequest<Call> && !HasReply<Call>;

// The message types of a call struct.
template <class Call>
struct CallTypes;
template <HasRequest Call>
  requires HasReply<Call>
struct CallTypes<Call> {
  using Request = decltype(Call::request);
  using Response = typename decltype(Call::reply)::Message;
};
template <HasRequest Call>
  requires(!HasReply<Call>)
struct CallTypes<Call> {
  using Request = decltype(Call::request);
  using Response = typename decltype(Call::replies)::Message;
};
template <class Call>
  requires(!HasRequest<Call> && HasReply<Call>)
struct CallTypes<Call> {
  using Request = typename decltype(Call::requests)::Message;
  using Response = typename decltype(Call::reply)::Message;
};
template <class Call>
  requires(!HasRequest<Call> && !HasReply<Call>)
struct CallTypes<Call> {
  using Request = typename decltype(Call::requests)::Message;
  using Response = typename decltype(Call::replies)::Message;
};
// clang-format on

// The circumstances of a call struct's call.
template <class Call>
const CallContext& ContextOf(const Call& call) {
  if constexpr (HasReply<Call>) {
    return call.reply.context();
  } else {
    return call.replies.context();
  }
}

// Answers a call struct's call with an error, whatever its shape.
template <class Call>
void Refuse(Call& call, absl::Status status) {
  if constexpr (HasReply<Call>) {
    call.reply.Fail(std::move(status));
  } else {
    call.replies.Finish(std::move(status));
  }
}

}  // namespace mainspring

#endif  // MAINSPRING_CALL_H_
