// The host with a Clock and components that misbehave, for tests from outside.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "components/clock/clock.h"
#include "mainspring/clock/v1/clock.binding.pb.h"
#include "mainspring/server/drain/drain_report.h"
#include "mainspring/server/host_main.h"
#include "mainspring/trial/v1/trial.binding.pb.h"
#include "tests/testing/trial.h"
#include "tests/testing/trial_flags.h"

using mainspring::ComponentConfig;
using mainspring::HostConfig;
using mainspring::OnException;
using mainspring::RestartPolicy;
using mainspring::testing::BlockThisThread;
using mainspring::testing::RestartKindFlag;
using mainspring::testing::StartTrial;
using mainspring::testing::StartTrials;
using mainspring::testing::Trial;
using mainspring::testing::TrialList;

namespace {

TrialList OneTrial() {
  ComponentConfig trial;
  trial.name = trial.type = "trial";
  return {{trial}};
}

}  // namespace

// Of the host.
ABSL_FLAG(absl::Duration, trial_exit_margin, HostConfig().exit_margin,
          "The exit guard's patience.");
ABSL_FLAG(size_t, trial_event_history, HostConfig().event_history,
          "How many changes of states the host remembers.");
ABSL_FLAG(size_t, trial_watchers, HostConfig().max_lifecycle_watchers,
          "How many may watch components at once.");

// Of the trial components.
ABSL_FLAG(
    TrialList, trials, OneTrial(),
    "The trial components: a,b(a),c(a,~b)?,d- has b depend on a, c on a and softly on b; ? is "
    "not essential, - is not started with the host.");
ABSL_FLAG(StartTrials, trial_start, StartTrials(),
          "What Start does: NAME:fail, NAME:throw, NAME:hang or NAME:take=2s, several separated by "
          "commas, each with @GENERATION for one instance alone.");

// Of each trial component.
ABSL_FLAG(int, trial_mailbox_calls, 1024, "How many calls the mailbox of each holds.");
ABSL_FLAG(absl::Duration, trial_queue_age, absl::Seconds(5), "How old a call may get in there.");
ABSL_FLAG(absl::Duration, trial_start_timeout, ComponentConfig().start_timeout,
          "How long each may take to start.");
ABSL_FLAG(absl::Duration, trial_stop_timeout, ComponentConfig().stop_timeout,
          "How long each may take to stop.");
ABSL_FLAG(absl::Duration, trial_stall_warning, ComponentConfig().stall_warning,
          "How long a call may take unnamed.");
ABSL_FLAG(absl::Duration, trial_stall_limit, ComponentConfig().stall_limit,
          "How long a call may take.");
ABSL_FLAG(RestartKindFlag, trial_restart, RestartKindFlag(), "permanent, transient or temporary.");
ABSL_FLAG(bool, trial_fail_calls, false,
          "An exception from a method costs its call alone, as is the default elsewhere; else the "
          "instance too.");
ABSL_FLAG(int, trial_max_failures, RestartPolicy().max_failures,
          "The failure that makes it so many within the period is the last.");
ABSL_FLAG(absl::Duration, trial_period, RestartPolicy().period, "The period.");
ABSL_FLAG(absl::Duration, trial_least_backoff, RestartPolicy().least_backoff,
          "How long until the first restart.");
ABSL_FLAG(absl::Duration, trial_most_backoff, RestartPolicy().most_backoff,
          "How long until a restart at most.");
ABSL_FLAG(double, trial_jitter, RestartPolicy().jitter, "Of the backoff, more or less.");
ABSL_FLAG(absl::Duration, trial_reset_after, RestartPolicy().reset_after,
          "How long it is to run until the next backoff is the least.");

namespace {

// A trial whose Start is what --trial-start says.
class StartedTrial final : public Trial {
 public:
  using Trial::Trial;

  absl::Status Start() override {
    const StartTrials trials = absl::GetFlag(FLAGS_trial_start);
    const StartTrial* trial = trials.Find(context().name(), context().generation());
    if (trial == nullptr) return absl::OkStatus();
    switch (trial->kind) {
      case StartTrial::Kind::kFail:
        return absl::FailedPreconditionError("told to fail");
      case StartTrial::Kind::kThrow:
        throw std::runtime_error("told to throw");
      case StartTrial::Kind::kHang:
        BlockThisThread(absl::Hours(1));
        break;
      case StartTrial::Kind::kTake:
        BlockThisThread(trial->time);
        break;
    }
    return absl::OkStatus();
  }
};

// Gives every trial what the flags say of each.
void Shape(ComponentConfig& trial) {
  trial.mailbox.max_calls = absl::GetFlag(FLAGS_trial_mailbox_calls);
  trial.mailbox.max_queue_age = absl::GetFlag(FLAGS_trial_queue_age);
  trial.start_timeout = absl::GetFlag(FLAGS_trial_start_timeout);
  trial.stop_timeout = absl::GetFlag(FLAGS_trial_stop_timeout);
  trial.stall_warning = absl::GetFlag(FLAGS_trial_stall_warning);
  trial.stall_limit = absl::GetFlag(FLAGS_trial_stall_limit);
  trial.restart.kind = absl::GetFlag(FLAGS_trial_restart).kind;
  trial.restart.max_failures = absl::GetFlag(FLAGS_trial_max_failures);
  trial.restart.period = absl::GetFlag(FLAGS_trial_period);
  trial.restart.least_backoff = absl::GetFlag(FLAGS_trial_least_backoff);
  // Who asks for a long one need not ask twice.
  trial.restart.most_backoff =
      std::max(absl::GetFlag(FLAGS_trial_most_backoff), trial.restart.least_backoff);
  trial.restart.jitter = absl::GetFlag(FLAGS_trial_jitter);
  trial.restart.reset_after = absl::GetFlag(FLAGS_trial_reset_after);
  trial.on_exception =
      absl::GetFlag(FLAGS_trial_fail_calls) ? OnException::kFailCall : OnException::kRestart;
}

// A --trial-start that means nobody would make a test pass that tests nothing.
void RefuseStartsOfNobody(const std::vector<ComponentConfig>& trials) {
  const StartTrials starts = absl::GetFlag(FLAGS_trial_start);
  for (const StartTrial& start : starts.trials) {
    if (std::any_of(trials.begin(), trials.end(),
                    [&](const ComponentConfig& each) { return each.name == start.component; })) {
      continue;
    }
    std::fprintf(stderr, "flag --trial-start: \"%s\" is none of --trials\n",
                 start.component.c_str());
    std::exit(mainspring::kExitUsage);
  }
}

void Adjust(HostConfig& config) {
  std::vector<ComponentConfig> trials = absl::GetFlag(FLAGS_trials).components;
  RefuseStartsOfNobody(trials);
  config.components.resize(1);  // the clock
  for (ComponentConfig& trial : trials) {
    Shape(trial);
    config.components.push_back(trial);
  }
  config.exit_margin = absl::GetFlag(FLAGS_trial_exit_margin);
  config.event_history = absl::GetFlag(FLAGS_trial_event_history);
  config.max_lifecycle_watchers = absl::GetFlag(FLAGS_trial_watchers);
}

}  // namespace

int main(int argc, char** argv) {
  return mainspring::HostMain(argc, argv,
                              {mainspring::clock::v1::ClockType<mainspring::clock::Clock>("clock"),
                               mainspring::trial::v1::TrialType<StartedTrial>("trial")},
                              Adjust);
}
