#include "server/drain/drain.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/drain/exit_guard.h"

namespace mainspring {
namespace {

// How often connections and calls are counted while a phase waits for them: gRPC does not tell when
// a connection closes.
constexpr absl::Duration kTick = absl::Milliseconds(5);
// For the last answers to leave, and clients to take leave, once everything is answered.
constexpr absl::Duration kGoodbye = absl::Seconds(1);

const absl::Status& Draining() {
  static const absl::Status status = absl::UnavailableError("draining");
  return status;
}

class Sequence {
 public:
  Sequence(const HostConfig& config, const World& world, DrainTrigger& trigger, Drained drained,
           DrainReport& report)
      : config_(config),
        world_(world),
        trigger_(trigger),
        drained_(std::move(drained)),
        report_(report) {}

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
    // With a lame duck, clients have been told; they leave as their connections come of age.
    // Without, nobody waits for them.
    const bool await_connections = config_.lame_duck > absl::ZeroDuration();
    WaitUntil(deadline, [&] {
      return await_connections ? drained_.data.door().CountConnections() == 0
                               : drained_.data.calls_in_flight() == 0;
    });
    Enter(DrainPhase::kFinish);
    WaitUntil(deadline, [&] { return drained_.data.calls_in_flight() == 0; });
    report_.AddCut(End(drained_.data, "draining: time is up"));
  }

  void Stop() {
    Enter(DrainPhase::kStop);
    const StopReport stopped = drained_.supervisor.Stop();
    report_.AddCut(stopped.refused_calls);
    report_.AddHung(stopped.hung);
  }

  void EndAdmin() {
    drained_.admin.door().Close();
    drained_.admin.EndStreams(Draining());
    WaitUntil(After(Now(), kGoodbye), [&] { return drained_.admin.calls_in_flight() == 0; });
    report_.AddCut(End(drained_.admin, "draining: time is up"));
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
  void WaitUntil(SteadyTime deadline, Predicate done) {
    while (!done() && Now() < deadline &&
           !trigger_.Await(DrainTrigger::kStopNow, std::min(deadline, After(Now(), kTick)))) {
    }
  }

  size_t End(rpc::Plane& plane, const char* why) {
    const size_t cut = plane.Cut(absl::UnavailableError(why));
    plane.Shutdown(After(Now(), kGoodbye));
    return cut;
  }

  const HostConfig& config_;
  const World& world_;
  DrainTrigger& trigger_;
  Drained drained_;
  DrainReport& report_;
};

absl::Duration LongestDrain(const HostConfig& config) {
  absl::Duration sum = config.lame_duck + config.drain_timeout + config.exit_margin;
  for (const ComponentConfig& component : config.components) sum += component.stop_timeout;
  return sum;
}

std::vector<HungComponent> Busy(const Supervisor& supervisor) {
  std::vector<HungComponent> busy;
  for (const ComponentView& component : supervisor.Components()) {
    if (!component.method.empty()) {
      busy.push_back({component.name, component.method, component.in_method});
    }
  }
  return busy;
}

}  // namespace

int RunDrain(const HostConfig& config, const World& world, DrainTrigger& trigger, Drained drained) {
  DrainReport report;
  const std::string reason = trigger.reason();
  report.Enter(DrainPhase::kLameDuck, world.time->Now());
  const auto end_by_force = [&](const char* why) {
    if (!report.anything_hung()) report.AddHung(Busy(drained.supervisor));
    world.log->Error("exit_guard", {{"why", why}});
    world.print_exit_line(report.ExitLine(kExitForced, reason, world.time->Now()));
    world.terminate(kExitForced);
  };
  Sequence sequence(config, world, trigger, drained, report);
  {
    ExitGuard guard(trigger, After(world.time->Now(), LongestDrain(config)), end_by_force);
    sequence.LameDuck();
    sequence.CloseAndFinish();
    sequence.Stop();
    if (!report.anything_hung()) sequence.EndAdmin();
  }
  if (report.anything_hung()) {
    end_by_force("a component's thread does not come back");
    sequence.EndAdmin();
    return kExitForced;
  }
  const int code = report.anything_cut() ? kExitCut : kExitClean;
  report.Enter(DrainPhase::kOver, world.time->Now());
  world.print_exit_line(report.ExitLine(code, reason, world.time->Now()));
  return code;
}

}  // namespace mainspring
