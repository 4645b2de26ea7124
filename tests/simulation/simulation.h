// Simulation: the life of one host, drawn from a seed.
#ifndef MAINSPRING_TESTS_SIMULATION_SIMULATION_H_
#define MAINSPRING_TESTS_SIMULATION_SIMULATION_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mainspring/lifecycle/v1/lifecycle.component.pb.h"
#include "mainspring/server/lifecycle/supervision.h"
#include "tests/simulation/path.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/worker.h"

namespace mainspring::simulation {

// What is broken on purpose, to see that it is found.
enum class Sabotage {
  kNone,
  kLoseAnswers,    // some callers are never told
  kReorderCalls,   // senders number their calls backwards
  kForgetStarted,  // the supervisor does not hear that a component has started
};

// One caller's end of a call.
template <class T>
class Asked final : public ReplySink<T> {
 public:
  explicit Asked(SteadyTime deadline = kNever) { this->BeginCall(deadline); }
  void Succeed(T&& response) override {
    ++answers;
    answer = std::move(response);
  }
  void Fail(absl::Status why) override {
    ++answers;
    answer = std::move(why);
  }

  int answers = 0;
  absl::StatusOr<T> answer = absl::UnknownError("not answered");
};

// One watcher's end, which is full now and then, and goes away now and then.
class Watching final : public StreamSink<lifecycle::v1::WatchComponentsResponse> {
 public:
  using Message = lifecycle::v1::WatchComponentsResponse;

  // `moody`: full now and then.
  Watching(Scheduler& scheduler, Path& path, bool moody)
      : scheduler_(scheduler), path_(path), moody_(moody) {
    this->BeginCall(kNever);
  }

  WriteResult Write(Message&& message) override;
  void OnReady(Callback callback) override;
  void Finish(absl::Status) override { ++endings; }
  // The watcher goes.
  void Leave() {
    left_ = true;
    this->MarkCancelled();
  }

  int endings = 0;

 private:
  Scheduler& scheduler_;
  Path& path_;
  const bool moody_;
  bool full_ = false;
  bool left_ = false;
  std::optional<Waiting<>> ready_;
};

class Simulation {
 public:
  // `log`: tells on standard error what happens.
  Simulation(uint64_t seed, Sabotage sabotage, bool log);
  ~Simulation();

  // Plays it to its end. What was found to be wrong; empty: nothing.
  std::vector<std::string> Play();

  size_t calls() const { return calls_.size(); }
  size_t events() const { return truth_->sequence(); }

 private:
  void DrawComponents();
  void DrawFaults();
  void Launch();
  void DrawTraffic();
  void Call(size_t component);
  void Command();
  void FollowOn();
  SupervisedComponent Make(const ComponentConfig& config);
  void Reconfigure(bool bring_all_back);
  bool IsClosed(const std::set<size_t>& wanted) const;
  void AwaitReconfigured(std::shared_ptr<Asked<Nothing>> asked, std::set<size_t> wanted);
  void AwaitForgotten(std::shared_ptr<Asked<Nothing>> forgotten, size_t component,
                      std::shared_ptr<Asked<Nothing>> asked, std::set<size_t> wanted);
  void Calm();
  void Check();
  void CheckRequestIds();
  void Expect(bool holds, const std::string& what);

  template <class T, class Request>
  Asked<T>& Ask(Request request);
  template <class Request>
  Request Named();

  const Sabotage sabotage_;
  Scheduler scheduler_;
  Faults faults_;
  const std::unique_ptr<EventLog> log_;
  std::vector<ComponentConfig> components_;
  std::vector<WorkerRecord> records_;
  std::vector<std::shared_ptr<Mailbox<WorkRequest>>> mailboxes_;

  std::set<size_t> present_;  // by number: those that have not left
  bool reconfiguring_ = false;

  // Callers outlive what answers them.
  std::deque<Asked<Done>> calls_;
  std::map<std::pair<size_t, size_t>, uint64_t> numbers_;  // by sender and component
  std::vector<std::function<int()>> commands_;             // how often each was answered
  std::map<std::string, std::vector<std::function<absl::StatusCode()>>> by_request_id_;
  int last_request_ = 0;
  std::deque<Watching> watching_;
  std::unique_ptr<Path> truth_;    // of a watcher that misses nothing
  std::unique_ptr<Path> resumed_;  // of one that comes and goes

  std::unique_ptr<Supervision> supervision_;
  std::shared_ptr<Mailbox<lifecycle::v1::LifecycleRequest>> lifecycle_;
  std::optional<absl::Status> started_;
  std::optional<StopReport> stopped_;
  std::vector<std::string> essential_failures_;
  std::vector<std::string> wrong_;
};

}  // namespace mainspring::simulation

#endif  // MAINSPRING_TESTS_SIMULATION_SIMULATION_H_
