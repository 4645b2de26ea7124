// Runs the in-process contestants in alternating rounds, with a window of calls and with one call
// at a time, and prints one line of JSON: calls a second, and the median of the rounds' ratios.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/synchronization/mutex.h"
#include "tests/bench/answer.h"
#include "tests/bench/in_process_baseline.h"
#include "tests/bench/in_process_mainspring.h"

ABSL_FLAG(int, rounds, 5, "rounds");
ABSL_FLAG(int, seconds, 2, "seconds of each measurement");
ABSL_FLAG(int, window, 64, "outstanding calls");

namespace {

struct Figures {
  int window = 0;
  std::vector<double> baseline;
  std::vector<double> mainspring;
  std::vector<double> ratios;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// Who goes first changes with the round, so that a machine that slows down favours neither.
void MeasureRound(int round, std::chrono::seconds duration, Figures& figures) {
  using mainspring::bench::AnswerLightly;
  const auto baseline = [&] {
    figures.baseline.push_back(
        mainspring::bench::MeasureBaseline(figures.window, duration, &AnswerLightly));
  };
  const auto ours = [&] {
    figures.mainspring.push_back(mainspring::bench::MeasureMainspring(figures.window, duration));
  };
  if (round % 2 == 0) {
    baseline();
    ours();
  } else {
    ours();
    baseline();
  }
  figures.ratios.push_back(figures.mainspring.back() / figures.baseline.back());
}

void PrintList(const char* name, const std::vector<double>& values, const char* format) {
  std::printf("\"%s\": [", name);
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) std::printf(", ");
    std::printf(format, values[i]);
  }
  std::printf("], ");
}

void Print(const Figures& figures) {
  std::printf("{\"window\": %d, ", figures.window);
  PrintList("baseline", figures.baseline, "%.0f");
  PrintList("mainspring", figures.mainspring, "%.0f");
  PrintList("ratios", figures.ratios, "%.4f");
  std::printf("\"median_ratio\": %.4f}", Median(figures.ratios));
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::ParseCommandLine(argc, argv);
  const int rounds = absl::GetFlag(FLAGS_rounds);
  const std::chrono::seconds duration(absl::GetFlag(FLAGS_seconds));
  Figures windowed{absl::GetFlag(FLAGS_window), {}, {}, {}};
  Figures single{1, {}, {}, {}};
  if (rounds < 1 || duration.count() < 1 || windowed.window < 1) {
    std::fprintf(stderr, "in_process: counts above zero are needed\n");
    return 64;
  }
  for (int round = 0; round < rounds; ++round) {
    MeasureRound(round, duration, windowed);
    MeasureRound(round, duration, single);
  }
  std::printf("{\"windows\": [");
  Print(windowed);
  std::printf(", ");
  Print(single);
  std::printf("]}\n");
  return 0;
}
