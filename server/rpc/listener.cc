#include "mainspring/server/rpc/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace mainspring::rpc {
namespace {

// Linux cuts it to net.core.somaxconn.
constexpr int kBacklog = 4096;

// Tries to find one port that is free on all addresses of a name.
constexpr int kTriesForAPort = 16;

absl::Status Failed(absl::string_view address, int error) {
  const char* reason = error == EADDRINUSE ? "address already in use" : strerror(error);
  const std::string text = absl::StrCat(address, ": ", reason);
  const bool exhausted = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
  return exhausted ? absl::ResourceExhaustedError(text) : absl::UnavailableError(text);
}

int NewSocket(int family) { return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

void SetOption(int fd, int level, int option, bool on) {
  const int value = on ? 1 : 0;
  setsockopt(fd, level, option, &value, sizeof(value));
}

std::string BoundAddress(int fd, uint16_t& port) {
  sockaddr_storage bound = {};
  socklen_t size = sizeof(bound);
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  char text[INET6_ADDRSTRLEN] = "";
  if (bound.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(bound);
    port = ntohs(v6.sin6_port);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    return absl::StrCat("[", text, "]:", port);
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(bound);
  port = ntohs(v4.sin_port);
  inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
  return absl::StrCat(text, ":", port);
}

// An abstract one is written with an @, as the kernel's own lists do.
std::string PathOf(const sockaddr_un& name, socklen_t size) {
  const size_t length = size - std::min<size_t>(size, offsetof(sockaddr_un, sun_path));
  const absl::string_view path(name.sun_path, length);
  if (path.empty() || path[0] != '\0') return std::string(path.substr(0, path.find('\0')));
  return absl::StrCat("@", absl::CHexEscape(path.substr(1)));
}

// Removes the file of a socket that nobody listens on; an error where something else is in the way.
absl::Status TakeAbandoned(absl::string_view text, const sockaddr_un& name) {
  struct stat file;
  if (stat(name.sun_path, &file) != 0) return Failed(text, errno);
  if (!S_ISSOCK(file.st_mode)) {
    return absl::UnavailableError(absl::StrCat(
        text, S_ISDIR(file.st_mode) ? ": is a folder" : ": there is a file that is no socket"));
  }
  const int probe = NewSocket(AF_UNIX);
  if (probe < 0) return Failed(text, errno);
  const bool refused =
      connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0 &&
      errno == ECONNREFUSED;
  close(probe);
  if (!refused) return Failed(text, EADDRINUSE);
  if (unlink(name.sun_path) != 0 && errno != ENOENT) return Failed(text, errno);
  return absl::OkStatus();
}

// Held while a unix socket is made: whoever else wants the same path is refused meanwhile, so that
// nobody takes a socket for abandoned that is bound and does not listen yet. By flock(2) on a file
// beside the socket, which goes with the lock.
class PathLock {
 public:
  explicit PathLock(const std::string& path) : path_(path + ".lock") {
    // One that is opened may have been removed by its holder since: then it locks nothing.
    for (int tries = 0; tries < kTries && fd_ < 0; ++tries) {
      fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
      if (fd_ < 0) break;
      struct stat opened, now;
      if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        error_ = errno == EWOULDBLOCK ? EADDRINUSE : errno;
        close(std::exchange(fd_, -1));
        return;
      }
      if (fstat(fd_, &opened) != 0 || stat(path_.c_str(), &now) != 0 ||
          opened.st_ino != now.st_ino || opened.st_dev != now.st_dev) {
        close(std::exchange(fd_, -1));
        errno = EADDRINUSE;
      }
    }
    error_ = fd_ < 0 ? errno : 0;
  }
  ~PathLock() {
    if (fd_ < 0) return;
    unlink(path_.c_str());
    close(fd_);
  }
  PathLock(const PathLock&) = delete;
  PathLock& operator=(const PathLock&) = delete;

  // As errno; zero: it is held.
  int error() const { return error_; }

 private:
  static constexpr int kTries = 100;

  const std::string path_;
  int fd_ = -1;
  int error_ = 0;
};

}  // namespace

struct Listener::Endpoint {
  sockaddr_storage name = {};
  socklen_t size = 0;
  bool optional = false;  // the family may be missing on this machine: there are others

