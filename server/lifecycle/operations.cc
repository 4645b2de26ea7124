#include "mainspring/server/lifecycle/operations.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "mainspring/call.h"

namespace mainspring {
namespace {

constexpr size_t kNone = std::numeric_limits<size_t>::max();

}  // namespace

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

bool Order::IsLike(const Order& other) const {
  return command == other.command && component == other.component && cascade == other.cascade &&
         dry_run == other.dry_run && expected_generation == other.expected_generation;
}

void Operation::SetSteps(std::vector<Step> steps) {
  steps_ = std::move(steps);
  following_.assign(steps_.size(), kNone);
  next_.clear();
  for (size_t i = steps_.size(); i-- > 0;) {
    if (steps_[i].done) continue;
    const auto [next, is_first] = next_.try_emplace(steps_[i].component, i);
    if (!is_first) following_[i] = std::exchange(next->second, i);
  }
}

const Step* Operation::NextStepOf(size_t component) const {
  const auto next = next_.find(component);
  return next == next_.end() ? nullptr : &steps_[next->second];
}

bool Operation::WillStart(size_t component) const {
  const auto next = next_.find(component);
  size_t at = next == next_.end() ? kNone : next->second;
  while (at != kNone && steps_[at].action != Step::Action::kStart) at = following_[at];
  return at != kNone;
}

void Operation::MarkDone(size_t component) {
  const auto next = next_.find(component);
  steps_[next->second].done = true;
  if (const size_t following = following_[next->second]; following != kNone) {
    next->second = following;
  } else {
    next_.erase(next);
  }
}

const Operation* Operations::Find(const std::string& request_id) const {
  const auto found = entries_.find(request_id);
  return found == entries_.end() ? nullptr : &found->second->operation;
}

absl::Status Operations::Admit(Command command) const {
  const size_t most = command == Command::kStop ? 2 * kMostUnderWay : kMostUnderWay;
  if (ids_under_way_ < most) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(ids_under_way_,
                   " commands are under way or wait for others, and more are not "
                   "accepted; wait for some to end, or stop what they start"));
}

absl::Status Operations::AdmitCaller() const {
  if (callers_.size() < kMostCallers) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(callers_.size(),
                   " callers wait for commands to end, and more are not accepted; "
                   "ask GetOperation what became of yours"));
}

Operation& Operations::Begin(Order order, std::vector<Step> steps, absl::Time now) {
  auto entry = std::make_shared<Entry>();
  Operation& operation = entry->operation;
  operation.number = ++last_number_;
  operation.order = std::move(order);
  operation.start_time = now;
  entry->request_ids.push_back(operation.order.request_id);
  ++ids_under_way_;
  under_way_.emplace(operation.number, entry);
  entries_.emplace(operation.order.request_id, std::move(entry));
  SetSteps(operation, std::move(steps));
  return operation;
}

Operation& Operations::BeginWaiting(Order order, std::vector<size_t> touches, absl::Time now) {
  Operation& operation = Begin(std::move(order), {}, now);
  done_.erase(operation.number);
  operation.waiting = true;
  EntryOf(operation).touches = std::move(touches);
  perhaps_ready_.insert(operation.number);
  return operation;
}

Operation* Operations::Join(const Order& order) {
  for (const auto& [number, entry] : under_way_) {
    if (!entry->operation.waiting || !entry->operation.order.IsLike(order)) continue;
    entry->request_ids.push_back(order.request_id);
    ++ids_under_way_;
    entries_.emplace(order.request_id, entry);
    return &entry->operation;
  }
  return nullptr;
}

Operation* Operations::NextReady() {
  while (!perhaps_ready_.empty()) {
    Entry& entry = *under_way_.at(*perhaps_ready_.begin());
    perhaps_ready_.erase(perhaps_ready_.begin());
    if (Blocks(entry)) continue;
    entry.touches.clear();
    entry.operation.waiting = false;
    return &entry.operation;
  }
  return nullptr;
}

// Goes on from where it was, once round: in a long cascade what is behind is done already, so all
// the times that it is asked cost one walk together.
bool Operations::Blocks(Entry& entry) {
  for (size_t i = 0; i < entry.touches.size(); ++i) {
    const size_t at = (entry.in_the_way + i) % entry.touches.size();
    if (!IsTouched(entry.touches[at])) continue;
    entry.in_the_way = at;
    blocked_[entry.touches[at]].insert(entry.operation.number);
    return true;
  }
  return false;
}

