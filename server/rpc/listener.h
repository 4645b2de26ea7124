// Listener: a listening socket, TCP or unix, which we bind ourselves: so an address in use is an
// error with a name, no second process shares a port in silence, and a unix socket has its mode
// from the first moment.
#ifndef MAINSPRING_SERVER_RPC_LISTENER_H_
#define MAINSPRING_SERVER_RPC_LISTENER_H_

#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mainspring::rpc {

// Closes the socket when destroyed, and removes a unix socket's file if it made that and it is
// still its own.
class Listener {
 public:
  // Listens on every address that `address` names: "127.0.0.1:50051", "[::]:0", "localhost:80",
  // "unix:/run/x.sock". Port 0 takes a free one, the same for all of a name's addresses. A unix
  // socket is made with mode 0600; a file that a dead process left is replaced.
  // INVALID_ARGUMENT: not an address. UNAVAILABLE: cannot be bound; the text says why.
  static absl::StatusOr<std::vector<std::unique_ptr<Listener>>> Listen(absl::string_view address);

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
  static absl::StatusOr<std::unique_ptr<Listener>> ListenUnix(const std::string& path);
  static absl::StatusOr<std::vector<std::unique_ptr<Listener>>> ListenTcp(const std::string& host,
                                                                          const std::string& port);

  const int fd_;
  std::string address_;
  bool is_unix_ = false;
  bool adopted_ = false;
  std::string path_;       // of the file that was made
  struct stat file_ = {};  // which file it was
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_LISTENER_H_
