// Stage: components under test, without a host, without threads and without gRPC, on a clock that
// the test sets. Nothing happens but when the test says so, and always in the same order.
//
//   Stage stage;
//   OrdersRef orders = stage.Add<Orders>("orders");
//   stage.Script<InventoryComponent>("inventory");  // a neighbour whose calls the test answers
//   ASSERT_TRUE(stage.Start().ok());
//
//   auto answer = orders.PlaceOrder(FromText("item { sku: 'tea' units: 2 }"));
//   stage.Take<InventoryCall::Reserve>("inventory").reply.Send(FromText("cents: 500"));
//   EXPECT_EQ(stage.Await(std::move(answer))->number(), 1);
//
// Link mainspring::testing. What is thrown here, std::logic_error, says what is wrong with the
// test.
#ifndef MAINSPRING_TESTING_H_
#define MAINSPRING_TESTING_H_

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "mainspring/blocking.h"
#include "mainspring/caller.h"  // IWYU pragma: export
#include "mainspring/component.h"
#include "mainspring/configurable.h"
#include "mainspring/from_text.h"  // IWYU pragma: export
#include "mainspring/mailbox.h"
#include "mainspring/manual_time.h"
#include "mainspring/stage_parts.h"

namespace mainspring::testing {

// One thread only: the test's, which does what components give to RunBlocking too; there Await is
// FAILED_PRECONDITION, since nobody else would have the components answer. Descriptors are real
// ones; calls over gRPC have threads and a time that are not the stage's. A whole host is
// "mainspring/testing_host.h"'s.
class Stage {
 public:
  Stage() = default;
  // Stops all, those first that were added last.
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // One more component, not started, and its ref, where its class answers one service: each
  // instance is constructed with a Context& and copies of the arguments.
  template <class Class, class... Arguments>
  auto Add(const std::string& name, Arguments... arguments) {
    static_assert(!std::is_abstract_v<Class>, "the class lacks a method of its service");
    static_assert(std::is_constructible_v<Class, Context&, const Arguments&...>,
                  "the component's constructor does not take a Context& and these arguments");
    AddUnit(NewMailbox<typename Class::Request>(name), [arguments...](Context& context) {
      return std::make_unique<Class>(context, arguments...);
    });
    return RefOf<Class>(name);
  }
  // One that answers what `Class` answers, and keeps its calls for Take.
  template <class Class>
  auto Script(const std::string& name) {
    using Request = typename Class::Request;
    auto kept = std::make_shared<KeptCalls>();
    AddUnit(NewMailbox<Request>(name), [kept](Context& context) {
      return std::make_unique<Scripted<Request>>(context, *kept);
    }).kept = kept;
    return RefOf<Class>(name);
  }

  // What these do comes after all that the test has asked for before.

  // Starts all that are down, in the order in which they were added. The first error; the others
  // are up.
  absl::Status Start();
  // A new instance, whether there is one or not: what is queued waits for it, and what the one
  // before has kept is refused as by Stop.
  absl::Status Restart(absl::string_view name);
  // Answers what it can at once and refuses the rest, as a stop whose time is up.
  void Stop(absl::string_view name);
  // The instance fails, as if in a callback of its own; it is down until Restart or Start.
  void Crash(absl::string_view name, absl::Status why = absl::InternalError("crashed by the test"));
  // As DrainComponent and UndrainComponent; calls are still let in.
  void Drain(absl::string_view name, bool draining = true);
  // What exceptions from methods cost, from the next start on.
  void SetOnException(absl::string_view name, OnException policy) {
    Find(name).on_exception = policy;
  }

  // Gives a Configurable component its section: at the next start, and where it is up, now; then
  // it may be refused, and nothing has changed.
  template <class C>
  absl::Status Configure(absl::string_view name, C config) {
    return Configure(Find(name), std::make_shared<const C>(std::move(config)));
  }

  // The ref of a component that was added.
  template <class R>
  R Ref(absl::string_view name) {
    auto typed = std::dynamic_pointer_cast<Inbox<typename R::RequestEnum>>(Find(name).mailbox);
    if (typed == nullptr) throw std::logic_error(absl::StrCat(name, " answers another service"));
    return R(std::move(typed));
  }
  // How many calls wait there to be taken, once all is done that can be done now.
  size_t Untaken(absl::string_view name);
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

  // Leaves undone what RunBlocking is given, until it is let go.
  void HoldBlocking(bool held = true) { blocking_.held = held; }

