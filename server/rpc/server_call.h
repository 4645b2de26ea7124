// ServerCall: one call that came over gRPC and is not done yet, as its ingress sees it.
#ifndef MAINSPRING_SERVER_RPC_SERVER_CALL_H_
#define MAINSPRING_SERVER_RPC_SERVER_CALL_H_

#include "absl/status/status.h"
#include "mainspring/server/rpc/places.h"
#include "mainspring/steady_time.h"

namespace mainspring::rpc {

class CallList;

// Ingress thread only. The list that it hangs in is the ingress's.
class ServerCall {
 public:
  // Ends the call with `status` if it answers with a stream, or asks with one that has not ended;
  // else does nothing.
  virtual void EndStream(const absl::Status& status) = 0;

  // Ends the call with `status`, now, whoever holds the right to answer it. False where it was
  // answered already.
  virtual bool Cut(const absl::Status& status) = 0;

  // The call was answered, and nobody takes the answer: ends it, whatever becomes of that.
  virtual void GiveUp() = 0;

 protected:
  ServerCall() = default;
  ~ServerCall() = default;

 private:
  friend class CallList;
  friend class Ingress;
  CallList* list_ = nullptr;
  ServerCall* before_ = nullptr;
  ServerCall* after_ = nullptr;
  Places::Place place_;
  SteadyTime answered_at_ = kNever;
  bool counted_cut_ = false;
};

// A list that costs no allocation; the oldest call comes first.
class CallList {
 public:
  void Add(ServerCall& call) {
    call.list_ = this;
    call.before_ = last_;
    call.after_ = nullptr;
    (last_ == nullptr ? first_ : last_->after_) = &call;
    last_ = &call;
  }

  void Remove(ServerCall& call) {
    (call.before_ == nullptr ? first_ : call.before_->after_) = call.after_;
    (call.after_ == nullptr ? last_ : call.after_->before_) = call.before_;
    call.list_ = nullptr;
  }

  // Null: it is empty.
  ServerCall* first() const { return first_; }

  // `visit` may remove the call that it is given, and no other.
  template <class Visit>
  void ForEach(Visit visit) {
    for (ServerCall *call = first_, *next; call != nullptr; call = next) {
      next = call->after_;
      visit(*call);
    }
  }

 private:
  ServerCall* first_ = nullptr;
  ServerCall* last_ = nullptr;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_SERVER_CALL_H_
