// CallContext: what every call has besides its request: deadline, cancellation, who called, and
// with what metadata.
#ifndef MAINSPRING_CALL_CONTEXT_H_
#define MAINSPRING_CALL_CONTEXT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "mainspring/caller_side.h"
#include "mainspring/metadata.h"
#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"
#include "mainspring/waiting.h"

namespace mainspring {

class CallFamily;

// The circumstances of one call. It lives as long as the Reply or ReplyStream that shows it. Any
// thread, unless a method says otherwise.
class CallContext {
 public:
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;

  // When the caller stops waiting; kNever where it did not say.
  SteadyTime deadline() const { return deadline_; }

  // Whether the caller has gone, also because its deadline has passed: nobody will see the answer.
  // Once true, it stays true.
  bool cancelled() const { return hook_.load(std::memory_order_acquire) == &kCancelled; }

  // Runs `callback` on the calling thread, later, if the caller goes before it is answered; at
  // once put in line where it has gone already. A second callback replaces the first. Component
  // thread only.
  void OnCancel(Callback callback);

  // What was called: "/mainspring.clock.v1.Clock/GetTime".
  absl::string_view method() const { return method_; }

  // Where the caller is, as gRPC writes it: "ipv4:127.0.0.1:4711", "unix:"; in process: "process".
  // May be "unknown" once the caller has gone.
  std::string Peer() const { return caller_->Peer(); }
  // Who the caller has proved to be; empty where the connection proves nothing. It and the metadata
  // are empty as well once the caller has gone.
  std::string Principal() const { return caller_->Principal(); }
  // The host that the caller meant to call, HTTP/2's :authority; in process: empty.
  std::string Authority() const { return caller_->Authority(); }
  // All of the call's metadata, in no order but that of the values of one key.
  std::vector<Metadatum> AllMetadata() const { return caller_->AllMetadata(); }
  // The values under that lower-case key.
  std::vector<std::string> MetadataValues(absl::string_view key) const {
    return caller_->MetadataValues(key);
  }
  // The first of them; empty where there is none.
  std::string Metadata(absl::string_view key) const;
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

  // For Reply and ReplyStream.

  // The call is answered.
  void CountAnswer() const {
    std::atomic<uint64_t>* const counter = counted_in_.exchange(nullptr, std::memory_order_seq_cst);
    if (counter != nullptr) counter->fetch_add(1, std::memory_order_release);
  }
  // Adds to the answer's metadata what can be sent (see IsSendable). False: the headers, or the
  // trailers, were sent already.
  bool AddHeader(Metadatum header) { return caller_->AddHeader(std::move(header)); }
  bool AddTrailer(Metadatum trailer) { return caller_->AddTrailer(std::move(trailer)); }

  // For what carries the call.

  // Before the call is handed on; again, where the object is used for another call. `method` and
  // `caller` must outlive it.
  void BeginCall(SteadyTime deadline, const char* method = "",
                 CallerSide& caller = CallerSide::Silent()) {
    deadline_ = deadline;
    method_ = method;
    caller_ = &caller;
    counted_in_.store(nullptr, std::memory_order_relaxed);
    Forget();
  }
  // The caller has gone.
  void MarkCancelled() { Tell(TakeCancelled()); }
  // The call was answered: nobody needs to hear that the caller went.
  void ForgetCancel();
  // This call is made on behalf of another, and cancelled with it. Before it is handed on.
  void JoinFamilyOf(const CallContext& origin);

 protected:
  CallContext() = default;
  ~CallContext() { Forget(); }

 private:
  friend class CallFamily;

  // What to do when the caller goes.
  using Hook = Waiting<>;
  static Hook kCancelled;

  // Marks it, and its family; what is to be told is told once no lock is held.
  std::vector<std::unique_ptr<Hook>> TakeCancelled();
  static void Tell(std::vector<std::unique_ptr<Hook>> hooks);
  // Of what was known of another call, most calls have nothing.
  void Forget() {
    if (hook_.load(std::memory_order_relaxed) != nullptr) DropHook();
    if (joined_ != nullptr || family_.load(std::memory_order_relaxed) != nullptr) LeaveFamilies();
  }
  void DropHook();
  CallFamily& Family() const;
  void LeaveFamilies();

  SteadyTime deadline_ = kNever;
  const char* method_ = "";
  CallerSide* caller_ = &CallerSide::Silent();
  mutable std::atomic<std::atomic<uint64_t>*> counted_in_{nullptr};
  // Null, a hook that is owned, or &kCancelled. Most calls never have a hook, so they pay for a
  // pointer.
  std::atomic<Hook*> hook_{nullptr};
  // Of the calls that were made on behalf of this one; null: none. Held.
  mutable std::atomic<CallFamily*> family_{nullptr};
  CallFamily* joined_ = nullptr;  // the one of the call on whose behalf this is; held
};

}  // namespace mainspring

#endif  // MAINSPRING_CALL_CONTEXT_H_
