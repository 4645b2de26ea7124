// Context: what the host gives to one instance of a component.
#ifndef MAINSPRING_CONTEXT_H_
#define MAINSPRING_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "mainspring/answer.h"
#include "mainspring/awaiters.h"
#include "mainspring/blocking.h"
#include "mainspring/bound.h"
#include "mainspring/descriptor_waits.h"
#include "mainspring/mailbox.h"
#include "mainspring/steady_time.h"
#include "mainspring/text.h"
#include "mainspring/timer.h"

namespace mainspring {

// Finds a host's components by name, and several that have one in common. Any thread.
class Directory {
 public:
  virtual ~Directory() = default;
  // Null where no component has that name.
  virtual std::shared_ptr<Addressee> Find(absl::string_view name) const = 0;
  virtual std::vector<std::string> Names() const = 0;
};

// What all instances of a host share. All of it outlives them.
struct Surroundings {
  const TimeSource& time;
  const Directory& directory;
  Blocking& blocking = Blocking::AtOnce();
};

// Lives as long as the instance, and its timers with it. Component thread only.
class Context {
 public:
  // The name, and what surrounds it, must outlive the context.
  Context(const std::string& name, uint64_t generation, const Surroundings& surroundings)
      : name_(name), generation_(generation), surroundings_(surroundings) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // The component's name in its host.
  const std::string& name() const { return name_; }
  // Which instance of the component this is: one more at each start.
  uint64_t generation() const { return generation_; }

  SteadyTime Now() const { return surroundings_.time.Now(); }
  absl::Time WallNow() const { return surroundings_.time.WallNow(); }

  // Runs `callback` on the component's thread, once, after `delay`. It does not run when the
  // instance has gone by then.
  TimerId After(absl::Duration delay, Callback callback) {
    return timers_.At(mainspring::After(Now(), delay), std::move(callback));
  }
  // Runs `callback` on the component's thread after each `interval`, which must be positive; does
  // not drift.
  TimerId Every(absl::Duration interval, Callback callback) {
    return timers_.Every(mainspring::After(Now(), interval), interval, std::move(callback));
  }
  // See TimerQueue.
  bool Cancel(TimerId id) { return timers_.Cancel(id); }

  // The typed address of another component of the host, a ClockRef for one. NOT_FOUND: no component
  // has that name. INVALID_ARGUMENT: it answers another service.
  template <class R>
  absl::StatusOr<R> Find(absl::string_view name) const {
    std::shared_ptr<Addressee> found = surroundings_.directory.Find(name);
    if (found == nullptr) {
      return absl::NotFoundError(
          absl::StrCat("no component \"", name,
                       "\"; there are: ", absl::StrJoin(surroundings_.directory.Names(), ", ")));
    }
    auto typed = std::dynamic_pointer_cast<Inbox<typename R::RequestEnum>>(found);
    if (typed == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("component \"", name, "\" answers another service than was asked for"));
    }
    return R(std::move(typed));
  }
  // The same for a component that cannot be without it, whose start fails with that status: for its
  // members, as in const ClockRef clock_ = context().Need<ClockRef>("clock"). In the constructor
  // and in Start. That it is started before is said where the type is given to a host: DependsOn.
  template <class R>
  R Need(absl::string_view name) {
    absl::StatusOr<R> found = Find<R>(name);
    if (found.ok()) return *std::move(found);
    Fail(found.status());
    return R(nullptr);
  }

  // In a coroutine: goes on after `delay`.
  SleepAwaiter Sleep(absl::Duration delay) {
    return SleepAwaiter(timers_, mainspring::After(Now(), delay));
  }

