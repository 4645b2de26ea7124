#include "tests/bench/in_process_mainspring.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "mainspring/clock/v1/clock.component.pb.h"
#include "mainspring/component_thread.h"
#include "tests/bench/answer.h"
#include "tests/bench/window_driver.h"

namespace mainspring::bench {
namespace {

using clock::v1::GetTimeRequest;
using clock::v1::GetTimeResponse;

// A clock that does as little as the baseline's.
class LightClock final : public clock::v1::ClockComponent {
 public:
  using ClockComponent::ClockComponent;

  void GetTime(GetTimeRequest request, Reply<GetTimeResponse> reply) override {
    reply.Send(AnswerLightly(request));
  }
  void SetOffset(clock::v1::SetOffsetRequest, Reply<clock::v1::SetOffsetResponse>) override {}
  void WatchTime(clock::v1::WatchTimeRequest, ReplyStream<clock::v1::WatchTimeResponse>) override {}
};

class NoOthers final : public Directory {
 public:
  std::shared_ptr<Addressee> Find(absl::string_view) const override { return nullptr; }
  std::vector<std::string> Names() const override { return {}; }
};

class NobodyListens final : public LifecycleObserver {
 public:
  void OnStarted(const std::string&, uint64_t, const absl::Status&) override {}
  void OnStopped(const std::string&, uint64_t, size_t) override {}
  void OnFailed(const std::string&, uint64_t, const Failure&) override {}
  void OnFinished(const std::string&, uint64_t) override {}
};

}  // namespace

double MeasureMainspring(int window, std::chrono::seconds duration) {
  const NoOthers directory;
  NobodyListens observer;
  auto mailbox = std::make_shared<Mailbox<clock::v1::ClockRequest>>("clock", MailboxOptions(),
                                                                    TimeSource::Real());
  auto thread = ComponentThread::Start(
      mailbox, [](Context& context) { return std::make_unique<LightClock>(context); },
      {TimeSource::Real(), directory}, observer);
  if (!thread.ok()) {
    std::fprintf(stderr, "in process: %s\n", thread.status().ToString().c_str());
    std::exit(1);
  }
  mailbox->Open();
  mailbox->PushControl(control::Start{1});
  const clock::v1::ClockRef ref(mailbox);
  return DriveWindow(
      window, duration, [&](GetTimeRequest request) { return ref.GetTime(std::move(request)); },
      [](Answer<GetTimeResponse> answer) {
        absl::StatusOr<GetTimeResponse> response = answer.Await();
        if (!response.ok()) {
          std::fprintf(stderr, "in process: %s\n", response.status().ToString().c_str());
          std::exit(1);
        }
        return *std::move(response);
      });
}

}  // namespace mainspring::bench
