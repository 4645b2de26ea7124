// Worker: a component that does its work, or fails at it in every way that there is.
#ifndef MAINSPRING_TESTS_SIMULATION_WORKER_H_
#define MAINSPRING_TESTS_SIMULATION_WORKER_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mainspring/component.h"
#include "tests/simulation/scheduler.h"

namespace mainspring::simulation {

// Number n that one sender sends to one component.
struct Job {
  size_t sender;
  uint64_t number;
  size_t ByteSizeLong() const { return 16; }
};
struct Done {};
struct WorkCall {
  static constexpr char kMethod[] = "/simulation.Worker/Work";
  Job request;
  Reply<Done> reply;
};
using WorkRequest = std::variant<WorkCall>;

// How likely each fault is.
struct Faults {
  double at_construction = 0;
  double at_start = 0;
  double at_work = 0;
  double at_stop = 0;
  double never_return = 0;  // of the faults, where one can
};

// What is known of one component over all its instances.
struct WorkerRecord {
  std::string name;
  int instances = 0;                       // that live
  std::map<size_t, uint64_t> last_number;  // dispatched, by sender
  std::vector<std::string> violations;
};

class Worker final : public Component, public Handler<WorkRequest> {
 public:
  Worker(Context& context, Scheduler& scheduler, const Faults& faults, WorkerRecord& record);
  ~Worker() override;

  absl::Status Start() override;
  void Stop() override;
  void Handle(WorkRequest&& request) override;

 private:
  struct InFrame;

  void Fault();
  void AnswerInSteps(Reply<Done> reply);
  void Violation(const std::string& what);

  Scheduler& scheduler_;
  const Faults& faults_;
  WorkerRecord& record_;
  bool serving_ = false;
  std::vector<Reply<Done>> kept_;
};

}  // namespace mainspring::simulation

#endif  // MAINSPRING_TESTS_SIMULATION_WORKER_H_
