// Context: what the host gives to one instance of a component.
#ifndef MAINSPRING_CONTEXT_H_
#define MAINSPRING_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "mainspring/mailbox.h"
#include "mainspring/steady_time.h"
#include "mainspring/text.h"
#include "mainspring/timer.h"

namespace mainspring {

// Finds the mailboxes of a host's components by name. Any thread.
class Directory {
 public:
  virtual ~Directory() = default;
  // Null where no component has that name.
  virtual std::shared_ptr<MailboxBase> Find(absl::string_view name) const = 0;
  virtual std::vector<std::string> Names() const = 0;
};

// Lives as long as the instance, and its timers with it. Component thread only.
class Context {
 public:
  // All must outlive the context.
  Context(const std::string& name, uint64_t generation, const TimeSource& time,
          const Directory& directory)
      : name_(name), generation_(generation), time_(time), directory_(directory) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // The component's name in its host.
  const std::string& name() const { return name_; }
  // Which instance of the component this is: one more at each start.
  uint64_t generation() const { return generation_; }

  SteadyTime Now() const { return time_.Now(); }
  absl::Time WallNow() const { return time_.WallNow(); }

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

  // The in-process address of another component: Find<ClockRef>("clock").
  // NOT_FOUND: no component has that name. INVALID_ARGUMENT: it answers another service.
  template <class R>
  absl::StatusOr<R> Find(absl::string_view name) const {
    std::shared_ptr<MailboxBase> mailbox = directory_.Find(name);
    if (mailbox == nullptr) {
      return absl::NotFoundError(absl::StrCat(
          "no component \"", name, "\"; there are: ", absl::StrJoin(directory_.Names(), ", ")));
    }
    auto typed = std::dynamic_pointer_cast<Mailbox<typename R::RequestEnum>>(mailbox);
    if (typed == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("component \"", name, "\" answers another service than was asked for"));
    }
    return R(std::move(typed));
  }

  // The component's work is done: when it returns from where it is, it is stopped. Its restart
  // policy says whether it is started again. From Start on; in Stop it changes nothing.
  void Finish() { finished_ = true; }
  // The component cannot go on: as if it threw when it returns from where it is, but what it has
  // answered stays answered. The first failure counts, and comes before Finish. From Start on; in
  // Stop it changes nothing.
  void Fail(absl::Status why) {
    if (why.ok()) why = absl::InternalError("the component failed with OK");
    failure_.Update(Bounded(std::move(why)));
  }

  // For the control loop.
  TimerQueue& timers() { return timers_; }
  absl::Status TakeFailure() { return std::exchange(failure_, absl::OkStatus()); }
  bool finished() const { return finished_; }

 private:
  const std::string& name_;
  const uint64_t generation_;
  const TimeSource& time_;
  const Directory& directory_;
  absl::Status failure_;
  bool finished_ = false;
  TimerQueue timers_;
};

}  // namespace mainspring

#endif  // MAINSPRING_CONTEXT_H_
