// Signals: SIGTERM, SIGINT, SIGHUP and SIGUSR1, taken by a thread of its own. Nothing runs in a
// signal handler.
#ifndef MAINSPRING_SERVER_SIGNALS_SIGNALS_H_
#define MAINSPRING_SERVER_SIGNALS_SIGNALS_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "mainspring/thread.h"

namespace mainspring {

class Signals {
 public:
  // Blocks the signals for the calling thread and all that it starts from here on, and ignores
  // SIGPIPE and SIGXFSZ: what cannot be written is an error of the write. The first statement of
  // main, before any thread.
  static void Block();

  // Hears of each signal, by number, on the signal thread.
  using Handler = std::function<void(int signal)>;
  explicit Signals(Handler handler) : handler_(std::move(handler)) {}
  // Ends the thread. Signals that come later stay pending.
  ~Signals();

  // RESOURCE_EXHAUSTED: no more threads or descriptors.
  absl::Status Start();

 private:
  void Run();

  const Handler handler_;
  int end_fd_ = -1;
  int signal_fd_ = -1;
  std::unique_ptr<Thread> thread_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SIGNALS_SIGNALS_H_
