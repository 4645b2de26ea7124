#include "mainspring/server/observe/line_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"

namespace mainspring {
namespace {

constexpr std::chrono::seconds kRemindAfter(1);
// For what still waits when the writer ends.
constexpr std::chrono::seconds kLastWords(1);
// How often a writer that is kept waiting looks whether it is to end.
constexpr std::chrono::milliseconds kLook(100);
// What a line costs beside its text, give or take.
constexpr size_t kLineOverhead = 64;

}  // namespace

absl::StatusOr<std::unique_ptr<LineWriter>> LineWriter::Start(int fd, Owed owed) {
  std::unique_ptr<LineWriter> writer(new LineWriter(fd, std::move(owed)));
  absl::StatusOr<std::unique_ptr<Thread>> thread =
      Thread::Start("log", [writer = writer.get()] { writer->Run(); });
  if (!thread.ok()) return thread.status();
  writer->thread_ = *std::move(thread);
  return writer;
}

LineWriter::~LineWriter() {
  {
    MutexLock lock(mutex_);
    end_by_ = std::chrono::steady_clock::now() + kLastWords;
  }
  changed_.NotifyAll();
  thread_.reset();
}

void LineWriter::Push(std::string line) {
  {
    MutexLock lock(mutex_);
    const size_t bytes = line.size() + kLineOverhead;
    if (bytes_ + bytes > kCapacity) {
      ++dropped_;
      return;
    }
    bytes_ += bytes;
    ++pushed_;
    lines_.push_back(std::move(line));
  }
  changed_.NotifyAll();
}

void LineWriter::Remind() {
  MutexLock lock(mutex_);
  remind_at_ = std::min(remind_at_, std::chrono::steady_clock::now() + kRemindAfter);
  changed_.NotifyAll();
}

void LineWriter::Flush(SteadyTime deadline) {
  MutexLock lock(mutex_);
  const uint64_t last = pushed_;
  while (written_ < last && std::chrono::steady_clock::now() < deadline) {
    changed_.WaitUntil(mutex_, deadline);
  }
}

void LineWriter::WriteOut(absl::string_view text) {
  while (!text.empty()) {
    SteadyTime end_by;
    {
      MutexLock lock(mutex_);
      end_by = end_by_;
    }
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= end_by) return;
    text.remove_prefix(output_.Write(text, std::min(end_by, now + kLook)));
  }
}

void LineWriter::Run() {
  bool ending = false;
  while (!ending) {
    std::deque<std::string> lines;
    uint64_t taken;
    uint64_t dropped;
    {
      MutexLock lock(mutex_);
      while (lines_.empty() && end_by_ == kNever && std::chrono::steady_clock::now() < remind_at_) {
        changed_.WaitUntil(mutex_, remind_at_);
      }
      ending = end_by_ != kNever;
      remind_at_ = kNever;
      taken = pushed_;
      dropped = std::exchange(dropped_, 0);
      lines.swap(lines_);
      bytes_ = 0;
    }
    // What was dropped came after what waited.
    lines.push_back(owed_(dropped));
    WriteOut(absl::StrJoin(lines, ""));
    {
      MutexLock lock(mutex_);
      written_ = taken;
    }
    changed_.NotifyAll();
  }
}

}  // namespace mainspring
