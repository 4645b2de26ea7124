// Plays many lives of a host and says which of them went wrong.
//
//   simulation --seeds=2000               the seeds from 1 to 2000
//   simulation --first=4711 --seeds=1 --log   one of them again
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "tests/simulation/simulation.h"

ABSL_FLAG(uint64_t, first, 1, "The first seed.");
ABSL_FLAG(uint64_t, seeds, 2000, "How many.");
ABSL_FLAG(bool, log, false, "Tell on standard error what happens.");
ABSL_FLAG(std::string, sabotage, "", "lose_answers, reorder_calls or forget_started.");

int main(int argc, char** argv) {
  using mainspring::simulation::Sabotage;
  absl::ParseCommandLine(argc, argv);
  const std::string name = absl::GetFlag(FLAGS_sabotage);
  const Sabotage sabotage = name == "lose_answers"     ? Sabotage::kLoseAnswers
                            : name == "reorder_calls"  ? Sabotage::kReorderCalls
                            : name == "forget_started" ? Sabotage::kForgetStarted
                                                       : Sabotage::kNone;
  const uint64_t first = absl::GetFlag(FLAGS_first);
  const uint64_t seeds = absl::GetFlag(FLAGS_seeds);
  uint64_t failed = 0, calls = 0, events = 0;
  for (uint64_t seed = first; seed < first + seeds && failed < 10; ++seed) {
    mainspring::simulation::Simulation simulation(seed, sabotage, absl::GetFlag(FLAGS_log));
    const auto wrong = simulation.Play();
    calls += simulation.calls();
    events += simulation.events();
    if (wrong.empty()) continue;
    ++failed;
    std::printf("seed %llu went wrong; again: simulation --first=%llu --seeds=1\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed));
    for (size_t i = 0; i < wrong.size() && i < 10; ++i) std::printf("  %s\n", wrong[i].c_str());
  }
  std::printf("%llu seeds, %llu calls, %llu changes of state, %llu went wrong\n",
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(calls),
              static_cast<unsigned long long>(events), static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
