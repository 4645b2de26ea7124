// Operations: the commands that operators gave, and what became of them.
#ifndef MAINSPRING_SERVER_SUPERVISOR_OPERATIONS_H_
#define MAINSPRING_SERVER_SUPERVISOR_OPERATIONS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
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
};

struct Operation {
  Order order;
  std::vector<Step> steps;
  bool waiting = false;  // for others to end: it has no steps yet
  bool ended = false;
  absl::Status status;  // once ended
  absl::Time start_time;
  absl::Time end_time = absl::InfiniteFuture();
  uint64_t generation = 0;  // of the component, once ended

  // The first step of `component` that is not done; null: none.
  Step* NextStepOf(size_t component);
  bool all_done() const;
};

using OperationCallback = absl::AnyInvocable<void(const Operation&)>;

// Keeps those under way, and the last thousand that ended. One thread only.
class Operations {
 public:
  // Null where no operation has that request id.
  const Operation* Find(const std::string& request_id) const;

  // `order.request_id` must be new. The operation stays where it is until it has ended.
  Operation& Begin(Order order, std::vector<Step> steps, absl::Time now);
  // Calls back when the operation of that request id, which there must be, has ended.
  void Await(const std::string& request_id, OperationCallback callback);
  // Tells all that await it.
  void End(Operation& operation, absl::Status status, uint64_t generation, absl::Time now);

  // Those under way, the oldest first; what is ended while they are gone through stays in the list.
  std::vector<Operation*> UnderWay() const;

 private:
  static constexpr size_t kRemembered = 1000;

  struct Entry {
    Operation operation;
    std::vector<OperationCallback> waiting;
  };

  std::unordered_map<std::string, std::unique_ptr<Entry>> entries_;
  std::vector<Entry*> under_way_;
  std::deque<std::string> ended_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_OPERATIONS_H_
