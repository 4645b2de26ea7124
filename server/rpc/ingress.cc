#include "mainspring/server/rpc/ingress.h"

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
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

// How often it looks whose time is up.
absl::Duration TickOf(const PlaneLimits& limits) {
  absl::Duration least = limits.answer_timeout;
  for (const absl::Duration bound :
       {limits.max_connection_age, limits.max_connection_idle, limits.connection_grace}) {
    if (bound > absl::ZeroDuration()) least = std::min(least, bound);
  }
  return std::clamp(least / 4, absl::Milliseconds(10), absl::Seconds(1));
}

gpr_timespec FromNow(absl::Duration time) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(absl::ToInt64Milliseconds(time), GPR_TIMESPAN));
}

}  // namespace

thread_local const Ingress* Ingress::current_ = nullptr;

Ingress::Ingress(std::unique_ptr<grpc::ServerCompletionQueue> queue, const PlaneLimits& limits,
                 std::shared_ptr<Ingress> leader)
    : queue_(std::move(queue)),
      answer_timeout_(limits.answer_timeout),
      tick_(TickOf(limits)),
      leader_(std::move(leader)),
      wake_(std::make_unique<grpc::Alarm>()),
      places_(limits.max_calls, limits.max_calls_per_peer, limits.max_calls_per_connection),
      reserved_(limits.max_reserved_calls, limits.max_reserved_calls / 4,
                limits.max_calls_per_connection) {}

Ingress::~Ingress() = default;

absl::Status Ingress::Start(const std::string& name, std::function<bool()> has_connections,
                            std::function<void(SteadyTime now)> sweep) {
  has_connections_ = std::move(has_connections);
  sweep_ = std::move(sweep);
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
    } else {
      next = queue_->AsyncNext(&tag, &ok, FromNow(tick_));
    }
  }
  if (next == grpc::CompletionQueue::SHUTDOWN) return false;
  if (busy_since() == kNever) BeBusy();
  if (next == grpc::CompletionQueue::GOT_EVENT) {
    events_.fetch_add(1, std::memory_order_relaxed);
    static_cast<Tag*>(tag)->Proceed(ok);
  }
  RunCallbacks();
  return true;
}

// Once for a few events in a row, which take no longer than this clock's own steps.
void Ingress::BeBusy() {
  const SteadyTime now = TimeSource::Real().CoarseNow();
  busy_since_.store(now, std::memory_order_relaxed);
  if (now >= next_tick_) Tick(now);
}

void Ingress::Tick(SteadyTime now) {
  next_tick_ = After(now, tick_);
  for (ServerCall* call = answered_.first();
       call != nullptr && Between(call->answered_at_, now) >= answer_timeout_;
       call = answered_.first()) {
    answered_.Remove(*call);
    given_up_.Add(*call);
    call->GiveUp();
  }
  sweep_(now);
  places_.Forget();
  reserved_.Forget();
}

absl::Status Ingress::Add(ServerCall& call, const std::string& connection, bool reserved) {
  calls_.Add(call);
  call.counted_cut_ = false;
  calls_come_.fetch_add(1, std::memory_order_relaxed);
  calls_in_flight_.fetch_add(1, std::memory_order_relaxed);
  absl::Status refused = places_.Take(connection, call.place_);
  if (refused.ok() || !reserved) return refused;
  Places::Place kept;
  if (!reserved_.Take(connection, kept).ok()) {
    Places::GiveUp(kept);
    return refused;
  }
  Places::GiveUp(std::exchange(call.place_, kept));
  return absl::OkStatus();
}

void Ingress::Answered(ServerCall& call) {
  if (call.list_ != &calls_) return;
  calls_.Remove(call);
  call.answered_at_ = busy_since();
  answered_.Add(call);
}

void Ingress::Remove(ServerCall& call) {
  call.list_->Remove(call);
  Places::GiveUp(call.place_);
  if (calls_in_flight_.fetch_sub(1, std::memory_order_release) == 1) NoCalls();
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

void Ingress::RunBehindEvents(const std::function<void()>& step) {
  struct Last final : Tag {
    explicit Last(const std::function<void()>& step) : step(step) {}
    void Proceed(bool) override {
      step();
      taken.Notify();
    }
    const std::function<void()>& step;
    absl::Notification taken;
  } last(step);
  grpc::Alarm alarm;
  alarm.Set(queue_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &last);
  // A follower may nap.
  Post(0, [] {});
  last.taken.WaitForNotification();
}

void Ingress::EndRequests() {
  RunBehindEvents([this] { requests_ended_ = true; });
}

void Ingress::AwaitNoCalls() {
  MutexLock lock(mutex_);
  awaits_no_calls_ = true;
  while (calls_in_flight() != 0) changed_.Wait(mutex_);
  awaits_no_calls_ = false;
}

// Those too that callbacks post: nothing else would come round for them.
void Ingress::RunCallbacks() {
  while (woken_ || has_callbacks_.load(std::memory_order_acquire)) {
    std::vector<Callback> callbacks;
    {
      MutexLock lock(mutex_);
      callbacks.swap(callbacks_);
      has_callbacks_.store(false, std::memory_order_relaxed);
      if (std::exchange(woken_, false)) wake_set_ = false;
    }
    for (Callback& callback : callbacks) callback();
  }
}

}  // namespace mainspring::rpc
