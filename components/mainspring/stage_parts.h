// What a Stage is made of. A part of testing.h.
#ifndef MAINSPRING_STAGE_PARTS_H_
#define MAINSPRING_STAGE_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/blocking.h"
#include "mainspring/component.h"
#include "mainspring/control_loop.h"
#include "mainspring/handler.h"
#include "mainspring/mailbox.h"

namespace mainspring::testing {

// A call that a scripted component was given.
struct KeptCall {
  explicit KeptCall(const char* of) : method(of) {}
  virtual ~KeptCall() = default;
  const char* const method;
};

template <class Call>
struct KeptCallOf final : KeptCall {
  explicit KeptCallOf(Call kept) : KeptCall(Call::kMethod), call(std::move(kept)) {}
  Call call;
};

// In the order in which they came, of all the component's services and instances.
using KeptCalls = std::deque<std::unique_ptr<KeptCall>>;

template <class RequestEnum>
class Keeper : public Handler<RequestEnum> {
 public:
  explicit Keeper(KeptCalls& kept) : kept_(kept) {}
  // What was not taken is answered as what an instance has kept is, when it goes.
  ~Keeper() override { kept_.clear(); }
  void Handle(RequestEnum&& request) override {
    std::visit(
        [this]<class Call>(Call& call) {
          kept_.push_back(std::make_unique<KeptCallOf<Call>>(std::move(call)));
        },
        request);
  }

 private:
  KeptCalls& kept_;
};

// Keeps its calls for the test to take. `Request` is the component's request enum, or Several.
template <class Request>
struct Scripted final : Component, Keeper<Request> {
  Scripted(Context& context, KeptCalls& kept) : Component(context), Keeper<Request>(kept) {}
};
template <class... Enums>
struct Scripted<Several<Enums...>> final : Component, Keeper<Enums>... {
  Scripted(Context& context, KeptCalls& kept) : Component(context), Keeper<Enums>(kept)... {}
};

// Keeps what a component reports.
struct Record final : LifecycleObserver {
  void OnStarted(const std::string&, uint64_t, const absl::Status& status) override;
  void OnStopped(const std::string&, uint64_t, size_t) override { up = false; }
  void OnFailed(const std::string&, uint64_t, const Failure& failure) override;
  void OnCallFailed(const std::string&, uint64_t, const Failure& failure) override;
  void OnFinished(const std::string&, uint64_t) override { up = false; }
  void OnMisuse(const std::string&, uint64_t, const std::string& what) override;
  void OnServing(const std::string&, uint64_t, bool serves, const std::string&) override;

  bool up = false;
  bool serving = true;
  absl::Status started;
  std::vector<Failure> failures;
  std::vector<std::string> misuses;
};

// What waits to be done.
struct BlockingQueue final : Blocking {
  absl::Status Run(Work work) override;
  std::deque<Work> works;
  bool held = false;
};

// A component on the stage.
struct Unit {
  std::shared_ptr<MailboxBase> mailbox;
  Record record = {};
  Context* context = nullptr;                 // of the instance
  std::shared_ptr<KeptCalls> kept = nullptr;  // of a scripted one
  uint64_t generation = 0;
  OnException on_exception = OnException::kFailCall;
  Section section = nullptr;
  std::unique_ptr<ControlLoop> loop = nullptr;
};

// Those of a stage, by name. They must outlive it.
class StageDirectory final : public Directory {
 public:
  explicit StageDirectory(const std::deque<Unit>& units) : units_(units) {}
  std::shared_ptr<Addressee> Find(absl::string_view name) const override;
  std::vector<std::string> Names() const override;

 private:
  const std::deque<Unit>& units_;
};

// Of a stream: more than that is a stream without end.
inline constexpr size_t kMostCollected = 100'000;

}  // namespace mainspring::testing

#endif  // MAINSPRING_STAGE_PARTS_H_
