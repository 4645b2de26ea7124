// Latencies, counted in buckets whose width grows with the value.
#ifndef MAINSPRING_TESTS_BENCH_HISTOGRAM_H_
#define MAINSPRING_TESTS_BENCH_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace mainspring::bench {

// Counts values in nanoseconds, at most 2^40 (18 minutes; more counts as that). 128 buckets for
// each power of two, and a bucket answers with its middle: an error of at most 0.4 %. No
// allocation. One thread.
class Histogram {
 public:
  void Add(uint64_t nanos) {
    ++counts_[IndexOf(std::min(nanos, kMost))];
    ++total_;
  }

  void Merge(const Histogram& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
  }

  uint64_t total() const { return total_; }

  // The value that `fraction` (0 to 1) of all values do not exceed; 0 where there are none.
  double Percentile(double fraction) const {
    const auto rank = static_cast<uint64_t>(fraction * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > rank || (seen == total_ && seen > 0)) return MiddleOf(i);
    }
    return 0;
  }

 private:
  static constexpr int kBits = 7;
  static constexpr uint64_t kPerOctave = 1 << kBits;
  static constexpr uint64_t kMost = uint64_t{1} << 40;
  static constexpr size_t kBuckets = (40 - kBits + 2) * kPerOctave;

  // Values below 2 * kPerOctave have a bucket each.
  static int ShiftOf(uint64_t value) {
    return std::max(0, static_cast<int>(std::bit_width(value)) - 1 - kBits);
  }

  static size_t IndexOf(uint64_t value) {
    const int shift = ShiftOf(value);
    return static_cast<uint64_t>(shift) * kPerOctave + (value >> shift);
  }

  static double MiddleOf(size_t index) {
    const int shift = std::max(0, static_cast<int>(index / kPerOctave) - 1);
    const uint64_t low = (index - static_cast<uint64_t>(shift) * kPerOctave) << shift;
    return static_cast<double>(low) + static_cast<double>((uint64_t{1} << shift) - 1) / 2;
  }

  std::array<uint64_t, kBuckets> counts_ = {};
  uint64_t total_ = 0;
};

}  // namespace mainspring::bench

#endif  // MAINSPRING_TESTS_BENCH_HISTOGRAM_H_
