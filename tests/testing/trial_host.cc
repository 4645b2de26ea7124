// The host with a Clock and components that misbehave, for tests from outside.
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "components/clock/clock.h"
#include "mainspring/clock/v1/clock.binding.pb.h"
#include "mainspring/trial/v1/trial.binding.pb.h"
#include "server/host_main.h"
#include "tests/testing/trial.h"

ABSL_FLAG(std::string, trials, "trial", "The names of the trial components.");
ABSL_FLAG(int, trial_mailbox_calls, 1024, "How many calls the mailbox of each holds.");
ABSL_FLAG(absl::Duration, trial_queue_age, absl::Seconds(5), "How old a call may get in there.");
ABSL_FLAG(absl::Duration, trial_stop_timeout, absl::Seconds(5), "How long each may take to stop.");
ABSL_FLAG(absl::Duration, trial_stall_limit, absl::Seconds(60), "How long a call may take.");
ABSL_FLAG(absl::Duration, trial_exit_margin, absl::Seconds(5), "The exit guard's patience.");

int main(int argc, char** argv) {
  using mainspring::clock::Clock;
  using mainspring::testing::Trial;
  const auto adjust = [](mainspring::HostConfig& config) {
    config.components.resize(1);
    for (absl::string_view name : absl::StrSplit(absl::GetFlag(FLAGS_trials), ',')) {
      mainspring::ComponentConfig trial;
      trial.name = std::string(name);
      trial.type = "trial";
      trial.mailbox.max_calls = absl::GetFlag(FLAGS_trial_mailbox_calls);
      trial.mailbox.max_queue_age = absl::GetFlag(FLAGS_trial_queue_age);
      trial.stop_timeout = absl::GetFlag(FLAGS_trial_stop_timeout);
      trial.stall_limit = absl::GetFlag(FLAGS_trial_stall_limit);
      config.components.push_back(trial);
    }
    config.exit_margin = absl::GetFlag(FLAGS_trial_exit_margin);
  };
  return mainspring::HostMain(argc, argv,
                              {mainspring::clock::v1::ClockType<Clock>("clock"),
                               mainspring::trial::v1::TrialType<Trial>("trial")},
                              adjust);
}
