// ServerCall: one call that came over gRPC and is not done yet, as its ingress sees it.
#ifndef MAINSPRING_SERVER_RPC_SERVER_CALL_H_
#define MAINSPRING_SERVER_RPC_SERVER_CALL_H_

#include "absl/status/status.h"

namespace mainspring::rpc {

// Ingress thread only. The list that it hangs in is the ingress's.
class ServerCall {
 public:
  // Ends the call with `status` if it answers with a stream; else does nothing.
  virtual void EndStream(const absl::Status& status) = 0;

  // Ends the call with `status`, now, whoever holds the right to answer it. False where it was
  // answered already.
  virtual bool Cut(const absl::Status& status) = 0;

 protected:
  ServerCall() = default;
  ~ServerCall() = default;

 private:
  friend class CallList;
  ServerCall* before_ = nullptr;
  ServerCall* after_ = nullptr;
};

// A list that costs no allocation; the oldest call comes first.
class CallList {
 public:
  void Add(ServerCall& call) {
    call.before_ = last_;
    call.after_ = nullptr;
    (last_ == nullptr ? first_ : last_->after_) = &call;
    last_ = &call;
  }

  void Remove(ServerCall& call) {
    (call.before_ == nullptr ? first_ : call.before_->after_) = call.after_;
    (call.after_ == nullptr ? last_ : call.after_->before_) = call.before_;
  }

  // `visit` must not remove calls: operations that it starts end in later events.
  template <class Visit>
  void ForEach(Visit visit) {
    for (ServerCall* call = first_; call != nullptr; call = call->after_) visit(*call);
  }

 private:
  ServerCall* first_ = nullptr;
  ServerCall* last_ = nullptr;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_SERVER_CALL_H_
