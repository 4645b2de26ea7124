// Acceptor: the one thread that accepts the connections of all planes and hands each to its plane.
//
// It is ours because gRPC's own listener stops for good when descriptors run out, has no cap on
// connections, and cannot be closed without closing the connections as well, which is what a drain
// begins with.
#ifndef MAINSPRING_SERVER_RPC_ACCEPTOR_H_
#define MAINSPRING_SERVER_RPC_ACCEPTOR_H_

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/mutex.h"
#include "mainspring/server/rpc/listener.h"
#include "mainspring/steady_time.h"
#include "mainspring/thread.h"

namespace mainspring::rpc {

// The listeners and the open connections of one plane.
class Door {
 public:
  // Takes over an accepted descriptor.
  using Handoff = std::function<void(int fd)>;

  // A TCP connection whose client takes nothing of what was sent for `untaken` is ended by the
  // system, as one whose client is gone. Takes two descriptors.
  Door(std::vector<std::unique_ptr<Listener>> listeners, size_t max_connections,
       absl::Duration untaken, Handoff handoff);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // Closes the listening sockets: nobody connects any more. When it returns, no handoff is under
  // way and none will follow. Any thread.
  void Close();

  // Shuts every connection down, whatever is on its way. Any thread.
  void CloseAll();

  // How many connections are open. gRPC does not tell, but a connection is open as long as its
  // descriptor is still the socket that was accepted. Costs a system call for each. Any thread.
  size_t CountConnections();

  // Shuts every connection down that was accepted longer than `oldest` ago, or that nobody has used
  // for `longest_idle`, and that was not used when this was called the last eight times either: a
  // process that stood still for a while sees what came meanwhile first. `is_used` is asked by
  // gRPC's name for the connection's peer, "ipv4:127.0.0.1:4711"; who comes from an address with a
  // zone ("fe80::1%eth0") has no such name here, and is left alone. Any thread.
  void CloseUnused(SteadyTime now, absl::Duration oldest, absl::Duration longest_idle,
                   const std::function<bool(const std::string& peer)>& is_used);

 private:
  friend class Acceptor;

  enum class Accepted {
    kOne,
    kNone,       // there is nobody
    kExhausted,  // there is somebody, and no descriptor or place is free
    kLost,       // the socket accepts nobody any more: another process has shut it down
  };

  Accepted AcceptOne(int listening_fd);
  // Closes that listener; says where it listened.
  std::string Drop(int listening_fd);
  bool HasRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Sweep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  struct Connection {
    dev_t device;
    ino_t inode;
    std::string peer;
    SteadyTime accepted_at;
    SteadyTime used_at;
    int unused_looks = 0;  // in a row
  };

  // Where there is something that the client has sent and nobody has read, only `unread_too`. False
  // where the descriptor is another file's by now, or nobody's.
  bool ShutDown(int fd, const Connection& connection, bool unread_too)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t max_connections_;
  const unsigned untaken_milliseconds_;
  const Handoff handoff_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Listener>> listeners_ ABSL_GUARDED_BY(mutex_);
  std::map<int, Connection> connections_ ABSL_GUARDED_BY(mutex_);  // by descriptor
  // The spare one is the idle one's copy, but for a moment.
  const int idle_fd_;
  const int spare_fd_;
};

class Acceptor {
 public:
  // Hears that somebody waits for whom no descriptor is free, or no place at the door, once for
  // each time that this begins; and that it is over.
  using Exhaustion = std::function<void(bool exhausted)>;
  // Hears of a listener that was closed because it accepts nobody any more.
  using Loss = std::function<void(const std::string& address)>;

  explicit Acceptor(
      Exhaustion on_exhaustion, Loss on_loss = [](const std::string&) {})
      : on_exhaustion_(std::move(on_exhaustion)), on_loss_(std::move(on_loss)) {}
  // Stops accepting; the doors stay.
  ~Acceptor();

  // The door must stay until the acceptor has gone. Before Start.
  void Add(Door& door) { doors_.push_back(&door); }

  // RESOURCE_EXHAUSTED: no more threads or descriptors.
  absl::Status Start();
  // Looks again at which listeners are open. Any thread.
  void Wake();

 private:
  void Run();
  // Accepts from that listener, but not for ever: the others have clients too. Says whether it
  // accepted any.
  bool Accept(Door& door, int listening_fd, bool& exhausted);

  const Exhaustion on_exhaustion_;
  const Loss on_loss_;
  std::vector<Door*> doors_;
  int wake_fd_ = -1;
  std::atomic<bool> stop_{false};
  bool exhausted_ = false;  // accept thread only
  std::unique_ptr<Thread> thread_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_ACCEPTOR_H_
