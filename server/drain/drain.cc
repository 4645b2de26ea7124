#include "mainspring/server/drain/drain.h"

#include <algorithm>
#include <string>
#include <utility>

#include "mainspring/server/drain/exit_guard.h"
#include "mainspring/status_details.h"

namespace mainspring {
namespace {

// How often connections and calls are counted while a phase waits for them: gRPC does not tell when
// a connection closes.
constexpr absl::Duration kTick = absl::Milliseconds(5);
// For the last answers to leave, and clients to take leave, once everything is answered.
constexpr absl::Duration kGoodbye = absl::Seconds(1);
// What the supervisor does takes less.
constexpr absl::Duration kLate = absl::Seconds(1);
// For a process that ends by force to say why.
constexpr absl::Duration kLastWords = absl::Seconds(2);
constexpr std::chrono::milliseconds kFlush(500);
// The data plane's shutdown, the admin plane's calls and its shutdown, the probe plane's.
constexpr int kGoodbyes = 4;

const absl::Status& Draining() {
  static const absl::Status status =
      WithReason(absl::UnavailableError("draining"), "DRAINING", "", kRetryWhenDown);
  return status;
}

class Sequence {
 public:
  Sequence(const HostConfig& config, const World& world, DrainTrigger& trigger, Drained& drained)
      : config_(config), world_(world), trigger_(trigger), drained_(drained) {}

  void LameDuck() {
    Enter(DrainPhase::kLameDuck);
    drained_.begin();
    trigger_.Await(DrainTrigger::kStopNow, After(Now(), config_.lame_duck));
  }

  void CloseAndFinish() {
    Enter(DrainPhase::kClose);
    const SteadyTime deadline = After(Now(), config_.drain_timeout);
    drained_.data.door().Close();
    drained_.acceptor.Wake();
    drained_.data.EndStreams(Draining());
    drained_.supervision.EndPauses();
    // With a lame duck, clients have been told; they leave as their connections come of age.
    // Without, nobody waits for them.
    const bool await_connections = config_.lame_duck > absl::ZeroDuration();
    WaitUntil(deadline, [&] {
      return await_connections ? drained_.data.door().CountConnections() == 0
                               : drained_.data.calls_in_flight() == 0;
    });
    Enter(DrainPhase::kFinish);
    WaitUntil(deadline, [&] { return drained_.data.calls_in_flight() == 0; });
    End(drained_.data, "draining: time is up");
    report_.AddCut(drained_.data.cut_calls() + drained_.data.refused_calls());
  }

  void Stop() {
    Enter(DrainPhase::kStop);
    const StopReport stopped = drained_.supervision.Stop();
    report_.AddCut(stopped.cut_calls);
    report_.AddStuck(stopped.stuck);
  }

  void EndAdmin() {
    report_.Enter(DrainPhase::kOver, Now());
    drained_.supervision.EndDrainStreams();
    drained_.admin.door().Close();
    drained_.admin.EndStreams(Draining());
    // Also where the phases before were skipped: what is told here tells of that.
    WaitUntil(
        After(Now(), kGoodbye), [&] { return drained_.admin.calls_in_flight() == 0; },
        DrainTrigger::kExitNow);
    End(drained_.admin, "draining: time is up");
    // Who looks again and again is refused in the end: that is no loss.
    report_.AddCut(drained_.admin.cut_calls());
    if (drained_.probe == nullptr) return;
    // What it is asked is answered at once: there is nothing to wait for, or to cut.
    drained_.probe->door().Close();
    drained_.probe->EndStreams(Draining());
    End(*drained_.probe, "draining");
  }

 private:
  SteadyTime Now() const { return world_.time->Now(); }

  void Enter(DrainPhase phase) {
    report_.Enter(phase, Now());
    world_.log->Info("drain", {{"phase", Name(phase)},
                               {"connections", drained_.data.door().CountConnections()},
                               {"calls_in_flight", drained_.data.calls_in_flight()}});
  }

  template <class Predicate>
  void WaitUntil(SteadyTime deadline, Predicate done, int skipped_by = DrainTrigger::kStopNow) {
    while (!done() && Now() < deadline &&
           !trigger_.Await(skipped_by, std::min(deadline, After(Now(), kTick)))) {
    }
  }

