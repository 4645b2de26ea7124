// Listener: a listening socket, TCP or unix, which we bind ourselves: so an address in use is an
// error with a name, no second process shares a port in silence, and a unix socket has its mode
// from the first moment.
#ifndef MAINSPRING_SERVER_RPC_LISTENER_H_
#define MAINSPRING_SERVER_RPC_LISTENER_H_

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mainspring/server/rpc/address.h"

namespace mainspring::rpc {

class Listener;
using Listeners = std::vector<std::unique_ptr<Listener>>;

// Closes the socket when destroyed, and removes a unix socket's file if it made that and it is
// still its own.
class Listener {
 public:
  // Listens on all that `addresses` name, see Address. Port 0 takes a free one, the same for all
  // addresses of a name. "[::]:PORT" is for IPv4 as well, unless one of the others is an IPv4
  // address with that port. A unix socket is made with mode 0600; a file that a dead process left
  // is replaced, by one process of those that want to. Blocks to look up names.
  // INVALID_ARGUMENT: not an address. UNAVAILABLE: cannot be bound; the text says why.
  // RESOURCE_EXHAUSTED: no more descriptors.
  static absl::StatusOr<Listeners> Listen(const std::vector<std::string>& addresses);
  static absl::StatusOr<Listeners> Listen(absl::string_view address);

  // Takes over a socket that listens already and that another process, a service manager, holds
  // too: closed here, it goes on listening there, and who connects waits for the next process.
  // INVALID_ARGUMENT: it is not a listening TCP or unix socket; then it is left open.
  static absl::StatusOr<std::unique_ptr<Listener>> Adopt(int fd);

  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return fd_; }
  // As it was bound: with the port that was taken.
  const std::string& address() const { return address_; }
  bool is_unix() const { return is_unix_; }

 private:
  explicit Listener(int fd) : fd_(fd) {}
  // One address to bind.
  struct Endpoint;
  static absl::StatusOr<std::vector<Endpoint>> Resolve(const Address& address);
  static bool HasIpv4(const std::vector<Endpoint>& endpoints);
  static absl::Status ListenUnix(const Address& address, Listeners& listeners);
  static absl::Status ListenTcp(const Address& address, std::vector<Endpoint>& endpoints,
                                const std::set<uint16_t>& ipv4_ports, Listeners& listeners);
  // As errno; zero: `group` listens on all of them that the machine has.
  static int ListenTcpOnce(const Address& address, std::vector<Endpoint>& endpoints,
                           const std::set<uint16_t>& ipv4_ports, Listeners& group);

  const int fd_;
  std::string address_;
  bool is_unix_ = false;
  bool adopted_ = false;
  std::string path_;       // of the file that was made
  struct stat file_ = {};  // which file it was
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_LISTENER_H_
