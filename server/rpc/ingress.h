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

// It is a callback queue too: servicers, which answer on its thread, read and write streams as
// components do.
class Ingress final : public CallbackQueue, public std::enable_shared_from_this<Ingress> {
 public:
  Ingress(std::unique_ptr<grpc::ServerCompletionQueue> queue, size_t max_calls);
  // Stop must have been called, if Start was.
  ~Ingress() override;

  // RESOURCE_EXHAUSTED: the system gives no more threads.
  absl::Status Start(const std::string& name);
  // After the server was shut down: takes what is left in the queue, then ends the thread. Blocks.
  void Stop();

  grpc::ServerCompletionQueue& queue() { return *queue_; }

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

  // Ingress thread only.
  void Add(ServerCall& call) {
    calls_.Add(call);
    calls_in_flight_.fetch_add(1, std::memory_order_relaxed);
  }
  void Remove(ServerCall& call) {
    calls_.Remove(call);
    calls_in_flight_.fetch_sub(1, std::memory_order_release);
  }
  CallList& calls() { return calls_; }
  // From here on a new call that answers with a stream is refused so.
  void RefuseStreams(absl::Status status) { refuse_streams_ = std::move(status); }
  const absl::Status& refuse_streams() const { return refuse_streams_; }

 private:
  void Run();
  bool Next(WakeBatch& wakes);
  void RunCallbacks();
  void Woken(bool ok);

  static thread_local const Ingress* current_;

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  const size_t max_calls_;
  std::unique_ptr<Thread> thread_;

  std::atomic<size_t> calls_in_flight_{0};
  std::atomic<uint64_t> events_{0};
  std::atomic<bool> has_callbacks_{false};

  Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool wake_set_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Callback> callbacks_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Alarm> wake_ ABSL_GUARDED_BY(mutex_);
  MemberTag<Ingress, &Ingress::Woken> wake_tag_{this};

  // Ingress thread only.
  int events_in_a_row_ = 0;
  CallList calls_;
  absl::Status refuse_streams_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_INGRESS_H_
