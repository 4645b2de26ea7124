#include "server/supervisor/operations.h"

#include <algorithm>

namespace mainspring {

const char* Name(Command command) {
  switch (command) {
    case Command::kStart:
      return "StartComponent";
    case Command::kStop:
      return "StopComponent";
    case Command::kRestart:
      return "RestartComponent";
  }
  return "unknown";
}

Step* Operation::NextStepOf(size_t component) {
  for (Step& step : steps) {
    if (step.component == component && !step.done) return &step;
  }
  return nullptr;
}

bool Operation::all_done() const {
  return std::all_of(steps.begin(), steps.end(), [](const Step& step) { return step.done; });
}

const Operation* Operations::Find(const std::string& request_id) const {
  const auto found = entries_.find(request_id);
  return found == entries_.end() ? nullptr : &found->second->operation;
}

Operation& Operations::Begin(Order order, std::vector<Step> steps, absl::Time now) {
  auto entry = std::make_unique<Entry>();
  const std::string request_id = order.request_id;
  entry->operation.order = std::move(order);
  entry->operation.steps = std::move(steps);
  entry->operation.start_time = now;
  under_way_.push_back(entry.get());
  return entries_.emplace(request_id, std::move(entry)).first->second->operation;
}

void Operations::Await(const std::string& request_id, OperationCallback callback) {
  Entry& entry = *entries_.at(request_id);
  if (entry.operation.ended) return callback(entry.operation);
  entry.waiting.push_back(std::move(callback));
}

void Operations::End(Operation& operation, absl::Status status, uint64_t generation,
                     absl::Time now) {
  Entry& entry = *entries_.at(operation.order.request_id);
  operation.ended = true;
  operation.status = std::move(status);
  operation.generation = generation;
  operation.end_time = now;
  std::erase(under_way_, &entry);
  std::vector<OperationCallback> waiting;
  waiting.swap(entry.waiting);
  for (OperationCallback& callback : waiting) callback(operation);
  ended_.push_back(operation.order.request_id);
  if (ended_.size() > kRemembered) {
    entries_.erase(ended_.front());
    ended_.pop_front();
  }
}

std::vector<Operation*> Operations::UnderWay() const {
  std::vector<Operation*> operations;
  for (Entry* entry : under_way_) operations.push_back(&entry->operation);
  return operations;
}

}  // namespace mainspring
