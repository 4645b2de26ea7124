#include "server/rpc/ingress.h"

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/synchronization/notification.h"
#include "mainspring/wake_batch.h"

namespace mainspring::rpc {

namespace {

constexpr int kEventsInARow = 64;
// How long a follower does not see an event that came.
constexpr std::chrono::milliseconds kNap(2);
// About a second.
constexpr int kNapsBetweenCounts = 500;

}  // namespace

thread_local const Ingress* Ingress::current_ = nullptr;

Ingress::Ingress(std::unique_ptr<grpc::ServerCompletionQueue> queue, size_t max_calls,
                 std::shared_ptr<Ingress> leader)
    : queue_(std::move(queue)),
      max_calls_(max_calls),
      leader_(std::move(leader)),
      wake_(std::make_unique<grpc::Alarm>()) {}

Ingress::~Ingress() = default;

absl::Status Ingress::Start(const std::string& name, std::function<bool()> has_connections) {
  has_connections_ = std::move(has_connections);
  running_.store(true);
  if (leader_ != nullptr) {
    MutexLock lock(leader_->mutex_);
    leader_->followers_.push_back(weak_from_this());
  }
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start(name, [this] { Run(); });
  if (!thread.ok()) {
    running_.store(false);
    return thread.status();
  }
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void Ingress::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.reset();
  }
  changed_.NotifyAll();
  queue_->Shutdown();
  if (thread_ == nullptr) {
    // gRPC wants every queue taken empty, even one that nothing was ever put into.
    void* tag;
    bool ok;
    while (queue_->Next(&tag, &ok)) static_cast<Tag*>(tag)->Proceed(false);
  }
  thread_.reset();
}

void Ingress::Post(uint64_t, Callback callback) {
  MutexLock lock(mutex_);
  if (ended_) return;
  callbacks_.push_back(std::move(callback));
  has_callbacks_.store(true, std::memory_order_release);
  if (napping_) return changed_.NotifyAll();
  // Without an alarm it is run by the thread when it has taken its queue empty.
  if (stopping_ || is_current() || std::exchange(wake_set_, true)) return;
  wake_->Set(queue_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &wake_tag_);
}

void Ingress::Run() {
  const ReturnAddress address(shared_from_this(), 0);
  ReturnAddressScope scope(address);
  current_ = this;
  {
    WakeBatch wakes;
    while (Next(wakes)) {
    }
  }
  RunCallbacks();
  ReleaseAll();
  running_.store(false);
  std::vector<std::weak_ptr<Ingress>> followers;
  {
    MutexLock lock(mutex_);
    ended_ = true;
    followers.swap(followers_);
  }
  for (const auto& follower : followers) {
    if (const std::shared_ptr<Ingress> held = follower.lock()) held->Post(0, [] {});
  }
}

// One event. Components are woken when there is no next one, or enough have come.
bool Ingress::Next(WakeBatch& wakes) {
  void* tag;
  bool ok;
  auto next = grpc::CompletionQueue::TIMEOUT;
  if (++events_in_a_row_ < kEventsInARow) {
    next = queue_->AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC));
  }
  if (next == grpc::CompletionQueue::TIMEOUT) {
    wakes.Flush();
    events_in_a_row_ = 0;
    busy_since_.store(kNever, std::memory_order_relaxed);
    if (follows()) {
      Nap();
      BeBusy();
      RunCallbacks();
      return true;
    }
    next = queue_->AsyncNext(&tag, &ok, gpr_inf_future(GPR_CLOCK_MONOTONIC));
  }
  if (next == grpc::CompletionQueue::SHUTDOWN) return false;
  BeBusy();
  events_.fetch_add(1, std::memory_order_relaxed);
  static_cast<Tag*>(tag)->Proceed(ok);
  RunCallbacks();
  return true;
}

void Ingress::BeBusy() {
  busy_since_.store(TimeSource::Real().CoarseNow(), std::memory_order_relaxed);
}

// Until a callback comes, or, with connections, for a moment.
void Ingress::Nap() {
  if (++naps_ % kNapsBetweenCounts == 0) {
    {
      MutexLock lock(mutex_);
      connected_ = false;
    }
    // Asked without the lock, which accepting takes while it holds its own. A connection that has
    // just gone leaves events behind, so one look that finds nothing is not enough.
    const bool idle = !has_connections_() && calls_in_flight() == 0;
    if (!std::exchange(was_idle_, idle) || !idle) ConnectionCame();
  }
  MutexLock lock(mutex_);
  napping_ = true;
  if (callbacks_.empty() && !stopping_) {
    changed_.WaitUntil(mutex_, connected_ ? std::chrono::steady_clock::now() + kNap : kNever);
  }
  napping_ = false;
}

void Ingress::ConnectionCame() {
  MutexLock lock(mutex_);
  connected_ = true;
  if (napping_) changed_.NotifyAll();
}

void Ingress::NoCalls() {
  MutexLock lock(mutex_);
  if (awaits_no_calls_) changed_.NotifyAll();
}

void Ingress::EndRequests() {
  // In the queue it stands behind what came before it.
  struct Last final : Tag {
    explicit Last(bool& ended) : ended(ended) {}
    void Proceed(bool) override {
      ended = true;
      taken.Notify();
    }
    bool& ended;
    absl::Notification taken;
  } last(requests_ended_);
  grpc::Alarm alarm;
  alarm.Set(queue_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &last);
  // A follower may nap.
  Post(0, [] {});
  last.taken.WaitForNotification();
}

void Ingress::AwaitNoCalls() {
  MutexLock lock(mutex_);
  awaits_no_calls_ = true;
  while (calls_in_flight() != 0) changed_.Wait(mutex_);
  awaits_no_calls_ = false;
}

// Those too that callbacks post: nothing else would come round for them.
void Ingress::RunCallbacks() {
  while (has_callbacks_.load(std::memory_order_acquire)) {
    std::vector<Callback> callbacks;
    {
      MutexLock lock(mutex_);
      callbacks.swap(callbacks_);
      has_callbacks_.store(false, std::memory_order_relaxed);
    }
    for (Callback& callback : callbacks) callback();
  }
}

void Ingress::Woken(bool) {
  MutexLock lock(mutex_);
  wake_set_ = false;
}

}  // namespace mainspring::rpc
