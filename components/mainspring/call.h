// What every call has besides its request: deadline, cancellation, and who called.
//
// A call is one request plus the right to answer it. The generated call structs come in four
// shapes, which the concepts below name:
//   unary          request   reply        client stream   requests   reply
//   server stream  request   replies      dialog          requests   replies
#ifndef MAINSPRING_CALL_H_
#define MAINSPRING_CALL_H_

#include <atomic>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"
#include "mainspring/waiting.h"

namespace mainspring {

// The circumstances of one call. It lives as long as the Reply or ReplyStream that shows it. Any
// thread, unless a method says otherwise.
class CallContext {
 public:
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;

  // When the caller stops waiting; kNever where it did not say.
  SteadyTime deadline() const { return deadline_; }

  // Whether the caller has gone: nobody will see the answer. Once true, it stays true.
  bool cancelled() const { return hook_.load(std::memory_order_acquire) == &kCancelled; }

  // Runs `callback` on the calling thread, later, if the caller goes before it is answered; at
  // once put in line where it has gone already. A second callback replaces the first. Component
  // thread only.
  void OnCancel(Callback callback);

  // Where the caller is, as gRPC writes it: "ipv4:127.0.0.1:4711", "unix:"; in process: "process".
  // May be "unknown" once the caller has gone.
  virtual std::string Peer() const { return "process"; }
  // Who the caller has proved to be; empty where the connection proves nothing. It and the metadata
  // are empty as well once the caller has gone.
  virtual std::string Principal() const { return ""; }
  // The call's metadata under that lower-case key, the first of several; empty where there is none.
  virtual std::string Metadata(absl::string_view) const { return ""; }
  // The W3C trace context that came with the call.
  std::string TraceParent() const { return Metadata("traceparent"); }

  // What a Reply or ReplyStream shows that has no call, or none any more: no deadline, nobody who
  // waits, nobody who called.
  static const CallContext& None();

  // For mailboxes, which count the calls that they have handed on: `answered` goes up once, when
  // this call is answered or its caller has gone, and must outlive it.
  void CountAnswerIn(std::atomic<uint64_t>& answered) const {
    counted_in_.store(&answered, std::memory_order_seq_cst);
    // It may have gone just now. Sequentially consistent, as in MarkCancelled: each of the two
    // writes what the other reads, and one of them must see the other.
    if (hook_.load(std::memory_order_seq_cst) == &kCancelled) CountAnswer();
  }
  // For Reply and ReplyStream: the call is answered.
  void CountAnswer() const {
    std::atomic<uint64_t>* const counter = counted_in_.exchange(nullptr, std::memory_order_seq_cst);
    if (counter != nullptr) counter->fetch_add(1, std::memory_order_release);
  }

 protected:
  CallContext() = default;
  ~CallContext() { SetHook(nullptr); }

  // Before the call is handed on; again, where the object is used for another call.
  void BeginCall(SteadyTime deadline);
  // The caller has gone.
  void MarkCancelled();
  // The call was answered: nobody needs to hear that the caller went.
  void ForgetCancel();

 private:
  // What to do when the caller goes.
  using Hook = Waiting<>;
  static Hook kCancelled;

  // Destroys the hook that was there.
  void SetHook(Hook* hook);

  SteadyTime deadline_ = kNever;
  mutable std::atomic<std::atomic<uint64_t>*> counted_in_{nullptr};
  // Null, a hook that is owned, or &kCancelled. Most calls never have a hook, so they pay for a
  // pointer.
  std::atomic<Hook*> hook_{nullptr};
};

// A copy that shares nothing with `status`: for a status that one thread keeps and others are
// given. Copies of an absl::Status share a counter, which many threads would contend for, and which
// ThreadSanitizer cannot see into where abseil was built without it.
absl::Status OwnCopy(const absl::Status& status);

// The status of a call whose right to answer was dropped: INTERNAL. While an exception unwinds it
// says that the component failed, and names the request id under which the log tells why.
absl::Status DroppedStatus();

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
