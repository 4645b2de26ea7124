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
#include "mainspring/steady_time.h"
#include "mainspring/thread.h"
#include "server/rpc/server_call.h"
#include "server/rpc/tag.h"

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
  Ingress(std::unique_ptr<grpc::ServerCompletionQueue> queue, size_t max_calls,
          std::shared_ptr<Ingress> leader);
  // Stop must have been called, if Start was.
  ~Ingress() override;

  // `has_connections` says whether the plane has any; it is asked now and then by a follower.
  // RESOURCE_EXHAUSTED: the system gives no more threads.
  absl::Status Start(const std::string& name, std::function<bool()> has_connections);
  // The plane has a new connection. Any thread.
  void ConnectionCame();
  // After the server was shut down: takes every event that is in the queue by now, then asks gRPC
  // for no more calls. Blocks. While it runs, and not on its own thread.
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

  // Any thread; `instance` is not looked at. After Stop the callback is destroyed and not run.
  void Post(uint64_t instance, Callback callback) override;

  // Calls that came and are not done. Any thread.
  size_t calls_in_flight() const { return calls_in_flight_.load(std::memory_order_relaxed); }
  // Whether one more call would be one too many. Any thread.
  bool full() const { return calls_in_flight() > max_calls_; }
  // Events taken so far: a thread that makes progress counts on. Any thread.
  uint64_t events() const { return events_.load(std::memory_order_relaxed); }
  // Since when its thread has been at one event and what came of it, give or take the few
  // milliseconds of a coarse clock; kNever while it waits for the next. Any thread.
  SteadyTime busy_since() const { return busy_since_.load(std::memory_order_relaxed); }

  // Ingress thread only.
  void Add(ServerCall& call) {
    calls_.Add(call);
    calls_in_flight_.fetch_add(1, std::memory_order_relaxed);
  }
  void Remove(ServerCall& call) {
    calls_.Remove(call);
    if (calls_in_flight_.fetch_sub(1, std::memory_order_release) == 1) NoCalls();
  }
  CallList& calls() { return calls_; }
  // From here on a new call that answers with a stream is refused so.
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
  bool follows() const { return leader_ != nullptr && leader_->running_.load(); }
  void Nap();
  void NoCalls();
  void RunCallbacks();
  void Woken(bool ok);

  static thread_local const Ingress* current_;

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  const size_t max_calls_;
  const std::shared_ptr<Ingress> leader_;
  std::function<bool()> has_connections_;
  std::unique_ptr<Thread> thread_;

  std::atomic<size_t> calls_in_flight_{0};
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
  bool requests_ended_ = false;
  CallList calls_;
  absl::Status refuse_streams_;
  absl::Status refuse_calls_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_INGRESS_H_