  // The next thing that can be done: of one component after the other, one call, timer or
  // descriptor, or all the callbacks that wait; where there is none, what was first given to
  // RunBlocking. False where nothing is left.
  bool Step();
  // All that can be done without time passing.
  void Settle();
  // Time passes; what is due meanwhile is done when it is due.
  void Advance(absl::Duration duration);
  // To look at, and to set the wall clock; what is due happens in Advance alone.
  ManualTime& time() { return time_; }

  // The answer as it is once all is done that can be done now. DEADLINE_EXCEEDED: it is not there,
  // and the call is cancelled.
  template <class T>
  absl::StatusOr<T> Await(Answer<T> answer) {
    Settle();
    return answer.Await(SteadyTime::min());
  }
  // The same of a call that wants `requests`, which are written as they are read, and then ended.
  template <class Request, class Response>
  absl::StatusOr<Response> Await(Upload<Request, Response> call, std::vector<Request> requests) {
    WriteAll(call.requests, requests, [this] { Settle(); });
    return Await(std::move(call.answer));
  }
  // The next message of a stream; nothing where there is none, or none yet: its status() tells.
  template <class T>
  std::optional<T> Next(AnswerStream<T>& answers) {
    Settle();
    return answers.AwaitNext(SteadyTime::min());
  }
  // The same of a call that is made for its first message alone, and is then cancelled.
  template <class T>
  std::optional<T> Next(AnswerStream<T>&& answers) {
    return Next(answers);
  }
  // All that is left of a stream, or the error that it ends with. UNKNOWN: it has not ended, and is
  // cancelled.
  template <class T>
  absl::StatusOr<std::vector<T>> Collect(AnswerStream<T> answers) {
    std::vector<T> messages;
    return CollectInto(messages, answers);
  }
  // The same of a call that wants `requests`, as Await's.
  template <class Request, class Response>
  absl::StatusOr<std::vector<Response>> Collect(Dialog<Request, Response> call,
                                                std::vector<Request> requests) {
    std::vector<Response> messages;
    WriteAll(call.requests, requests, [&] { TakeAll(messages, call.answers); });
    return CollectInto(messages, call.answers);
  }

  // What a component has reported.
  bool is_up(absl::string_view name) { return Find(name).record.up; }
  bool is_serving(absl::string_view name) { return is_up(name) && Find(name).record.serving; }
  // Of instances and of calls, in order: what a method threw, of which its caller learns no more
  // than that it did.
  const std::vector<Failure>& failures(absl::string_view name) {
    return Find(name).record.failures;
  }
  // What its program does wrong with replies: see Reply.
  const std::vector<std::string>& misuses(absl::string_view name) {
    return Find(name).record.misuses;
  }

 private:
  // `make_room` has them read where there are too many.
  template <class T, class MakeRoom>
  static void WriteAll(RequestWriter<T>& writer, std::vector<T>& messages, MakeRoom make_room) {
    for (T& message : messages) {
      if (writer.Write(std::move(message)) != WriteResult::kFull) continue;
      make_room();
      if (writer.Write(std::move(message)) == WriteResult::kFull) return;  // they never will be
    }
    writer.Finish();
  }
  template <class T>
  void TakeAll(std::vector<T>& messages, AnswerStream<T>& answers) {
    while (auto message = Next(answers)) {
      messages.push_back(*std::move(message));
      if (messages.size() == kMostCollected) throw std::logic_error("the stream has no end");
    }
  }
  template <class T>
  absl::StatusOr<std::vector<T>> CollectInto(std::vector<T>& messages, AnswerStream<T>& answers) {
    TakeAll(messages, answers);
    if (!answers.status().ok()) return answers.status();
    return std::move(messages);
  }

  template <class Class>
  auto RefOf(const std::string& name) {
    if constexpr (requires { typename Class::Ref; }) return Ref<typename Class::Ref>(name);
  }
  template <class Request>
  std::shared_ptr<MailboxBase> NewMailbox(const std::string& name) const {
    return std::make_shared<typename MailboxOf<Request>::Type>(name, MailboxOptions(), time_);
  }
  Unit& AddUnit(std::shared_ptr<MailboxBase> mailbox, ComponentFactory make);
  Unit& Find(absl::string_view name);
  KeptCalls& KeptBy(absl::string_view name);
  std::unique_ptr<KeptCall> TakeKept(absl::string_view name, const char* method);
  void Begin(Unit& unit);
  absl::Status Configure(Unit& unit, Section section);
  // False where that has no end.
  bool SettleSoon();

  ManualTime time_;
  std::deque<Unit> units_;
  const StageDirectory neighbours_{units_};
  BlockingQueue blocking_;
  size_t turn_ = 0;  // whose it is to do the next thing
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTING_H_
