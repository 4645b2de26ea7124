// Stage: components under test, without a host, without threads and without gRPC, on a clock that
// the test sets. Nothing happens but when the test says so, and always in the same order.
//
//   Stage stage;
//   stage.Add<Orders>("orders");
//   stage.Script<InventoryComponent>("inventory");  // a neighbour whose calls the test answers
//   ASSERT_TRUE(stage.Start().ok());
//
//   auto answer = stage.Ref<OrdersRef>("orders").PlaceOrder(request);
//   stage.Take<InventoryCall::Reserve>("inventory").reply.Send(stock);
//   EXPECT_EQ(stage.Await(std::move(answer))->number(), 1);
//
// Link mainspring::testing. What is thrown here, std::logic_error, says what is wrong with the
// test.
#ifndef MAINSPRING_TESTING_H_
#define MAINSPRING_TESTING_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "mainspring/caller.h"
#include "mainspring/component.h"
#include "mainspring/control_loop.h"
#include "mainspring/mailbox.h"
#include "mainspring/manual_time.h"

namespace mainspring::testing {

// One thread only. RunBlocking runs at once, on the test's thread; descriptors are real ones. A
// whole host is "mainspring/host.h"'s, with port 0 and its data_addresses().
class Stage {
 public:
  Stage() = default;
  // Stops all, those first that were added last.
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // One more component, not started: each instance is constructed with a Context& and copies of the
  // arguments.
  template <class Class, class... Arguments>
  void Add(const std::string& name, Arguments... arguments) {
    static_assert(std::is_constructible_v<Class, Context&, const Arguments&...>,
                  "the component's constructor does not take a Context& and these arguments");
    AddUnit(NewMailbox<typename Class::Request>(name), [arguments...](Context& context) {
      return std::make_unique<Class>(context, arguments...);
    });
  }
  // One that answers what `Class` answers, and keeps its calls for Take.
  template <class Class>
  void Script(const std::string& name) {
    using Request = typename Class::Request;
    auto kept = std::make_shared<KeptCalls>();
    AddUnit(NewMailbox<Request>(name), [kept](Context& context) {
      return std::make_unique<Scripted<Request>>(context, *kept);
    }).kept = kept;
  }

  // What these do comes after all that the test has asked for before.

  // Starts all that are down, in the order in which they were added. The first error; the others
  // are up.
  absl::Status Start();
  // A new instance, as after a failure: what is queued waits for it.
  absl::Status Restart(absl::string_view name);
  // Answers what it can at once and refuses the rest, as a stop whose time is up.
  void Stop(absl::string_view name);
  // The instance fails, as if in a timer of its own; it is down until Restart.
  void Crash(absl::string_view name, absl::Status why = absl::InternalError("crashed by the test"));
  // As DrainComponent and UndrainComponent; calls are still let in.
  void Drain(absl::string_view name, bool draining = true);
  // What exceptions from methods cost, from the next start on.
  void SetOnException(absl::string_view name, OnException policy) {
    Find(name).on_exception = policy;
  }

  // The address of a component, for a test and for arguments of Add.
  template <class R>
  R Ref(absl::string_view name) {
    auto typed = std::dynamic_pointer_cast<Inbox<typename R::RequestEnum>>(Find(name).mailbox);
    if (typed == nullptr) throw std::logic_error(absl::StrCat(name, " answers another service"));
    return R(std::move(typed));
  }
  // The next call that a scripted component has got, once all is done that can be done now.
  template <class Call>
  Call Take(absl::string_view name) {
    const std::unique_ptr<KeptCall> next = TakeKept(name, Call::kMethod);
    auto* const typed = dynamic_cast<KeptCallOf<Call>*>(next.get());
    if (typed == nullptr) {
      throw std::logic_error(
          absl::StrCat(name, " got a call of ", next->method, ", not of ", Call::kMethod));
    }
    return std::move(typed->call);
  }

  // The next thing that can be done: of one component after the other, one call, timer or callback.
  // False where there is none.
  bool Step();
  // All that can be done without time passing.
  void Settle();
  // Time passes; what is due meanwhile is done when it is due.
  void Advance(absl::Duration duration);
  ManualTime& time() { return time_; }

  // The answer as it is once all is done that can be done now. DEADLINE_EXCEEDED: it is not there,
  // and the call is cancelled.
  template <class T>
  absl::StatusOr<T> Await(Answer<T> answer) {
    Settle();
    return answer.Await(SteadyTime::min());
  }
  // The next message of a stream; nothing where there is none, or none yet: its status() tells.
  template <class T>
  std::optional<T> Next(AnswerStream<T>& answers) {
    Settle();
    return answers.AwaitNext(SteadyTime::min());
  }

  // What a component has reported.
  bool is_up(absl::string_view name) { return Find(name).record.up; }
  bool is_serving(absl::string_view name) { return is_up(name) && Find(name).record.serving; }
  // Of instances and of calls, in order.
  const std::vector<Failure>& failures(absl::string_view name) {
    return Find(name).record.failures;
  }
  // What its program does wrong with replies: see Reply.
  const std::vector<std::string>& misuses(absl::string_view name) {
    return Find(name).record.misuses;
  }

 private:
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
  using KeptCalls = std::deque<std::unique_ptr<KeptCall>>;

  template <class RequestEnum>
  class Keeper : public Handler<RequestEnum> {
   public:
    explicit Keeper(KeptCalls& kept) : kept_(kept) {}
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

  struct Unit {
    std::shared_ptr<MailboxBase> mailbox;
    Record record = {};
    Context* context = nullptr;                 // of the instance
    std::shared_ptr<KeptCalls> kept = nullptr;  // of a scripted one
    uint64_t generation = 0;
    OnException on_exception = OnException::kFailCall;
    std::unique_ptr<ControlLoop> loop = nullptr;
  };

  // Those that were added, by name.
  class Neighbours final : public Directory {
   public:
    explicit Neighbours(const Stage& stage) : stage_(stage) {}
    std::shared_ptr<MailboxBase> Find(absl::string_view name) const override;
    std::vector<std::string> Names() const override;

   private:
    const Stage& stage_;
  };

  template <class Request>
  std::shared_ptr<MailboxBase> NewMailbox(const std::string& name) const {
    return std::make_shared<typename MailboxOf<Request>::Type>(name, MailboxOptions(), time_);
  }
  Unit& AddUnit(std::shared_ptr<MailboxBase> mailbox, ComponentFactory make);
  Unit& Find(absl::string_view name);
  std::unique_ptr<KeptCall> TakeKept(absl::string_view name, const char* method);
  void Begin(Unit& unit);

  ManualTime time_;
  const Neighbours neighbours_{*this};
  std::deque<Unit> units_;
  size_t turn_ = 0;  // whose it is to do the next thing
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTING_H_