  bool is_ipv6() const { return name.ss_family == AF_INET6; }
  void SetPort(uint16_t port) {
    (is_ipv6() ? reinterpret_cast<sockaddr_in6&>(name).sin6_port
               : reinterpret_cast<sockaddr_in&>(name).sin_port) = htons(port);
  }
};

bool Listener::HasIpv4(const std::vector<Endpoint>& endpoints) {
  return std::any_of(endpoints.begin(), endpoints.end(),
                     [](const Endpoint& each) { return !each.is_ipv6(); });
}

absl::StatusOr<std::vector<Listener::Endpoint>> Listener::Resolve(const Address& address) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* host = address.host == "*" ? nullptr : address.host.c_str();
  const int error = getaddrinfo(host, absl::StrCat(address.port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat(address.ToString(), ": ", gai_strerror(error)));
  }
  absl::Cleanup free = [found] { freeaddrinfo(found); };
  std::vector<Endpoint> endpoints;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    Endpoint& endpoint = endpoints.emplace_back();
    memcpy(&endpoint.name, each->ai_addr, each->ai_addrlen);
    endpoint.size = each->ai_addrlen;
    endpoint.optional = found->ai_next != nullptr;
  }
  return endpoints;
}

Listener::~Listener() {
  if (!path_.empty()) {
    // Another process may have put its own socket there since.
    struct stat now;
    if (stat(path_.c_str(), &now) == 0 && now.st_ino == file_.st_ino &&
        now.st_dev == file_.st_dev) {
      unlink(path_.c_str());
    }
  }
  // Closing alone would leave it listening for as long as another thread polls it.
  if (!adopted_) shutdown(fd_, SHUT_RDWR);
  close(fd_);
}

absl::StatusOr<Listeners> Listener::Listen(absl::string_view address) {
  return Listen(std::vector<std::string>{std::string(address)});
}

absl::StatusOr<Listeners> Listener::Listen(const std::vector<std::string>& texts) {
  std::vector<Address> addresses;
  std::vector<std::vector<Endpoint>> endpoints;
  std::set<uint16_t> ipv4_ports;
  for (const std::string& text : texts) {
    absl::StatusOr<Address> address = Address::Parse(text);
    if (!address.ok()) return address.status();
    addresses.push_back(*std::move(address));
    endpoints.emplace_back();
    if (addresses.back().IsUnix()) continue;
    absl::StatusOr<std::vector<Endpoint>> found = Resolve(addresses.back());
    if (!found.ok()) return found.status();
    // Any free port is not the one that another any free port is.
    if (addresses.back().port != 0 && HasIpv4(*found)) ipv4_ports.insert(addresses.back().port);
    endpoints.back() = *std::move(found);
  }
  Listeners listeners;
  for (size_t i = 0; i < addresses.size(); ++i) {
    absl::Status listening = addresses[i].IsUnix()
                                 ? ListenUnix(addresses[i], listeners)
                                 : ListenTcp(addresses[i], endpoints[i], ipv4_ports, listeners);
    if (!listening.ok()) return listening;
  }
  return listeners;
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::Adopt(int fd) {
  const auto refuse = [fd](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("descriptor ", fd, ": ", why));
  };
  int type = 0, listens = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return refuse(strerror(errno));
  size = sizeof(listens);
  if (type != SOCK_STREAM || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 ||
      listens == 0) {
    return refuse("not a listening stream socket");
  }
  sockaddr_storage bound = {};
  size = sizeof(bound);
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  if (bound.ss_family != AF_UNIX && bound.ss_family != AF_INET && bound.ss_family != AF_INET6) {
    return refuse("neither a TCP nor a unix socket");
  }
  fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) | FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  std::unique_ptr<Listener> listener(new Listener(fd));
  listener->adopted_ = true;
  listener->is_unix_ = bound.ss_family == AF_UNIX;
  if (listener->is_unix_) {
    listener->address_ =
        absl::StrCat("unix:", PathOf(reinterpret_cast<const sockaddr_un&>(bound), size));
  } else {
    uint16_t port;
    listener->address_ = BoundAddress(fd, port);
  }
  return listener;
}

