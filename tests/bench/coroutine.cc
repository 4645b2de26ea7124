// What a coroutine costs: a component that asks another for each answer, with Then and with
// co_await, in turns in one process. Prints the ratio of what one call takes.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/clock/v1/clock.component.pb.h"
#include "mainspring/component_thread.h"

namespace mainspring::bench {
namespace {

using clock::v1::ClockComponent;
using clock::v1::ClockRef;
using clock::v1::GetTimeRequest;
using clock::v1::GetTimeResponse;

constexpr int kRounds = 7;
constexpr int kWindow = 64;
constexpr std::chrono::milliseconds kRound(700);

// What neither answers.
class OnlyGetTime : public ClockComponent {
 public:
  using ClockComponent::ClockComponent;
  void SetOffset(clock::v1::SetOffsetRequest, Reply<clock::v1::SetOffsetResponse>) override {}
  void WatchTime(clock::v1::WatchTimeRequest, ReplyStream<clock::v1::WatchTimeResponse>) override {}
};

class Answering final : public OnlyGetTime {
 public:
  using OnlyGetTime::OnlyGetTime;
  void GetTime(GetTimeRequest, Reply<GetTimeResponse> reply) override {
    reply.Send(GetTimeResponse());
  }
};

class WithThen final : public OnlyGetTime {
 public:
  WithThen(Context& context, ClockRef other) : OnlyGetTime(context), other_(std::move(other)) {}
  void GetTime(GetTimeRequest request, Reply<GetTimeResponse> reply) override {
    other_.GetTime(std::move(request))
        .Then([reply = std::move(reply)](absl::StatusOr<GetTimeResponse> answer) mutable {
          reply.Send(std::move(answer));
        });
  }

 private:
  const ClockRef other_;
};

class WithCoAwait final : public OnlyGetTime {
 public:
  WithCoAwait(Context& context, ClockRef other) : OnlyGetTime(context), other_(std::move(other)) {}
  void GetTime(GetTimeRequest request, Reply<GetTimeResponse> reply) override {
    reply.Send(co_await other_.GetTime(std::move(request)));
  }

 private:
  const ClockRef other_;
};

class NoOthers final : public Directory {
 public:
  std::shared_ptr<Addressee> Find(absl::string_view) const override { return nullptr; }
  std::vector<std::string> Names() const override { return {}; }
};

// One component on a thread of its own.
class Hosted {
 public:
  explicit Hosted(ComponentFactory make)
      : mailbox_(std::make_shared<Mailbox<clock::v1::ClockRequest>>("clock", MailboxOptions(),
                                                                    TimeSource::Real())),
        thread_(ComponentThread::Start(mailbox_, std::move(make), {TimeSource::Real(), nobody_},
                                       observer_)
                    .value()) {
    mailbox_->Open();
    mailbox_->PushControl(control::Start{1});
  }
  ClockRef ref() const { return ClockRef(mailbox_); }

 private:
  const NoOthers nobody_;
  LifecycleObserver observer_;
  const std::shared_ptr<Mailbox<clock::v1::ClockRequest>> mailbox_;
  const std::unique_ptr<ComponentThread> thread_;
};

double CallsPerSecond(const ClockRef& ref) {
  std::vector<Answer<GetTimeResponse>> window;
  size_t calls = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() < begin + kRound) {
    for (int i = 0; i < kWindow; ++i) window.push_back(ref.GetTime(GetTimeRequest()));
    for (Answer<GetTimeResponse>& each : window) {
      if (!each.Await().ok()) std::exit(1);
    }
    calls += window.size();
    window.clear();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(calls) / took.count();
}

int Main() {
  const Hosted answering([](Context& context) { return std::make_unique<Answering>(context); });
  const Hosted then(
      [&](Context& context) { return std::make_unique<WithThen>(context, answering.ref()); });
  const Hosted awaiting(
      [&](Context& context) { return std::make_unique<WithCoAwait>(context, answering.ref()); });
  // As JSON: the time a call takes, with co_await over with Then, of each round.
  std::printf("{\"ratios\": [");
  for (int i = 0; i < kRounds; ++i) {
    const double with_then = CallsPerSecond(then.ref());
    std::printf("%s%.4f", i == 0 ? "" : ", ", with_then / CallsPerSecond(awaiting.ref()));
  }
  std::printf("]}\n");
  return 0;
}

}  // namespace
}  // namespace mainspring::bench

int main() { return mainspring::bench::Main(); }
