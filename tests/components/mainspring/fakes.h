// What the tests of components stand on: time that passes when it is told to, a lane of callbacks
// that runs when it is told to, and ends of calls that remember what they were given.
#ifndef MAINSPRING_TESTS_COMPONENTS_MAINSPRING_FAKES_H_
#define MAINSPRING_TESTS_COMPONENTS_MAINSPRING_FAKES_H_

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mainspring/context.h"
#include "mainspring/control_loop.h"
#include "mainspring/mailbox_base.h"
#include "mainspring/manual_time.h"
#include "mainspring/mutex.h"
#include "mainspring/reply.h"
#include "mainspring/reply_stream.h"
#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"

namespace mainspring::testing {

// A point in the past: a wait until then looks once and does not wait.
inline constexpr SteadyTime kNoWait = SteadyTime::min();

// When a test that waits for another thread gives up: never, on a machine that does anything.
inline SteadyTime Patience() { return After(std::chrono::steady_clock::now(), absl::Seconds(60)); }

// What a control loop does with the next call: false where there is none. What the component throws
// passes through.
inline bool Dispatch(MailboxBase& mailbox, const TimeSource& time) {
  const char* const method = mailbox.TakeCall(time.CoarseNow());
  if (method == nullptr) return false;
  const ThreadStatus::Scope in_method(mailbox.thread_status(), method, time.CoarseNow());
  mailbox.HandOn();
  return true;
}

// What whoever waits is told where a component let go of a call without an answer, and no call was
// being dispatched.
inline absl::Status Dropped() { return absl::InternalError("the component dropped the request"); }

// Opens once; threads wait for it. Any thread.
class Latch {
 public:
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  // False where patience ran out.
  bool Wait() {
    const SteadyTime until = Patience();
    MutexLock lock(mutex_);
    while (!open_ && std::chrono::steady_clock::now() < until) changed_.WaitUntil(mutex_, until);
    return open_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

// Keeps callbacks until it is told to run them. Any thread.
class CallbackLane final : public CallbackQueue {
 public:
  void Post(uint64_t instance, Callback callback) override {
    MutexLock lock(mutex_);
    posted_.emplace_back(instance, std::move(callback));
  }
  size_t size() const {
    MutexLock lock(mutex_);
    return posted_.size();
  }
  // The instance that the first callback is meant for.
  uint64_t instance() const {
    MutexLock lock(mutex_);
    return posted_.front().first;
  }
  // Runs what is there and what that adds; says how many those were.
  size_t RunAll() {
    for (size_t ran = 0;; ++ran) {
      Callback next;
      {
        MutexLock lock(mutex_);
        if (posted_.empty()) return ran;
        next = std::move(posted_.front().second);
        posted_.pop_front();
      }
      next();
    }
  }

 private:
  mutable Mutex mutex_;
  std::deque<std::pair<uint64_t, Callback>> posted_ ABSL_GUARDED_BY(mutex_);
};

// The caller's end of a Reply. Any thread.
template <class T>
class ReplyRecord final : public ReplySink<T> {
 public:
  explicit ReplyRecord(SteadyTime deadline = kNever) { this->BeginCall(deadline); }

  void Succeed(T&& response) override { Take(std::move(response)); }
  void Fail(absl::Status status) override { Take(std::move(status)); }

  int answers() const {
    MutexLock lock(mutex_);
    return answers_;
  }
  // The last one; UNKNOWN where there is none.
  absl::StatusOr<T> answer() const {
    MutexLock lock(mutex_);
    return answer_;
  }
  absl::Status status() const { return answer().status(); }

 private:
  void Take(absl::StatusOr<T> answer) {
    MutexLock lock(mutex_);
    ++answers_;
    answer_ = std::move(answer);
  }

  mutable Mutex mutex_;
  int answers_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::StatusOr<T> answer_ ABSL_GUARDED_BY(mutex_) = absl::UnknownError("not answered");
};

// The caller's end of a ReplyStream, which has room for `room` messages. One thread only.
template <class T>
struct StreamRecord final : public StreamSink<T> {
  WriteResult Write(T&& message) override {
    if (this->cancelled()) return WriteResult::kClosed;
    if (messages.size() >= room) return WriteResult::kFull;
    messages.push_back(std::move(message));
    return WriteResult::kAccepted;
  }
  void OnReady(Callback callback) override { ready = std::move(callback); }
  void Finish(absl::Status with) override { endings.push_back(std::move(with)); }

  size_t room = kStreamBuffer;
  std::vector<T> messages;
  std::vector<absl::Status> endings;
  Callback ready;
};

// A host's components, by name.
struct Neighbours final : public Directory {
  std::shared_ptr<Addressee> Find(absl::string_view name) const override {
    auto found = mailboxes.find(std::string(name));
    return found == mailboxes.end() ? nullptr : found->second;
  }
  std::vector<std::string> Names() const override {
    std::vector<std::string> names;
    for (const auto& [name, mailbox] : mailboxes) names.push_back(name);
    return names;
  }

  std::map<std::string, std::shared_ptr<MailboxBase>> mailboxes;
};

// What became of a component, one line an event. Any thread.
class LifecycleRecord final : public LifecycleObserver {
 public:
  void OnStarted(const std::string&, uint64_t generation, const absl::Status& status) override {
    Add(generation, status.ok() ? "started" : absl::StrCat("not started: ", status.ToString()));
  }
  void OnStopped(const std::string&, uint64_t generation, size_t refused) override {
    Add(generation, absl::StrCat("stopped, refused ", refused));
  }
  void OnFailed(const std::string&, uint64_t generation, const Failure& failure) override {
    {
      MutexLock lock(mutex_);
      failures_.push_back(failure);
    }
    Add(generation, absl::StrCat("failed in ", failure.during));
  }
  void OnCallFailed(const std::string&, uint64_t generation, const Failure& failure) override {
    {
      MutexLock lock(mutex_);
      failures_.push_back(failure);
    }
    Add(generation, absl::StrCat("failed a call in ", failure.during));
  }
  void OnMisuse(const std::string&, uint64_t generation, const std::string& what) override {
    Add(generation, absl::StrCat("misuse: ", what));
  }
  void OnServing(const std::string&, uint64_t generation, bool serving,
                 const std::string& why) override {
    Add(generation, serving ? "serves" : absl::StrCat("does not serve: ", why));
  }
  void OnFinished(const std::string&, uint64_t generation) override { Add(generation, "finished"); }

  std::vector<std::string> events() const {
    MutexLock lock(mutex_);
    return events_;
  }
  // Which instance each of the events is of.
  std::vector<uint64_t> generations() const {
    MutexLock lock(mutex_);
    return generations_;
  }
  std::vector<Failure> failures() const {
    MutexLock lock(mutex_);
    return failures_;
  }
  // Waits until there are so many; false where patience ran out.
  bool Await(size_t events) {
    const SteadyTime until = Patience();
    MutexLock lock(mutex_);
    while (events_.size() < events && std::chrono::steady_clock::now() < until) {
      changed_.WaitUntil(mutex_, until);
    }
    return events_.size() >= events;
  }

 private:
  void Add(uint64_t generation, std::string event) {
    MutexLock lock(mutex_);
    events_.push_back(std::move(event));
    generations_.push_back(generation);
    changed_.NotifyAll();
  }

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> events_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> generations_ ABSL_GUARDED_BY(mutex_);
  std::vector<Failure> failures_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_COMPONENTS_MAINSPRING_FAKES_H_
