// Ingress: a plane's completion queue, and the one thread that takes events from it. That thread
// never runs a component's code and never blocks: it hands calls to mailboxes, and sends on what
// comes back.
#ifndef MAINSPRING_SERVER_RPC_INGRESS_H_
#define MAINSPRING_SERVER_RPC_INGRESS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/mutex.h"
#include "mainspring/return_address.h"
#include "mainspring/server/rpc/places.h"
#include "mainspring/server/rpc/plane_limits.h"
#include "mainspring/server/rpc/server_call.h"
#include "mainspring/server/rpc/tag.h"
#include "mainspring/steady_time.h"
#include "mainspring/thread.h"

namespace grpc {
class Alarm;
class ServerCompletionQueue;
}  // namespace grpc

namespace mainspring {
class WakeBatch;
}

namespace mainspring::rpc {

// gRPC has one epoll set for the whole process: whichever thread waits in it takes the events of
// every plane, and where several wait, they hand it on to each other with each event, which costs
// a third of the throughput. So one ingress leads and waits there; the others follow: they look at
// their queue every few milliseconds while their plane has a connection, and sleep while it has
// none. When the leader has ended, followers wait for events themselves.
//
// It is a callback queue too: servicers, which answer on its thread, read and write streams as
// components do.
class Ingress final : public CallbackQueue, public std::enable_shared_from_this<Ingress> {
 public:
  // Follows `leader`, or leads where that is null.
  Ingress(std::unique_ptr<grpc::ServerCompletionQueue> queue, const PlaneLimits& limits,
          std::shared_ptr<Ingress> leader);
  // Stop must have been called, if Start was.
  ~Ingress() override;

  // `has_connections` says whether the plane has any; it is asked now and then by a follower.
  // `sweep` is run a few times a second while it has, on the ingress thread.
  // RESOURCE_EXHAUSTED: the system gives no more threads.
  absl::Status Start(
      const std::string& name, std::function<bool()> has_connections,
      std::function<void(SteadyTime now)> sweep = [](SteadyTime) {});
  // The plane has a new connection. Any thread.
  void ConnectionCame();
  // Runs `step` on its thread, when every event has been taken that was in the queue before. Blocks
  // until then. While it runs, and not on its own thread.
  void RunBehindEvents(const std::function<void()>& step);
  // After the server was shut down, likewise: takes what is there, then asks gRPC for no more
  // calls.
  void EndRequests();
  // Blocks until no call is in flight. Not on the ingress thread.
  void AwaitNoCalls();
  // After the server was shut down: takes what is left in the queue, then ends the thread. Blocks.
  void Stop();

  grpc::ServerCompletionQueue& queue() { return *queue_; }

  // Whether its thread runs. Any thread.
  bool running() const { return running_.load(); }
  // Whether the calling thread is the ingress's own. Any thread.
  bool is_current() const { return current_ == this; }

  // Any thread; `generation` is not looked at. After Stop the callback is destroyed and not run.
  void Post(uint64_t generation, Callback callback) override;

  // Calls that came and are not done. Any thread.
  size_t calls_in_flight() const { return calls_in_flight_.load(std::memory_order_relaxed); }
  // Calls that came in time and that the ingress's end has cost their answer, and calls that it has
  // refused. Any thread.
  size_t cut_calls() const { return cut_calls_.load(std::memory_order_relaxed); }
  size_t refused_calls() const { return refused_calls_.load(std::memory_order_relaxed); }
  // Calls that gRPC has handed over. Any thread.
  uint64_t calls_come() const { return calls_come_.load(std::memory_order_relaxed); }
  // Events taken so far: a thread that makes progress counts on. Any thread.
  uint64_t events() const { return events_.load(std::memory_order_relaxed); }
  // Since when its thread has been at an event, or a few in a row, and what came of it, give or
  // take the few milliseconds of a coarse clock; kNever while it waits for the next. Any thread.
  SteadyTime busy_since() const { return busy_since_.load(std::memory_order_relaxed); }

