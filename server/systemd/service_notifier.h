// ServiceNotifier: tells the service manager that started the process, systemd as a rule, how its
// host is, and takes the sockets that it passes. Where nobody asked to be told, it does nothing.
//
// The protocol is sd_notify(3), by NotifySender, and sd_listen_fds(3), by libsystemd.
#ifndef MAINSPRING_SERVER_SYSTEMD_SERVICE_NOTIFIER_H_
#define MAINSPRING_SERVER_SYSTEMD_SERVICE_NOTIFIER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "mainspring/mutex.h"
#include "mainspring/server/systemd/notify_sender.h"
#include "mainspring/thread.h"

namespace mainspring {

// A listening socket that the process was started with.
struct PassedSocket {
  int fd;
  std::string name;  // FileDescriptorName= of the socket unit, or the unit's name
};

// In the order in which they were passed; none where the process was started without. Once a
// process, before any thread: the variables that tell of them are taken out of the environment.
// INTERNAL: libsystemd cannot make sense of them.
absl::Status TakePassedSockets(std::vector<PassedSocket>& sockets);

// Any thread, but for making, Start, End and destroying.
class ServiceNotifier {
 public:
  struct View {
    bool alive;          // while it is not, the watchdog hears nothing
    std::string status;  // one line for `systemctl status`
  };

  ServiceNotifier() = default;
  ~ServiceNotifier() { End(); }
  ServiceNotifier(const ServiceNotifier&) = delete;
  ServiceNotifier& operator=(const ServiceNotifier&) = delete;

  // From here on a thread tells the status whenever it has changed, and as often as the watchdog
  // wants it that the host is alive. Until Ready, the time to start is extended again and again:
  // the components' own timeouts bound it. `look` is called by any thread, until End, and must not
  // block.
  // RESOURCE_EXHAUSTED: no more threads.
  absl::Status Start(std::function<View()> look);

  // Ends the thread, and says nothing: `look` is not called any more. Blocks for a look under way.
  void End();

  // The host serves. Does nothing once Stopping was called.
  void Ready();
  // The configuration is read again; Ready() follows. False, and nothing is told, unless the host
  // serves: a manager that heard READY of a host that still starts would take it at its word. Nor
  // where the manager has yet to hear of the last change.
  bool Reloading();
  // The drain begins. Until the process ends, its time to stop is extended again and again: the
  // host's own exit guard bounds it.
  void Stopping();

 private:
  enum class Phase { kStarting, kReady, kReloading, kStopping };

  void Run();
  // Tells the change with what is true now; where the manager does not read, again at each tick.
  void Tell(const std::string& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What is true now, as lines of the protocol.
  std::string Lines() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Duration watchdog_ = absl::InfiniteDuration();  // set by Start
  const NotifySender sender_;
  Mutex mutex_;
  CondVar changed_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<View()> look_ ABSL_GUARDED_BY(mutex_);  // from Start to End
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kStarting;
  std::string owed_ ABSL_GUARDED_BY(mutex_);  // changes that there was no room for
  std::string told_ ABSL_GUARDED_BY(mutex_);  // the status
  std::unique_ptr<Thread> thread_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SYSTEMD_SERVICE_NOTIFIER_H_
