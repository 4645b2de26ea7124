// HookedComponent: a component whose every step is a function of the test's; CallBox: calls that
// the test answers itself, when and how it likes. Without gRPC.
#ifndef MAINSPRING_TESTS_SERVER_HOOKED_COMPONENT_H_
#define MAINSPRING_TESTS_SERVER_HOOKED_COMPONENT_H_

#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "mainspring/component.h"
#include "mainspring/mutex.h"
#include "mainspring/trial/v1/trial.component.pb.h"
#include "tests/server/eventually.h"

namespace mainspring::testing {

inline trial::v1::EchoRequest EchoOf(const std::string& text) {
  trial::v1::EchoRequest request;
  request.set_text(text);
  return request;
}

// Echo answers with what it was asked; everything else is refused.
inline void AnswerEcho(trial::v1::TrialRequest request) {
  if (auto* echo = std::get_if<trial::v1::TrialCall::Echo>(&request)) {
    trial::v1::EchoResponse response;
    response.set_text(echo->request.text());
    echo->reply.Send(std::move(response));
    return;
  }
  std::visit([](auto& call) { Refuse(call, absl::UnimplementedError("not hooked")); }, request);
}

// All run on the component's thread.
struct Hooks {
  std::function<void(Context&)> construct = [](Context&) {};
  std::function<absl::Status()> start = [] { return absl::OkStatus(); };
  std::function<void(trial::v1::TrialRequest)> handle = AnswerEcho;
  std::function<void()> stop = [] {};
  std::function<void()> draining = [] {};
  std::function<void(const std::string&, bool)> dependency_changed = [](const std::string&, bool) {
  };
};

class HookedComponent final : public Component, public Handler<trial::v1::TrialRequest> {
 public:
  using Request = trial::v1::TrialRequest;
  static constexpr const char* kService = trial::v1::TrialMethods::kService;

  HookedComponent(Context& context, Hooks hooks) : Component(context), hooks_(std::move(hooks)) {
    hooks_.construct(context);
  }
  absl::Status Start() override { return hooks_.start(); }
  void Handle(trial::v1::TrialRequest&& request) override { hooks_.handle(std::move(request)); }
  void Stop() override { hooks_.stop(); }
  void Draining() override { hooks_.draining(); }
  void DependencyChanged(std::string component, bool running) override {
    hooks_.dependency_changed(component, running);
  }

 private:
  const Hooks hooks_;
};

// Any thread. It must outlive the component that puts calls into it, and be empty before the host
// of that goes: what it holds are rights to answer.
class CallBox {
 public:
  Hooks hooks() {
    Hooks hooks;
    hooks.handle = [this](trial::v1::TrialRequest request) { Put(std::move(request)); };
    return hooks;
  }

  void Put(trial::v1::TrialRequest request) {
    MutexLock lock(mutex_);
    calls_.push_back(std::move(request));
    came_.NotifyAll();
  }

  // Blocks for the next call; throws where none comes, or it is another one.
  template <class Call>
  Call Take() {
    const SteadyTime deadline = Soon();
    MutexLock lock(mutex_);
    while (calls_.empty()) {
      if (std::chrono::steady_clock::now() >= deadline) throw std::runtime_error("no call came");
      came_.WaitUntil(mutex_, deadline);
    }
    Call call = std::get<Call>(std::move(calls_.front()));
    calls_.pop_front();
    return call;
  }

  size_t size() const {
    MutexLock lock(mutex_);
    return calls_.size();
  }

  // Drops them all.
  void Clear() {
    std::deque<trial::v1::TrialRequest> dropped;
    MutexLock lock(mutex_);
    dropped.swap(calls_);
  }

 private:
  mutable Mutex mutex_;
  CondVar came_;
  std::deque<trial::v1::TrialRequest> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_HOOKED_COMPONENT_H_
