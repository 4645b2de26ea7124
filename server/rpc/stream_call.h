// StreamCall: a call that comes over gRPC and has a stream in it, of requests, of answers, or both
// ways; all of it that is the same whatever the messages are.
#ifndef MAINSPRING_SERVER_RPC_STREAM_CALL_H_
#define MAINSPRING_SERVER_RPC_STREAM_CALL_H_

#include <grpcpp/support/status.h>

#include <utility>

#include "absl/status/status.h"
#include "mainspring/mutex.h"
#include "mainspring/return_address.h"
#include "mainspring/server/rpc/call_context.h"
#include "mainspring/server/rpc/ingress.h"
#include "mainspring/server/rpc/server_call.h"
#include "mainspring/server/rpc/tag.h"
#include "mainspring/server/rpc/write_buffer.h"
#include "mainspring/shared.h"

namespace mainspring::rpc {

// Held by the ingress, while gRPC's operations are under way, and by each handle that the component
// got; the last one deletes it.
//
// The component's side leaves what it wants, under the lock, and has the ingress come round for
// it: gRPC is called on the ingress thread alone. What knows the messages is StreamServerCall,
// which derives from it.
class StreamCall : public Shared<StreamCall>, public ServerCall {
 public:
  virtual ~StreamCall() = default;

  // ServerCall.
  void EndStream(const absl::Status& status) final;
  bool Cut(const absl::Status& status) final;
  void GiveUp() final { context_->TryCancel(); }

  // For the handle that answers. Any thread.

  GrpcContext& grpc_context() { return context_; }
  void WhenReady(Callback callback);
  void WhenSent(Callback callback);
  // The end; the handle is done with the call.
  void EndWith(const absl::Status& status) {
    SetEnd(status);
    LetGo();
  }

 protected:
  template <class Request>
  friend class RequestSide;

  // Of a call that is answered once and not many times, all that is streamed are its requests.
  enum class Answers { kOne, kMany };

  StreamCall(Ingress& ingress, Answers answers) : ingress_(ingress), answers_(answers) {}

  // For the handles of the component. Any thread.

  // Whether an answer may be written still.
  bool takes_writes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !ending_ && !broken_; }
  // The end comes after what was accepted before. False where it was decided already.
  bool SetEnd(const absl::Status& status);
  // The same, with OK; where true, the caller puts the answer in place under the same lock.
  bool BeginEnd() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !std::exchange(ending_, true); }
  // The answering handle is done with it.
  void LetGo();
  // The reading handle wants the next request; false: there will be none.
  bool WantRead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return wants_read_ = takes_writes() && !requests_ended_;
  }
  // A read is over: the read that was asked for last gets what came, and no other is wanted.
  void EndRead(bool ok) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    wants_read_ = false;
    requests_ended_ = !ok;
  }
  // Has the ingress come round.
  void CallIngress();

  // What gRPC is given with an operation, and gives back when it is done.
  Tag* done_tag() { return &done_tag_; }
  Tag* wrote_tag() { return &wrote_tag_; }
  Tag* read_tag() { return &read_tag_; }
  Tag* finished_tag() { return &finished_tag_; }

  // What only the typed part can do. Ingress thread only, but for room.

  // That of the messages that wait to be written.
  virtual WriteRoom& room() = 0;
  virtual void StartRead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) = 0;
  // Writes the next message; false: none waits.
  virtual bool StartWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) = 0;
  virtual void StartFinish(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) = 0;
  virtual void DropWrites() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) = 0;
  // A request has come, or, where not `ok`, the end of them: EndRead, and whoever waits gets it.
  virtual void GiveRequest(bool ok) = 0;
  // gRPC has no more to do with the call.
  virtual void DropStream() = 0;
  // See CallContext.
  virtual void MarkCallerGone() = 0;
  virtual void ForgetCaller() = 0;
  virtual bool caller_gone() const = 0;

  GrpcContext context_;
  Mutex mutex_;

 private:
  void Wrote(bool ok);
  void WasRead(bool ok);
  void Finished(bool ok);
  void Done(bool ok);
  void OperationCame();
  void Break();
  void Abandon();
  void ComeRound();

  Ingress& ingress_;
  const Answers answers_;

  // Ingress thread only.
  int operations_ = 2;  // Done and Finished, and the read and the write that are under way
  bool read_in_flight_ = false;
  bool finish_started_ = false;
  bool wanted_ = false;  // by its client, when the end was sent

  // Written by the ingress thread alone, which needs no lock to read it.
  bool write_in_flight_ = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  bool round_posted_ ABSL_GUARDED_BY(mutex_) = false;  // the ingress is on its way
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool requests_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool wants_read_ ABSL_GUARDED_BY(mutex_) = false;

  MemberTag<StreamCall, &StreamCall::Wrote> wrote_tag_{this};
  MemberTag<StreamCall, &StreamCall::WasRead> read_tag_{this};
  MemberTag<StreamCall, &StreamCall::Finished> finished_tag_{this};
  MemberTag<StreamCall, &StreamCall::Done> done_tag_{this};
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_STREAM_CALL_H_