  // Runs `callback` on the component's thread, once, when `fd` can be read or written: see
  // DescriptorWaits. It does not run when the instance has gone by then.
  DescriptorWaitId WhenReadable(int fd, Callback callback) {
    return descriptors_.Add(fd, DescriptorWaits::For::kReadable, std::move(callback));
  }
  DescriptorWaitId WhenWritable(int fd, Callback callback) {
    return descriptors_.Add(fd, DescriptorWaits::For::kWritable, std::move(callback));
  }
  bool Cancel(DescriptorWaitId id) { return descriptors_.Cancel(id); }
  // In a coroutine: goes on then.
  DescriptorAwaiter WhenReadable(int fd) {
    return DescriptorAwaiter(descriptors_, fd, DescriptorWaits::For::kReadable);
  }
  DescriptorAwaiter WhenWritable(int fd) {
    return DescriptorAwaiter(descriptors_, fd, DescriptorWaits::For::kWritable);
  }

  // Has `function` called with `arguments`, as std::thread would, on one of the host's threads for
  // what must block, and its result as the answer, for Then or co_await: a T where it returns a T
  // or an absl::StatusOr<T>, Nothing where it returns void or an absl::Status. It must not touch
  // the component, and may run when this instance has gone, beside the next. An answer that nobody
  // waits for any more leaves out what was not begun; what was is not interrupted. INTERNAL: it
  // threw. RESOURCE_EXHAUSTED: too much waits already. UNAVAILABLE: the host ends.
  template <class Function, class... Arguments>
  Answer<BlockingResultOf<Function, Arguments...>> RunBlocking(Function function,
                                                               Arguments... arguments) {
    static_assert(std::is_trivially_copyable_v<Function>,
                  "give what it captures as arguments: g++ 12 destroys a lambda that stands in a "
                  "co_await expression twice; see coroutine.h");
    return RunBlockingOn(surroundings_.blocking, function, std::move(arguments)...);
  }

  // A function for any thread to call, which runs on the component's: for callbacks of other
  // libraries. It is dropped with the instance, and with the last copy of what this returns.
  template <class Function>
  Bound<Function> Bind(Function function) {
    return Bound<Function>(std::move(function));
  }

  // Whether the host drains, or this component alone: see Component::Draining.
  bool draining() const { return draining_; }

  // Whether the component serves, as it sees it itself, and why it does not: "cache is cold". An
  // instance serves from its start on until it says otherwise, in Start at the earliest. Health and
  // Lifecycle tell it on; calls still come.
  void SetServing(bool serving, std::string why = "") {
    why = serving ? "" : BoundedText(why);
    if (serving == serving_ && why == why_not_serving_) return;
    serving_ = serving;
    why_not_serving_ = std::move(why);
    serving_changed_ = true;
  }

  // The component's work is done: when it returns from where it is, it is stopped. Its restart
  // policy says whether it is started again. From Start on; in Stop it changes nothing.
  void Finish() { finished_ = true; }
  // The component cannot go on: as if it threw when it returns from where it is, but what it has
  // answered stays answered, and the call that it is in is still its to answer. The first failure
  // counts, and comes before Finish. In the constructor and in Start, it is what the start fails
  // with; in Stop it changes nothing.
  void Fail(absl::Status why) {
    if (why.ok()) why = absl::InternalError("the component failed with OK");
    failure_.Update(Bounded(std::move(why)));
  }

  // For the control loop.
  TimerQueue& timers() { return timers_; }
  absl::Status TakeFailure() { return std::exchange(failure_, absl::OkStatus()); }
  bool finished() const { return finished_; }
  DescriptorWaits& descriptors() { return descriptors_; }
  // Whether that is news of a drain.
  bool SetDraining(bool draining) { return !std::exchange(draining_, draining) && draining; }
  bool TakeServingChange() { return std::exchange(serving_changed_, false); }
  bool serving() const { return serving_; }
  const std::string& why_not_serving() const { return why_not_serving_; }

 private:
  const std::string& name_;
  const uint64_t generation_;
  const Surroundings surroundings_;
  absl::Status failure_;
  bool finished_ = false;
  bool draining_ = false;
  bool serving_ = true;
  bool serving_changed_ = false;
  std::string why_not_serving_;
  TimerQueue timers_;
  DescriptorWaits descriptors_;
};

}  // namespace mainspring

#endif  // MAINSPRING_CONTEXT_H_
