// NotifySender: tells a service manager how its service is, by the protocol of sd_notify(3).
// libsystemd's own sender waits for room for as long as it takes: a manager that does not read
// would stop whoever tells it something, the taking of signals for one.
#ifndef MAINSPRING_SERVER_SYSTEMD_NOTIFY_SENDER_H_
#define MAINSPRING_SERVER_SYSTEMD_NOTIFY_SENDER_H_

#include <string>

namespace mainspring {

// One thread at a time.
class NotifySender {
 public:
  // The one that $NOTIFY_SOCKET names, a path, or an abstract name after "@"; without it, none.
  NotifySender();
  ~NotifySender();
  NotifySender(const NotifySender&) = delete;
  NotifySender& operator=(const NotifySender&) = delete;

  // Whether somebody is to be told.
  bool is_open() const { return fd_ >= 0; }

  // Tells `lines`, each with its newline. False where there is no room for it now; true where it
  // was told, or can never be. Never blocks.
  bool Send(const std::string& lines) const;

 private:
  int fd_ = -1;
  std::string name_;  // with a leading NUL where it is abstract
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SYSTEMD_NOTIFY_SENDER_H_