  // Ingress thread only.

  // A call has come through that connection, to a service that has places reserved or not. It is
  // in flight until it is removed, whether it is let in or not.
  // RESOURCE_EXHAUSTED: one too many; the text says of what.
  absl::Status Add(ServerCall& call, const std::string& connection = "", bool reserved = false);
  // Its answer is on its way: the client has the time to take it that the limits tell.
  void Answered(ServerCall& call);
  void Remove(ServerCall& call);
  // Whether a call of that connection is in flight, or was a moment ago.
  bool IsUsed(const std::string& connection) const {
    return places_.Knows(connection) || reserved_.Knows(connection);
  }
  // See CallList. Each once, also where the visit answers it.
  template <class Visit>
  void ForEachCall(Visit visit) {
    for (CallList* list : {&given_up_, &answered_, &calls_}) list->ForEach(visit);
  }
  // Each call counts once.
  void CountCut(ServerCall& call) {
    if (!std::exchange(call.counted_cut_, true)) cut_calls_.fetch_add(1, std::memory_order_relaxed);
  }
  void CountRefused(ServerCall& call) {
    if (!std::exchange(call.counted_cut_, true)) {
      refused_calls_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  // Whether it has begun to end: streams are refused.
  bool closing() const { return !refuse_streams_.ok() || !refuse_calls_.ok(); }
  // From here on a new call with a stream in it is refused so.
  void RefuseStreams(absl::Status status) { refuse_streams_ = std::move(status); }
  const absl::Status& refuse_streams() const { return refuse_streams_; }
  // Whether gRPC may be asked for calls.
  bool requests_ended() const { return requests_ended_; }
  // From here on every new call is refused so.
  void RefuseCalls(absl::Status status) { refuse_calls_ = std::move(status); }
  const absl::Status& refuse_calls() const { return refuse_calls_; }

 private:
  void Run();
  bool Next(WakeBatch& wakes);
  void BeBusy();
  void Tick(SteadyTime now);
  bool follows() const { return leader_ != nullptr && leader_->running_.load(); }
  void Nap();
  void NoCalls();
  void RunCallbacks();
  void Woken(bool) { woken_ = true; }

  static thread_local const Ingress* current_;

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  const absl::Duration answer_timeout_;
  const absl::Duration tick_;
  const std::shared_ptr<Ingress> leader_;
  std::function<bool()> has_connections_;
  std::function<void(SteadyTime now)> sweep_;
  std::unique_ptr<Thread> thread_;

  std::atomic<size_t> calls_in_flight_{0};
  std::atomic<uint64_t> calls_come_{0};
  std::atomic<size_t> cut_calls_{0};
  std::atomic<size_t> refused_calls_{0};
  std::atomic<uint64_t> events_{0};
  std::atomic<SteadyTime> busy_since_{kNever};
  std::atomic<bool> has_callbacks_{false};
  std::atomic<bool> running_{false};

  Mutex mutex_;
  CondVar changed_;
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;
  bool napping_ ABSL_GUARDED_BY(mutex_) = false;
  bool awaits_no_calls_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::weak_ptr<Ingress>> followers_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool wake_set_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Callback> callbacks_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Alarm> wake_ ABSL_GUARDED_BY(mutex_);
  MemberTag<Ingress, &Ingress::Woken> wake_tag_{this};

  // Ingress thread only.
  int events_in_a_row_ = 0;
  int naps_ = 0;
  bool was_idle_ = false;
  bool woken_ = false;  // by the alarm, which can be set again
  bool requests_ended_ = false;
  SteadyTime next_tick_ = SteadyTime::min();
  CallList calls_;     // not answered
  CallList answered_;  // by the time of that
  CallList given_up_;
  Places places_;
  Places reserved_;
  absl::Status refuse_streams_;
  absl::Status refuse_calls_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_INGRESS_H_