void Operations::SetSteps(Operation& operation, std::vector<Step> steps) {
  for (const Step& step : operation.steps()) {
    if (!step.done) Untouch(operation, step.component);
  }
  operation.SetSteps(std::move(steps));
  if (operation.all_done()) done_.insert(operation.number);
  for (const Step& step : operation.steps()) {
    if (step.done) continue;
    if (touching_.size() <= step.component) touching_.resize(step.component + 1);
    std::vector<Operation*>& touching = touching_[step.component];
    const auto place =
        std::lower_bound(touching.begin(), touching.end(), operation.number,
                         [](Operation* each, uint64_t number) { return each->number < number; });
    if (place == touching.end() || *place != &operation) touching.insert(place, &operation);
  }
}

void Operations::MarkDone(Operation& operation, size_t component) {
  operation.MarkDone(component);
  if (operation.NextStepOf(component) == nullptr) Untouch(operation, component);
  if (operation.all_done()) done_.insert(operation.number);
}

void Operations::Untouch(Operation& operation, size_t component) {
  std::erase(touching_[component], &operation);
  if (!touching_[component].empty()) return;
  const auto freed = blocked_.find(component);
  if (freed == blocked_.end()) return;
  perhaps_ready_.merge(freed->second);
  blocked_.erase(freed);
}

void Operations::Await(const std::string& request_id, uint64_t caller, OperationCallback callback) {
  Entry& entry = *entries_.at(request_id);
  if (entry.operation.ended) return callback(entry.operation);
  entry.callers.emplace(caller, std::move(callback));
  callers_.emplace(caller, &entry);
}

Operation* Operations::Leave(uint64_t caller) {
  const auto found = callers_.find(caller);
  if (found == callers_.end()) return nullptr;
  Entry& entry = *found->second;
  callers_.erase(found);
  const absl::Status gone = absl::CancelledError("the caller has gone");
  const DropScope scope(gone);
  entry.callers.erase(caller);
  return entry.operation.waiting && entry.callers.empty() ? &entry.operation : nullptr;
}

void Operations::End(Operation& operation, absl::Status status, uint64_t generation,
                     absl::Time now) {
  const std::shared_ptr<Entry> entry = under_way_.at(operation.number);
  under_way_.erase(operation.number);
  done_.erase(operation.number);
  perhaps_ready_.erase(operation.number);
  if (operation.waiting && !entry->touches.empty()) {
    const auto blocked = blocked_.find(entry->touches[entry->in_the_way]);
    if (blocked != blocked_.end()) blocked->second.erase(operation.number);
  }
  entry->touches = {};
  for (const Step& step : operation.steps()) {
    if (!step.done) Untouch(operation, step.component);
  }
  operation.ended = true;
  operation.status = std::move(status);
  operation.generation = generation;
  operation.end_time = now;
  ids_under_way_ -= entry->request_ids.size();
  remembered_ids_ += entry->request_ids.size();
  remembered_steps_ += operation.steps().size();
  ended_.push_back(entry);
  std::map<uint64_t, OperationCallback> callers;
  callers.swap(entry->callers);
  for (const auto& [caller, callback] : callers) callers_.erase(caller);
  for (auto& [caller, callback] : callers) callback(operation);
  Forget();
}

// The latest stays in any case.
void Operations::Forget() {
  while (ended_.size() > 1 &&
         (remembered_ids_ > kRemembered || remembered_steps_ > kRememberedSteps)) {
    const Entry& oldest = *ended_.front();
    remembered_ids_ -= oldest.request_ids.size();
    remembered_steps_ -= oldest.operation.steps().size();
    for (const std::string& request_id : oldest.request_ids) entries_.erase(request_id);
    ended_.pop_front();
  }
}

std::vector<Operation*> Operations::UnderWay() const {
  std::vector<Operation*> operations;
  for (const auto& [number, entry] : under_way_) operations.push_back(&entry->operation);
  return operations;
}

std::vector<Operation*> Operations::Touching(size_t component) const {
  return IsTouched(component) ? touching_[component] : std::vector<Operation*>();
}

std::vector<Operation*> Operations::TakeDone() {
  std::vector<Operation*> operations;
  for (const uint64_t number : std::exchange(done_, {})) {
    operations.push_back(&under_way_.at(number)->operation);
  }
  return operations;
}

Operation* Operations::UnderWay(uint64_t number) const {
  const auto found = under_way_.find(number);
  return found == under_way_.end() ? nullptr : &found->second->operation;
}

}  // namespace mainspring
