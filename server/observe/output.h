// Output: a standard stream, written to for no longer than one is willing to wait. A pipe that
// nobody reads, a terminal that is stopped, a socket whose peer sleeps: a plain write(2) to any of
// them blocks for ever, and with it whatever its thread was to do next.
#ifndef MAINSPRING_SERVER_OBSERVE_OUTPUT_H_
#define MAINSPRING_SERVER_OBSERVE_OUTPUT_H_

#include "absl/strings/string_view.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// One thread at a time. A write to a regular file, which its disk alone can delay, waits for it.
class Output {
 public:
  // Writes to the open file that `fd` stands for, which stays open and as it is: others may share
  // it, and would not expect it to become non-blocking.
  explicit Output(int fd);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Writes as much of `text` as there is room for by `deadline`; says how much that was. All of it
  // where nobody can ever read it: then it is gone.
  size_t Write(absl::string_view text, SteadyTime deadline);

 private:
  const int fd_;
  bool is_socket_ = false;
  int own_fd_ = -1;  // the same pipe or terminal once more, non-blocking; -1: there is none
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_OBSERVE_OUTPUT_H_
