// Operations: the commands that operators gave, and what became of them.
#ifndef MAINSPRING_SERVER_LIFECYCLE_OPERATIONS_H_
#define MAINSPRING_SERVER_LIFECYCLE_OPERATIONS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace mainspring {

enum class Command { kStart, kStop, kRestart };
// "StartComponent" and so on.
const char* Name(Command command);

struct Step {
  enum class Action { kStop, kStart };
  Action action;
  size_t component;
  bool done = false;
};

// What was asked for.
struct Order {
  Command command;
  size_t component;
  std::string request_id;
  std::optional<uint64_t> expected_generation;
  bool dry_run = false;
  bool cascade = false;

  // Whether it asks for the same, by whatever request id.
  bool IsLike(const Order& other) const;
};

class Operation {
 public:
  Order order;
  uint64_t number = 0;   // the later it began, the higher
  bool waiting = false;  // for others to end: it has no steps yet
  // Nothing is begun yet: clients of what it stops are given the time to leave.
  bool lame_duck = false;
  std::set<size_t> leaving;  // components that are not healthy for its sake
  bool ended = false;
  absl::Status status;  // once ended
  absl::Time start_time;
  absl::Time end_time = absl::InfiniteFuture();
  uint64_t generation = 0;  // of the component, once ended

  const std::vector<Step>& steps() const { return steps_; }
  void SetSteps(std::vector<Step> steps);
  // The first step of `component` that is not done; null: none.
  const Step* NextStepOf(size_t component) const;
  // Whether one of its steps that are not done starts `component`.
  bool WillStart(size_t component) const;
  // The next step of `component`, which there must be, is done.
  void MarkDone(size_t component);
  bool all_done() const { return next_.empty(); }

 private:
  std::vector<Step> steps_;
  std::vector<size_t> following_;            // for each step, that of the same component after it
  std::unordered_map<size_t, size_t> next_;  // for each component with one, its first open step
};

using OperationCallback = absl::AnyInvocable<void(const Operation&)>;

// Keeps those under way, and the last that ended. What an event of one component costs depends on
// the operations that have a step of it, and not on how many there are. One thread only.
class Operations {
 public:
  // So many commands may be under way, and so many callers wait for them. A stop, which has nothing
  // to wait for, is let in beyond.
  static constexpr size_t kMostUnderWay = 1000;
  static constexpr size_t kMostCallers = 4000;

  // Null where no operation has that request id.
  const Operation* Find(const std::string& request_id) const;
  // OK, or RESOURCE_EXHAUSTED with what to do: whether such a command may begin, and another wait
  // for one.
  absl::Status Admit(Command command) const;
  absl::Status AdmitCaller() const;

  // `order.request_id` must be new. The operation stays where it is until it has ended.
  Operation& Begin(Order order, std::vector<Step> steps, absl::Time now);
  // One that waits until no other has an open step of any component that it touches.
  Operation& BeginWaiting(Order order, std::vector<size_t> touches, absl::Time now);
  // The operation that waits and asks for the same, which now goes by that request id as well;
  // null: there is none.
  Operation* Join(const Order& order);
  // The oldest that need wait no longer, and does no longer; null: none.
  Operation* NextReady();
  // Of one of which nothing is begun yet.
  void SetSteps(Operation& operation, std::vector<Step> steps);
  // The next step of `component` is done.
  void MarkDone(Operation& operation, size_t component);

  // Calls back when the operation of that request id, which there must be, has ended. Callers have
  // ascending numbers of their own.
  void Await(const std::string& request_id, uint64_t caller, OperationCallback callback);
  // The caller has gone: its callback is destroyed. The operation, where it waits and nobody awaits
  // it any more; null otherwise.
  Operation* Leave(uint64_t caller);
  // Tells all that await it.
  void End(Operation& operation, absl::Status status, uint64_t generation, absl::Time now);

  // The oldest first, each of them. What is ended while they are gone through stays in the list.
  std::vector<Operation*> UnderWay() const;
  // Those that have an open step of `component`.
  std::vector<Operation*> Touching(size_t component) const;
  bool IsTouched(size_t component) const {
    return component < touching_.size() && !touching_[component].empty();
  }
  // Those under way whose steps are all done; each is told of once.
  std::vector<Operation*> TakeDone();
  // Null where it has ended.
  Operation* UnderWay(uint64_t number) const;

 private:
  // Ended: so many request ids are remembered, and so many steps.
  static constexpr size_t kRemembered = 1000;
  static constexpr size_t kRememberedSteps = 1'000'000;

  struct Entry {
    Operation operation;
    std::vector<std::string> request_ids;
    std::map<uint64_t, OperationCallback> callers;
    // Where it waits: what it touches, and the first of it that is in the way.
    std::vector<size_t> touches;
    size_t in_the_way = 0;
  };

  Entry& EntryOf(const Operation& operation) { return *under_way_.at(operation.number); }
  // Whether it waits on; then it is put where it will be found.
  bool Blocks(Entry& entry);
  void Untouch(Operation& operation, size_t component);
  void Forget();

  uint64_t last_number_ = 0;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_;  // by request id
  std::map<uint64_t, std::shared_ptr<Entry>> under_way_;
  std::unordered_map<uint64_t, Entry*> callers_;
  size_t ids_under_way_ = 0;

  std::vector<std::vector<Operation*>> touching_;           // by component, the oldest first
  std::unordered_map<size_t, std::set<uint64_t>> blocked_;  // by the component in the way
  std::set<uint64_t> perhaps_ready_;
  std::set<uint64_t> done_;

  std::deque<std::shared_ptr<Entry>> ended_;
  size_t remembered_ids_ = 0;
  size_t remembered_steps_ = 0;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_OPERATIONS_H_