absl::Status Listener::ListenUnix(const Address& address, Listeners& listeners) {
  const std::string text = address.ToString();
  if (address.IsRelative()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not an address: its path does not begin with a slash; ",
                     "write HOST:PORT, [IPV6]:PORT, *:PORT or unix:/PATH"));
  }
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  if (address.path.size() >= sizeof(name.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(text, ": longer than the ",
                                                   sizeof(name.sun_path) - 1,
                                                   " bytes that a socket's path may have"));
  }
  memcpy(name.sun_path, address.path.c_str(), address.path.size());
  const PathLock lock(address.path);
  if (lock.error() != 0) return Failed(text, lock.error());
  const int fd = NewSocket(AF_UNIX);
  if (fd < 0) return Failed(text, errno);
  std::unique_ptr<Listener> listener(new Listener(fd));
  // The mode of the socket becomes the mode of the file: set before there is one.
  fchmod(fd, 0600);
  const auto* bound = reinterpret_cast<const sockaddr*>(&name);
  if (bind(fd, bound, sizeof(name)) != 0) {
    if (errno != EADDRINUSE) return Failed(text, errno);
    if (absl::Status taken = TakeAbandoned(text, name); !taken.ok()) return taken;
    if (bind(fd, bound, sizeof(name)) != 0) return Failed(text, errno);
  }
  stat(address.path.c_str(), &listener->file_);
  listener->path_ = address.path;
  listener->is_unix_ = true;
  listener->address_ = text;
  if (listen(fd, kBacklog) != 0) return Failed(text, errno);
  listeners.push_back(std::move(listener));
  return absl::OkStatus();
}

absl::Status Listener::ListenTcp(const Address& address, std::vector<Endpoint>& endpoints,
                                 const std::set<uint16_t>& ipv4_ports, Listeners& listeners) {
  // The first address of a name with port 0 chooses the port for all; somebody may have it on
  // another of them.
  for (int tries = address.port == 0 && endpoints.size() > 1 ? kTriesForAPort : 1;; --tries) {
    Listeners group;
    const int error = ListenTcpOnce(address, endpoints, ipv4_ports, group);
    if (error == 0) {
      std::move(group.begin(), group.end(), std::back_inserter(listeners));
      return absl::OkStatus();
    }
    if (error != EADDRINUSE || tries == 1) return Failed(address.ToString(), error);
  }
}

int Listener::ListenTcpOnce(const Address& address, std::vector<Endpoint>& endpoints,
                            const std::set<uint16_t>& ipv4_ports, Listeners& group) {
  int missing = EADDRNOTAVAIL;
  uint16_t taken = address.port;
  for (Endpoint& each : endpoints) {
    const int fd = NewSocket(each.name.ss_family);
    if (fd < 0) {
      // A name with an IPv6 address, on a machine without IPv6.
      missing = errno;
      if (errno == EAFNOSUPPORT && each.optional) continue;
      return errno;
    }
    std::unique_ptr<Listener> listener(new Listener(fd));
    SetOption(fd, SOL_SOCKET, SO_REUSEADDR, true);
    SetOption(fd, IPPROTO_TCP, TCP_NODELAY, true);
    each.SetPort(taken);
    // What the machine's bindv6only says is not asked: [::]:PORT is for IPv4 too, unless that has
    // an address of its own at this port.
    if (each.is_ipv6()) {
      SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY,
                HasIpv4(endpoints) || ipv4_ports.count(address.port) != 0);
    }
    if (bind(fd, reinterpret_cast<const sockaddr*>(&each.name), each.size) != 0 ||
        listen(fd, kBacklog) != 0) {
      missing = errno;
      if (errno == EADDRNOTAVAIL && each.optional) continue;
      return errno;
    }
    listener->address_ = BoundAddress(fd, taken);
    group.push_back(std::move(listener));
  }
  return group.empty() ? missing : 0;
}

}  // namespace mainspring::rpc
