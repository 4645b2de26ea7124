// LineWriter: lines that many threads give and one thread writes, so that none of the many ever
// waits for whoever reads them. What there is no room for is dropped and counted.
#ifndef MAINSPRING_SERVER_OBSERVE_LINE_WRITER_H_
#define MAINSPRING_SERVER_OBSERVE_LINE_WRITER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "mainspring/mutex.h"
#include "mainspring/server/observe/output.h"
#include "mainspring/thread.h"

namespace mainspring {

// Any thread, but for making and destroying.
class LineWriter {
 public:
  // Lines beyond so many bytes wait nowhere.
  static constexpr size_t kCapacity = size_t{4} << 20;

  // What the owner has to say of its own accord, as lines: asked on the writer's thread once lines
  // have been written, with the number of lines that were dropped since it was asked last; and
  // after Remind. Must not call the writer, but for Remind.
  using Owed = std::function<std::string(uint64_t dropped)>;

  // Writes to `fd`, which must stay open.
  // RESOURCE_EXHAUSTED: no more threads.
  static absl::StatusOr<std::unique_ptr<LineWriter>> Start(int fd, Owed owed);
  // Writes what waits, within a second, and ends.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Takes the line, with its newline, or drops it. Never blocks.
  void Push(std::string line);
  // Has `owed` asked again, within a second or so.
  void Remind();
  // Blocks until all that was pushed before is written, or `deadline` has passed.
  void Flush(SteadyTime deadline);

 private:
  LineWriter(int fd, Owed owed) : output_(fd), owed_(std::move(owed)) {}
  void Run();
  void WriteOut(absl::string_view text);

  Output output_;  // writer's thread only
  const Owed owed_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t pushed_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t written_ ABSL_GUARDED_BY(mutex_) = 0;  // of those that were pushed
  SteadyTime remind_at_ ABSL_GUARDED_BY(mutex_) = kNever;
  SteadyTime end_by_ ABSL_GUARDED_BY(mutex_) = kNever;  // kNever: it does not end
  std::unique_ptr<Thread> thread_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_OBSERVE_LINE_WRITER_H_
