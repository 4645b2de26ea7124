#include "server/rpc/ingress.h"

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <utility>

#include "mainspring/wake_batch.h"

namespace mainspring::rpc {

namespace {

constexpr int kEventsInARow = 64;

}  // namespace

thread_local const Ingress* Ingress::current_ = nullptr;

Ingress::Ingress(std::unique_ptr<grpc::ServerCompletionQueue> queue, size_t max_calls)
    : queue_(std::move(queue)), max_calls_(max_calls), wake_(std::make_unique<grpc::Alarm>()) {}

Ingress::~Ingress() = default;

absl::Status Ingress::Start(const std::string& name) {
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start(name, [this] { Run(); });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void Ingress::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.reset();
  }
  queue_->Shutdown();
  if (thread_ == nullptr) {
    // gRPC wants every queue taken empty, even one that nothing was ever put into.
    void* tag;
    bool ok;
    while (queue_->Next(&tag, &ok)) {
    }
  }
  thread_.reset();
}

void Ingress::Post(uint64_t, Callback callback) {
  MutexLock lock(mutex_);
  if (ended_) return;
  callbacks_.push_back(std::move(callback));
  has_callbacks_.store(true, std::memory_order_release);
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
  MutexLock lock(mutex_);
  ended_ = true;
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
    next = queue_->AsyncNext(&tag, &ok, gpr_inf_future(GPR_CLOCK_MONOTONIC));
  }
  if (next == grpc::CompletionQueue::SHUTDOWN) return false;
  events_.fetch_add(1, std::memory_order_relaxed);
  static_cast<Tag*>(tag)->Proceed(ok);
  if (has_callbacks_.load(std::memory_order_acquire)) RunCallbacks();
  return true;
}

void Ingress::RunCallbacks() {
  std::vector<Callback> callbacks;
  {
    MutexLock lock(mutex_);
    callbacks.swap(callbacks_);
    has_callbacks_.store(false, std::memory_order_relaxed);
  }
  for (Callback& callback : callbacks) callback();
}

void Ingress::Woken(bool) {
  MutexLock lock(mutex_);
  wake_set_ = false;
}

}  // namespace mainspring::rpc
