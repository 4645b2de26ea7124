// StreamCall: a call that comes over gRPC and has a stream in it, of requests, of answers, or both
// ways.
#ifndef MAINSPRING_SERVER_RPC_STREAM_CALL_H_
#define MAINSPRING_SERVER_RPC_STREAM_CALL_H_

#include <grpcpp/support/status.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "mainspring/mutex.h"
#include "mainspring/return_address.h"
#include "mainspring/server/rpc/grpc_context.h"
#include "mainspring/server/rpc/payload.h"
#include "mainspring/server/rpc/rpc.h"
#include "mainspring/server/rpc/server_call.h"
#include "mainspring/server/rpc/tag.h"
#include "mainspring/server/rpc/typed_call.h"
#include "mainspring/server/rpc/write_buffer.h"
#include "mainspring/shared.h"

namespace mainspring::rpc {

// Held by the ingress, while gRPC's operations are under way, and by each handle that the component
// got; the last one deletes it.
//
// The component's side leaves what it wants, under the lock, and has the ingress come round for
// it: gRPC is called on the ingress thread alone. Answers are serialised on the thread that gives
// them.
class StreamCall final : public Shared<StreamCall>, public ServerCall, public Carrier {
 public:
  explicit StreamCall(Rpc& rpc);

  // Waits for the next call to this rpc.
  void Arm();

  // ServerCall.
  void EndStream(const absl::Status& status) override;
  bool Cut(const absl::Status& status) override;
  void GiveUp() override { grpc_->TryCancel(); }

  // Carrier.
  void Answer(const google::protobuf::MessageLite& response) override;
  void End(const absl::Status& status) override;
  WriteResult Write(const google::protobuf::MessageLite& response) override;
  void OnReady(Callback callback) override;
  void OnSent(Callback callback) override;
  bool WantRequest() override;
  void FetchRequest() override { CallIngress(); }
  void RequestGiven(bool more) override;
  void ReleaseRequests() override { Unref(); }

 private:
  void Arrived(bool ok);
  void Wrote(bool ok);
  void WasRead(bool ok);
  void GiveRequest(const absl::Status& status, bool more);
  void Finished(bool ok);
  void Done(bool ok);
  void OperationCame();
  void Break();
  void Abandon();
  void ComeRound();
  void CallIngress();
  void LetGo();
  bool StartWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartFinish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The end comes after what was accepted before. False where it was decided already.
  bool SetEnd(const absl::Status& status);
  // The same, with OK; where true, the caller puts the answer in place under the same lock.
  bool BeginEnd() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !std::exchange(ending_, true); }
  // Whether an answer may be written still.
  bool takes_writes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !ending_ && !broken_; }

  Rpc& rpc_;
  Ingress& ingress_;
  const std::unique_ptr<TypedCall> typed_;
  CallContext& context_;
  GrpcContext grpc_;
  Mutex mutex_;

  // Ingress thread only.
  std::optional<AsyncStream> stream_{&grpc_.Begin()};
  Payload request_;
  int operations_ = 2;  // Done and Finished, and the read and the write that are under way
  bool read_in_flight_ = false;
  bool finish_started_ = false;
  bool wanted_ = false;           // by its client, when the end was sent
  bool ended_by_design_ = false;  // by EndStream

  // Written by the ingress thread alone, which needs no lock to read it.
  bool write_in_flight_ = false;
  WriteBuffer writes_;  // guarded by mutex_, but for what says otherwise
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  Payload response_ ABSL_GUARDED_BY(mutex_);           // of a call with one answer
  bool round_posted_ ABSL_GUARDED_BY(mutex_) = false;  // the ingress is on its way
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool requests_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool wants_read_ ABSL_GUARDED_BY(mutex_) = false;

  MemberTag<StreamCall, &StreamCall::Arrived> arrived_tag_{this};
  MemberTag<StreamCall, &StreamCall::Wrote> wrote_tag_{this};
  MemberTag<StreamCall, &StreamCall::WasRead> read_tag_{this};
  MemberTag<StreamCall, &StreamCall::Finished> finished_tag_{this};
  MemberTag<StreamCall, &StreamCall::Done> done_tag_{this};
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_STREAM_CALL_H_