  void End(rpc::Plane& plane, const char* why) {
    plane.Cut(WithReason(absl::UnavailableError(why), "DRAINING", "", kRetryWhenDown));
    plane.Shutdown(After(Now(), kGoodbye));
  }

  const HostConfig& config_;
  const World& world_;
  DrainTrigger& trigger_;
  Drained& drained_;
  DrainReport& report_ = drained_.report;
};

// A component stops when all that depend on it have.
absl::Duration LongestStop(const HostConfig& config) {
  const std::vector<ComponentConfig> components = Replicated(config.components);
  const DependencyGraph graph = *DependencyGraph::Build(components);
  std::vector<absl::Duration> until_stopped(graph.size());
  absl::Duration longest;
  for (auto each = graph.order().rbegin(); each != graph.order().rend(); ++each) {
    absl::Duration& until = until_stopped[*each];
    for (const auto& edge : graph.dependents(*each)) {
      until = std::max(until, until_stopped[edge.component]);
    }
    until += components[*each].stop_timeout + kStopGrace;
    longest = std::max(longest, until);
  }
  return longest;
}

}  // namespace

std::vector<StuckComponent> Busy(const Supervision& supervision, SteadyTime now) {
  std::vector<StuckComponent> busy;
  for (const ComponentView& component : supervision.table().Views()) {
    if (!component.method.empty()) {
      busy.push_back({component.name, component.method, component.in_method});
    }
  }
  const ThreadStatus& supervisor = supervision.mailbox()->thread_status();
  const char* const doing = supervisor.doing();
  const absl::Duration age = Between(supervisor.since(), now);
  // It is in something all the time.
  if (doing != nullptr && age >= kLate) busy.push_back({kSupervisorName, doing, age});
  return busy;
}

void EndByForce(const World& world, DrainReport& report, const std::string& trigger,
                const char* why, const std::function<std::vector<StuckComponent>()>& who_is_stuck) {
  world.terminate_later(kLastWords, kExitForced);
  if (!report.anything_stuck()) report.AddStuck(who_is_stuck());
  world.log->Error("exit_guard", {{"why", why}, {"hung", report.WhoIsStuck()}});
  world.print_exit_line(report.ExitLine(kExitForced, trigger, world.time->Now()));
  world.log->Flush(std::chrono::steady_clock::now() + kFlush);
  world.terminate(kExitForced);
}

absl::Duration LongestDrain(const HostConfig& config) {
  return config.lame_duck + config.drain_timeout + LongestStop(config) + kGoodbyes * kGoodbye +
         config.exit_margin;
}

int RunDrain(const HostConfig& config, const World& world, DrainTrigger& trigger, Drained drained) {
  DrainReport& report = drained.report;
  const std::string reason = trigger.reason();
  report.Enter(DrainPhase::kLameDuck, world.time->Now());
  const auto end_by_force = [&](const char* why) {
    EndByForce(world, report, reason, why,
               [&] { return Busy(drained.supervision, world.time->Now()); });
  };
  Sequence sequence(config, world, trigger, drained);
  const absl::Duration longest = LongestDrain(config);
  {
    const auto guard = ExitGuard::Start(trigger, After(world.time->Now(), longest), end_by_force);
    // Without a thread it is guarded all the same, though not against a third signal.
    if (!guard.ok()) world.terminate_later(longest, kExitForced);
    sequence.LameDuck();
    sequence.CloseAndFinish();
    sequence.Stop();
    if (!report.anything_stuck()) sequence.EndAdmin();
    if (!guard.ok()) world.terminate_later(absl::InfiniteDuration(), kExitForced);
  }
  if (report.anything_stuck()) {
    end_by_force("a component's thread does not come back");
    sequence.EndAdmin();
    return kExitForced;
  }
  const int code = drained.component_failed() ? kExitFailed
                   : report.anything_cut()    ? kExitCut
                                              : kExitClean;
  world.print_exit_line(report.ExitLine(code, reason, world.time->Now()));
  return code;
}

}  // namespace mainspring
